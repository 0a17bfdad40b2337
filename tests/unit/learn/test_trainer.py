import logging

import pytest
from msgspec.structs import replace

from sartor.errors import Corrupt, InvalidPolicy, ModelNotFound, StoreUnavailable
from sartor.learn.trainer import replay
from sartor.learn.vw import create_engine
from sartor.records import Cursor, Model, Settlement
from sartor.settings import AZURE_ARGUMENTS
from sartor.testing.builders import make_outcome
from tests.unit.learn.samples import answers, make_decision
from tests.unit.learn.training_loop import REQUESTS, TrainingLoop


@pytest.fixture
def training() -> TrainingLoop:
    return TrainingLoop()


def test_an_idle_loop_learns_and_publishes_nothing(training: TrainingLoop) -> None:
    assert training.step() == 0
    training.settle(3, learnable=False)
    assert training.step() == 0
    assert training.models.history() == []


def test_the_first_model_is_published_at_once_and_serves(training: TrainingLoop) -> None:
    training.settle(7)
    training.settle(2, learnable=False)
    assert training.step() == 7
    model = training.newest
    assert training.models.live() == model
    assert (model.first_outcome, model.last_outcome, model.learned) == (1, 9, 7)
    assert (model.parent_id, model.arguments) == (None, training.loop.arguments)
    assert (model.settings_version, model.created_at_us) == (training.loop.version, training.clock())
    training.assert_newest_equals_a_replay()


def test_later_models_are_published_as_often_as_the_loop_asks(training: TrainingLoop) -> None:
    training.settle(1)
    training.step()
    first = training.newest
    training.settle(5)
    training.clock.advance(59)
    assert training.step() == 5
    assert training.newest == first
    training.clock.advance(1)
    assert training.step() == 0
    assert (training.newest.parent_id, training.newest.learned) == (first.model_id, 6)
    assert training.newest.model_id > first.model_id
    assert training.models.live() == training.newest


def test_nothing_is_published_when_nothing_was_learned_since(training: TrainingLoop) -> None:
    training.settle(1)
    training.step()
    first = training.newest
    training.settle(5, learnable=False)
    training.clock.advance(3_600)
    training.step()
    assert training.newest == first


def test_a_step_reads_no_more_than_it_may(training: TrainingLoop) -> None:
    training.settle(10)
    assert [training.step(limit=4) for _ in range(4)] == [4, 4, 2, 0]
    assert training.newest.learned == 10


def test_a_model_is_due_even_while_there_is_more_to_learn(training: TrainingLoop) -> None:
    training.settle(1)
    training.step()
    training.settle(10)
    training.clock.advance(60)
    training.step(limit=4)
    assert training.newest.last_outcome == 5


def test_as_many_models_are_kept_as_the_loop_asks(training: TrainingLoop) -> None:
    training.change(staged_model_history_length=2)
    for _ in range(4):
        training.settle(1)
        training.clock.advance(60)
        training.step()
    newest, older, *others = [model.model_id for model in training.models.history()]
    assert training.models.blob(newest) != training.models.blob(older)
    for pruned in others:
        with pytest.raises(ModelNotFound):
            training.models.blob(pruned)


def test_models_that_are_not_published_by_themselves_do_not_serve(training: TrainingLoop) -> None:
    training.change(model_auto_publish=False)
    training.settle(1)
    training.step()
    assert training.models.live() is None
    assert training.newest.learned == 1


@pytest.mark.parametrize("published", [True, False], ids=["after publishing", "before publishing"])
def test_a_crash_learns_nothing_twice_and_leaves_nothing_out(training: TrainingLoop, published: bool) -> None:
    training.settle(20)
    training.step()
    training.settle(20)
    training.clock.advance(60 if published else 30)
    training.step(limit=13)
    training.restart()
    training.clock.advance(60)
    assert training.step() == (7 if published else 20)
    assert (training.newest.learned, training.newest.last_outcome) == (40, 40)
    training.assert_newest_equals_a_replay()


def test_a_failing_disk_delays_and_loses_nothing(training: TrainingLoop) -> None:
    training.settle(20)
    training.step(limit=5)
    training.clock.advance(60)
    training.stores.disk.failing = True
    with pytest.raises(StoreUnavailable):
        training.step()
    training.stores.disk.failing = False
    training.step()
    assert training.newest.learned == 20
    training.assert_newest_equals_a_replay()


def test_a_model_that_could_not_be_published_is_published_by_the_next_step(training: TrainingLoop) -> None:
    training.settle(5)
    training.step()
    training.settle(5)
    training.step()
    training.clock.advance(60)
    training.stores.disk.failing = True
    with pytest.raises(StoreUnavailable):
        training.step()
    training.stores.disk.failing = False
    assert training.step() == 0
    assert training.newest.learned == 10


