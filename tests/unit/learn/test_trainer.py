import logging

import pytest
from msgspec.structs import replace

from sartor.errors import Corrupt, InvalidPolicy, ModelNotFound, StoreUnavailable
from sartor.learn.trainer import replay
from sartor.learn.vw import create_engine
from sartor.records import Cursor, Model, Settlement
from sartor.settings import AZURE_ARGUMENTS
from sartor.testing.builders import make_outcome
from tests.unit.learn.bench import REQUESTS, Bench
from tests.unit.learn.samples import answers, make_decision


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_an_idle_loop_learns_and_publishes_nothing(bench: Bench) -> None:
    assert bench.step() == 0
    bench.settle(3, learnable=False)
    assert bench.step() == 0
    assert bench.models.history() == []


def test_the_first_model_is_published_at_once_and_serves(bench: Bench) -> None:
    bench.settle(7)
    bench.settle(2, learnable=False)
    assert bench.step() == 7
    model = bench.newest
    assert bench.models.live() == model
    assert (model.first_outcome, model.last_outcome, model.learned) == (1, 9, 7)
    assert (model.parent_id, model.arguments) == (None, bench.loop.arguments)
    assert (model.settings_version, model.created_at_us) == (bench.loop.version, bench.clock())
    bench.assert_newest_equals_a_replay()


def test_later_models_are_published_as_often_as_the_loop_asks(bench: Bench) -> None:
    bench.settle(1)
    bench.step()
    first = bench.newest
    bench.settle(5)
    bench.clock.advance(59)
    assert bench.step() == 5
    assert bench.newest == first
    bench.clock.advance(1)
    assert bench.step() == 0
    assert (bench.newest.parent_id, bench.newest.learned) == (first.model_id, 6)
    assert bench.newest.model_id > first.model_id
    assert bench.models.live() == bench.newest


def test_nothing_is_published_when_nothing_was_learned_since(bench: Bench) -> None:
    bench.settle(1)
    bench.step()
    first = bench.newest
    bench.settle(5, learnable=False)
    bench.clock.advance(3_600)
    bench.step()
    assert bench.newest == first


def test_a_step_reads_no_more_than_it_may(bench: Bench) -> None:
    bench.settle(10)
    assert [bench.step(limit=4) for _ in range(4)] == [4, 4, 2, 0]
    assert bench.newest.learned == 10


def test_a_model_is_due_even_while_there_is_more_to_learn(bench: Bench) -> None:
    bench.settle(1)
    bench.step()
    bench.settle(10)
    bench.clock.advance(60)
    bench.step(limit=4)
    assert bench.newest.last_outcome == 5


def test_as_many_models_are_kept_as_the_loop_asks(bench: Bench) -> None:
    bench.change(staged_model_history_length=2)
    for _ in range(4):
        bench.settle(1)
        bench.clock.advance(60)
        bench.step()
    newest, older, *others = [model.model_id for model in bench.models.history()]
    assert bench.models.blob(newest) != bench.models.blob(older)
    for pruned in others:
        with pytest.raises(ModelNotFound):
            bench.models.blob(pruned)


def test_models_that_are_not_published_by_themselves_do_not_serve(bench: Bench) -> None:
    bench.change(model_auto_publish=False)
    bench.settle(1)
    bench.step()
    assert bench.models.live() is None
    assert bench.newest.learned == 1


@pytest.mark.parametrize("published", [True, False], ids=["after publishing", "before publishing"])
def test_a_crash_learns_nothing_twice_and_leaves_nothing_out(bench: Bench, published: bool) -> None:
    bench.settle(20)
    bench.step()
    bench.settle(20)
    bench.clock.advance(60 if published else 30)
    bench.step(limit=13)
    bench.restart()
    bench.clock.advance(60)
    assert bench.step() == (7 if published else 20)
    assert (bench.newest.learned, bench.newest.last_outcome) == (40, 40)
    bench.assert_newest_equals_a_replay()


def test_a_failing_disk_delays_and_loses_nothing(bench: Bench) -> None:
    bench.settle(20)
    bench.step(limit=5)
    bench.clock.advance(60)
    bench.stores.disk.failing = True
    with pytest.raises(StoreUnavailable):
        bench.step()
    bench.stores.disk.failing = False
    bench.step()
    assert bench.newest.learned == 20
    bench.assert_newest_equals_a_replay()


def test_a_model_that_could_not_be_published_is_published_by_the_next_step(bench: Bench) -> None:
    bench.settle(5)
    bench.step()
    bench.settle(5)
    bench.step()
    bench.clock.advance(60)
    bench.stores.disk.failing = True
    with pytest.raises(StoreUnavailable):
        bench.step()
    bench.stores.disk.failing = False
    assert bench.step() == 0
    assert bench.newest.learned == 10