def test_new_learning_settings_learn_the_last_days_again_from_nothing(training: TrainingLoop) -> None:
    training.settle(10)
    training.step()
    old = training.newest
    training.clock.advance(3 * 86_400)
    training.settle(10)
    training.clock.advance(86_400)
    training.change(arguments=AZURE_ARGUMENTS, model_retrain_days=2)
    assert training.step(limit=6) == 6
    assert training.models.live() == old
    assert training.step() == 4
    assert (training.newest.first_outcome, training.newest.last_outcome, training.newest.learned) == (
        11,
        20,
        10,
    )
    assert (training.newest.parent_id, training.newest.arguments) == (None, AZURE_ARGUMENTS)
    assert training.models.live() == training.newest
    assert training.newest.settings_version == 2
    training.settle(10)
    training.assert_newest_equals_a_replay()


def test_what_was_settled_just_so_many_days_ago_is_learned_again(training: TrainingLoop) -> None:
    training.settle(1)
    training.clock.advance(1e-6)
    training.settle(1)
    training.step()
    training.clock.advance(86_400)
    training.change(arguments=AZURE_ARGUMENTS, model_retrain_days=1)
    training.step()
    assert (training.newest.first_outcome, training.newest.learned) == (2, 1)


def test_new_learning_settings_without_retraining_start_with_the_next_outcome(training: TrainingLoop) -> None:
    training.settle(10)
    training.step()
    training.clock.advance(1)
    training.change(arguments=AZURE_ARGUMENTS, model_retrain_days=0)
    assert training.step() == 0
    assert len(training.models.history()) == 1
    training.settle(1)
    training.step()
    assert (training.newest.first_outcome, training.newest.learned) == (11, 1)
    training.assert_newest_equals_a_replay()


def test_the_exploration_percentage_is_part_of_the_learning_settings(training: TrainingLoop) -> None:
    training.change(arguments=AZURE_ARGUMENTS, exploration_percentage=0.05)
    training.settle(10)
    training.step()
    assert training.newest.arguments == AZURE_ARGUMENTS.replace("0.2", "0.05")
    training.change(exploration_percentage=0.1)
    training.step()
    assert training.newest.arguments == AZURE_ARGUMENTS.replace("0.2", "0.1")
    assert training.newest.parent_id is None


def test_settings_that_do_not_concern_learning_go_on_with_the_same_engine(training: TrainingLoop) -> None:
    training.settle(10)
    training.step()
    training.change(exploration_percentage=0.7, default_reward=0.5)
    training.settle(1)
    training.clock.advance(60)
    training.step()
    assert (training.newest.first_outcome, training.newest.learned) == (1, 11)


def test_a_crash_while_learning_again_starts_again(training: TrainingLoop) -> None:
    training.settle(20)
    training.step()
    training.change(arguments=AZURE_ARGUMENTS)
    training.step(limit=7)
    training.restart()
    assert training.step() == 20
    assert training.newest.learned == 20
    training.assert_newest_equals_a_replay()


def test_training_goes_on_from_the_newest_model_after_a_rollback(training: TrainingLoop) -> None:
    for _ in range(2):
        training.settle(10)
        training.step()
        training.clock.advance(60)
    older = training.models.history()[1]
    training.models.promote(older.model_id)
    training.change(model_auto_publish=False)
    training.restart()
    training.settle(10)
    training.step()
    assert training.newest.learned == 30
    assert training.models.live() == older
    training.change(model_auto_publish=True)
    training.settle(1)
    training.clock.advance(60)
    training.step()
    assert training.models.live() == training.newest