def test_new_learning_settings_learn_the_last_days_again_from_nothing(bench: Bench) -> None:
    bench.settle(10)
    bench.step()
    old = bench.newest
    bench.clock.advance(3 * 86_400)
    bench.settle(10)
    bench.clock.advance(86_400)
    bench.change(arguments=AZURE_ARGUMENTS, model_retrain_days=2)
    assert bench.step(limit=6) == 6
    assert bench.models.live() == old
    assert bench.step() == 4
    assert (bench.newest.first_outcome, bench.newest.last_outcome, bench.newest.learned) == (11, 20, 10)
    assert (bench.newest.parent_id, bench.newest.arguments) == (None, AZURE_ARGUMENTS)
    assert bench.models.live() == bench.newest
    assert bench.newest.settings_version == 2
    bench.settle(10)
    bench.assert_newest_equals_a_replay()


def test_what_was_settled_just_so_many_days_ago_is_learned_again(bench: Bench) -> None:
    bench.settle(1)
    bench.clock.advance(1e-6)
    bench.settle(1)
    bench.step()
    bench.clock.advance(86_400)
    bench.change(arguments=AZURE_ARGUMENTS, model_retrain_days=1)
    bench.step()
    assert (bench.newest.first_outcome, bench.newest.learned) == (2, 1)


def test_new_learning_settings_without_retraining_start_with_the_next_outcome(bench: Bench) -> None:
    bench.settle(10)
    bench.step()
    bench.clock.advance(1)
    bench.change(arguments=AZURE_ARGUMENTS, model_retrain_days=0)
    assert bench.step() == 0
    assert len(bench.models.history()) == 1
    bench.settle(1)
    bench.step()
    assert (bench.newest.first_outcome, bench.newest.learned) == (11, 1)
    bench.assert_newest_equals_a_replay()


def test_the_exploration_percentage_is_part_of_the_learning_settings(bench: Bench) -> None:
    bench.change(arguments=AZURE_ARGUMENTS, exploration_percentage=0.05)
    bench.settle(10)
    bench.step()
    assert bench.newest.arguments == AZURE_ARGUMENTS.replace("0.2", "0.05")
    bench.change(exploration_percentage=0.1)
    bench.step()
    assert bench.newest.arguments == AZURE_ARGUMENTS.replace("0.2", "0.1")
    assert bench.newest.parent_id is None


def test_settings_that_do_not_concern_learning_go_on_with_the_same_engine(bench: Bench) -> None:
    bench.settle(10)
    bench.step()
    bench.change(exploration_percentage=0.7, default_reward=0.5)
    bench.settle(1)
    bench.clock.advance(60)
    bench.step()
    assert (bench.newest.first_outcome, bench.newest.learned) == (1, 11)


def test_a_crash_while_learning_again_starts_again(bench: Bench) -> None:
    bench.settle(20)
    bench.step()
    bench.change(arguments=AZURE_ARGUMENTS)
    bench.step(limit=7)
    bench.restart()
    assert bench.step() == 20
    assert bench.newest.learned == 20
    bench.assert_newest_equals_a_replay()


def test_training_goes_on_from_the_newest_model_after_a_rollback(bench: Bench) -> None:
    for _ in range(2):
        bench.settle(10)
        bench.step()
        bench.clock.advance(60)
    older = bench.models.history()[1]
    bench.models.promote(older.model_id)
    bench.change(model_auto_publish=False)
    bench.restart()
    bench.settle(10)
    bench.step()
    assert bench.newest.learned == 30
    assert bench.models.live() == older
    bench.change(model_auto_publish=True)
    bench.settle(1)
    bench.clock.advance(60)
    bench.step()
    assert bench.models.live() == bench.newest


@pytest.mark.parametrize("lost", [b"", b"junk", None], ids=["empty", "junk", "missing"])
def test_a_broken_model_is_made_good_from_an_older_one(
    bench: Bench, lost: bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        bench.settle(10)
        bench.step()
        bench.clock.advance(60)
    newest, older = bench.models.history()
    spoil(bench, newest, lost)
    bench.restart()
    with caplog.at_level(logging.WARNING):
        assert bench.step() == 10
    assert f"Model {newest.model_id} can't be resumed" in caplog.text
    assert (bench.newest.parent_id, bench.newest.learned) == (older.model_id, 20)
    bench.assert_newest_equals_a_replay()


def test_a_loop_that_falls_back_publishes_nothing_older_than_it_had(bench: Bench) -> None:
    for _ in range(2):
        bench.settle(10)
        bench.step()
        bench.clock.advance(60)
    newest = bench.newest
    spoil(bench, newest, b"junk")
    bench.restart()
    bench.step(limit=4)
    assert bench.newest == newest
    bench.step()
    assert bench.newest.last_outcome == newest.last_outcome == 20
    assert bench.newest != newest


def test_a_model_of_an_earlier_lineage_is_no_substitute(bench: Bench) -> None:
    first = bench.loop.arguments
    for arguments in (first, AZURE_ARGUMENTS, first):
        bench.change(arguments=arguments, model_retrain_days=0)
        bench.step()
        bench.settle(10)
        bench.step()
    spoil(bench, bench.newest, b"junk")
    bench.restart()
    bench.step()
    assert (bench.newest.first_outcome, bench.newest.learned) == (21, 10)
    assert bench.newest.parent_id is None


def test_without_any_readable_model_everything_is_learned_again(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        bench.settle(10)
        bench.step()
        bench.clock.advance(60)
    for model in bench.models.history():
        spoil(bench, model, b"junk")
    bench.restart()
    with caplog.at_level(logging.WARNING):
        assert bench.step(limit=15) == 15
        assert bench.newest.learned == 20
        assert bench.step() == 5
    assert "its outcomes are learned again" in caplog.text
    assert (bench.newest.parent_id, bench.newest.learned) == (None, 20)
    assert len(bench.models.history()) == 3
    bench.assert_newest_equals_a_replay()


def spoil(bench: Bench, model: Model, blob: bytes | None) -> None:
    if blob is None:
        del bench.models._blobs[model.model_id]
    else:
        bench.models._blobs[model.model_id] = blob


def test_ids_and_times_grow_even_where_the_clock_was_set_back(bench: Bench) -> None:
    bench.settle(1)
    bench.step()
    first = bench.newest
    bench.clock.advance(-3_600)
    bench.settle(1)
    bench.step()
    assert bench.newest.model_id > first.model_id
    assert bench.newest.created_at_us == first.created_at_us + 1
    assert bench.newest.model_id.isalnum()


def test_learning_settings_that_are_not_accepted_are_told(bench: Bench) -> None:
    bench.change(arguments="--cb_explore_adf -f /tmp/x")
    with pytest.raises(InvalidPolicy, match="-f is not accepted"):
        bench.step()


def test_an_outcome_without_its_decision_stops_learning_there(bench: Bench) -> None:
    bench.settle(3)
    lost = make_outcome(99)
    bench.log.outcomes.record(Settlement(outcomes=(lost,), unmatched=(), cursor=Cursor()))
    with pytest.raises(Corrupt, match="Outcome 4 settles decision 99"):
        bench.step()


def test_an_outcome_that_the_engine_refuses_is_left_out_in_training_and_replay(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.settle(5)
    bench.log.events.append([make_decision(6)])
    endless = replace(make_outcome(6), reward=float("inf"))
    bench.log.outcomes.record(Settlement(outcomes=(endless,), unmatched=(), cursor=Cursor()))
    bench.settle(5)
    with caplog.at_level(logging.WARNING):
        assert bench.step() == 10
    assert "Outcome 6 is not learned" in caplog.text
    assert (bench.newest.learned, bench.newest.last_outcome) == (10, 11)
    bench.assert_newest_equals_a_replay()


def test_an_engine_that_diverged_is_not_published(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.change(arguments="--cb_explore_adf --softmax --sgd -l 1000 --power_t 0 --l2 1 -q ::")
    bench.settle(1)
    bench.step()
    sound = bench.newest
    bench.settle(300)
    bench.clock.advance(60)
    with caplog.at_level(logging.WARNING):
        bench.step()
    assert bench.newest == sound
    assert bench.trainer.problem is not None
    assert "No model is published" in caplog.text


def test_closing_twice_is_fine_and_the_next_step_goes_on(bench: Bench) -> None:
    bench.settle(5)
    bench.step()
    bench.trainer.close()
    bench.trainer.close()
    bench.settle(5)
    bench.clock.advance(60)
    assert bench.step() == 5
    bench.assert_newest_equals_a_replay()


def test_a_replay_of_a_lineage_that_began_later_begins_there(bench: Bench) -> None:
    bench.settle(5)
    empty = Model(
        model_id="m",
        parent_id=None,
        arguments=bench.loop.arguments,
        settings_version=1,
        first_outcome=6,
        last_outcome=5,
        learned=0,
        created_at_us=1,
    )
    again = replay(
        empty, events=bench.log.events, outcomes=bench.log.outcomes, models=bench.models, factory=create_engine
    )
    assert answers(again, REQUESTS) == answers(create_engine(bench.loop.arguments), REQUESTS)