@pytest.mark.parametrize("lost", [b"", b"junk", None], ids=["empty", "junk", "missing"])
def test_a_broken_model_is_made_good_from_an_older_one(
    training: TrainingLoop, lost: bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        training.settle(10)
        training.step()
        training.clock.advance(60)
    newest, older = training.models.history()
    spoil(training, newest, lost)
    training.restart()
    with caplog.at_level(logging.WARNING):
        assert training.step() == 10
    assert f"Model {newest.model_id} can't be resumed" in caplog.text
    assert (training.newest.parent_id, training.newest.learned) == (older.model_id, 20)
    training.assert_newest_equals_a_replay()


def test_a_loop_that_falls_back_publishes_nothing_older_than_it_had(training: TrainingLoop) -> None:
    for _ in range(2):
        training.settle(10)
        training.step()
        training.clock.advance(60)
    newest = training.newest
    spoil(training, newest, b"junk")
    training.restart()
    training.step(limit=4)
    assert training.newest == newest
    training.step()
    assert training.newest.last_outcome == newest.last_outcome == 20
    assert training.newest != newest


def test_a_model_of_an_earlier_lineage_is_no_substitute(training: TrainingLoop) -> None:
    first = training.loop.arguments
    for arguments in (first, AZURE_ARGUMENTS, first):
        training.change(arguments=arguments, model_retrain_days=0)
        training.step()
        training.settle(10)
        training.step()
    spoil(training, training.newest, b"junk")
    training.restart()
    training.step()
    assert (training.newest.first_outcome, training.newest.learned) == (21, 10)
    assert training.newest.parent_id is None


def test_without_any_readable_model_everything_is_learned_again(
    training: TrainingLoop, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        training.settle(10)
        training.step()
        training.clock.advance(60)
    for model in training.models.history():
        spoil(training, model, b"junk")
    training.restart()
    with caplog.at_level(logging.WARNING):
        assert training.step(limit=15) == 15
        assert training.newest.learned == 20
        assert training.step() == 5
    assert "its outcomes are learned again" in caplog.text
    assert (training.newest.parent_id, training.newest.learned) == (None, 20)
    assert len(training.models.history()) == 3
    training.assert_newest_equals_a_replay()


def spoil(training: TrainingLoop, model: Model, blob: bytes | None) -> None:
    if blob is None:
        del training.models._blobs[model.model_id]
    else:
        training.models._blobs[model.model_id] = blob


def test_ids_and_times_grow_even_where_the_clock_was_set_back(training: TrainingLoop) -> None:
    training.settle(1)
    training.step()
    first = training.newest
    training.clock.advance(-3_600)
    training.settle(1)
    training.step()
    assert training.newest.model_id > first.model_id
    assert training.newest.created_at_us == first.created_at_us + 1
    assert training.newest.model_id.isalnum()


def test_learning_settings_that_are_not_accepted_are_told(training: TrainingLoop) -> None:
    training.change(arguments="--cb_explore_adf -f /tmp/x")
    with pytest.raises(InvalidPolicy, match="-f is not accepted"):
        training.step()


def test_an_outcome_without_its_decision_stops_learning_there(training: TrainingLoop) -> None:
    training.settle(3)
    lost = make_outcome(99)
    training.log.outcomes.record(Settlement(outcomes=(lost,), unmatched=(), cursor=Cursor()))
    with pytest.raises(Corrupt, match="Outcome 4 settles decision 99"):
        training.step()


def test_an_outcome_that_the_engine_refuses_is_left_out_in_training_and_replay(
    training: TrainingLoop, caplog: pytest.LogCaptureFixture
) -> None:
    training.settle(5)
    training.log.events.append([make_decision(6)])
    endless = replace(make_outcome(6), reward=float("inf"))
    training.log.outcomes.record(Settlement(outcomes=(endless,), unmatched=(), cursor=Cursor()))
    training.settle(5)
    with caplog.at_level(logging.WARNING):
        assert training.step() == 10
    assert "Outcome 6 is not learned" in caplog.text
    assert (training.newest.learned, training.newest.last_outcome) == (10, 11)
    training.assert_newest_equals_a_replay()


def test_an_engine_that_diverged_is_not_published(
    training: TrainingLoop, caplog: pytest.LogCaptureFixture
) -> None:
    training.change(arguments="--cb_explore_adf --softmax --sgd -l 1000 --power_t 0 --l2 1 -q ::")
    training.settle(1)
    training.step()
    sound = training.newest
    training.settle(300)
    training.clock.advance(60)
    with caplog.at_level(logging.WARNING):
        training.step()
    assert training.newest == sound
    assert training.trainer.problem is not None
    assert "No model is published" in caplog.text


def test_closing_twice_is_fine_and_the_next_step_goes_on(training: TrainingLoop) -> None:
    training.settle(5)
    training.step()
    training.trainer.close()
    training.trainer.close()
    training.settle(5)
    training.clock.advance(60)
    assert training.step() == 5
    training.assert_newest_equals_a_replay()


def test_a_replay_of_a_lineage_that_began_later_begins_there(training: TrainingLoop) -> None:
    training.settle(5)
    empty = Model(
        model_id="m",
        parent_id=None,
        arguments=training.loop.arguments,
        settings_version=1,
        first_outcome=6,
        last_outcome=5,
        learned=0,
        created_at_us=1,
    )
    again = replay(
        empty,
        events=training.log.events,
        outcomes=training.log.outcomes,
        models=training.models,
        factory=create_engine,
    )
    assert answers(again, REQUESTS) == answers(create_engine(training.loop.arguments), REQUESTS)
