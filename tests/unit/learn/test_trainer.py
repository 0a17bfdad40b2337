import logging

import pytest
from msgspec.structs import replace

from sartor.errors import Corrupt, InvalidPolicy, ModelNotFound, StoreUnavailable
from sartor.learn.engines import create_engine
from sartor.learn.trainer import relearn
from sartor.records import Cursor, Model, Settlement
from sartor.settings import AZURE_ARGUMENTS
from sartor.testing.builders import make_outcome
from tests.unit.learn.samples import answers, make_decision
from tests.unit.learn.training_loop import ENGINES, REQUESTS, Training


@pytest.fixture(params=list(ENGINES.values()), ids=list(ENGINES))
def world(request: pytest.FixtureRequest) -> Training:
    return Training(arguments=request.param)


def test_an_idle_loop_learns_and_publishes_nothing(world: Training) -> None:
    assert world.step() == 0
    world.settle(3, learnable=False)
    assert world.step() == 0
    assert world.models.history() == []


def test_the_first_model_is_published_at_once_and_serves(world: Training) -> None:
    world.settle(7)
    world.settle(2, learnable=False)
    assert world.step() == 7
    model = world.newest
    assert world.models.live() == model
    assert (model.first_outcome, model.last_outcome, model.learned) == (1, 9, 7)
    assert (model.parent_id, model.arguments) == (None, world.loop.arguments)
    assert (model.settings_version, model.created_at_us) == (world.loop.version, world.clock())
    world.assert_newest_equals_a_replay()


def test_later_models_are_published_as_often_as_the_loop_asks(world: Training) -> None:
    world.settle(1)
    world.step()
    first = world.newest
    world.settle(5)
    world.clock.advance(59)
    assert world.step() == 5
    assert world.newest == first
    world.clock.advance(1)
    assert world.step() == 0
    assert (world.newest.parent_id, world.newest.learned) == (first.model_id, 6)
    assert world.newest.model_id > first.model_id
    assert world.models.live() == world.newest


def test_nothing_is_published_when_nothing_was_learned_since(world: Training) -> None:
    world.settle(1)
    world.step()
    first = world.newest
    world.settle(5, learnable=False)
    world.clock.advance(3_600)
    world.step()
    assert world.newest == first


def test_a_step_reads_no_more_than_it_may(world: Training) -> None:
    world.settle(10)
    assert [world.step(limit=4) for _ in range(4)] == [4, 4, 2, 0]
    assert world.newest.learned == 10


def test_a_model_is_due_even_while_there_is_more_to_learn(world: Training) -> None:
    world.settle(1)
    world.step()
    world.settle(10)
    world.clock.advance(60)
    world.step(limit=4)
    assert world.newest.last_outcome == 5


def test_as_many_models_are_kept_as_the_loop_asks(world: Training) -> None:
    world.change(staged_model_history_length=2)
    for _ in range(4):
        world.settle(1)
        world.clock.advance(60)
        world.step()
    newest, older, *others = [model.model_id for model in world.models.history()]
    assert world.models.blob(newest) != world.models.blob(older)
    for pruned in others:
        with pytest.raises(ModelNotFound):
            world.models.blob(pruned)


def test_models_that_are_not_published_by_themselves_do_not_serve(world: Training) -> None:
    world.change(model_auto_publish=False)
    world.settle(1)
    world.step()
    assert world.models.live() is None
    assert world.newest.learned == 1


@pytest.mark.parametrize("published", [True, False], ids=["after publishing", "before publishing"])
def test_a_crash_learns_nothing_twice_and_leaves_nothing_out(world: Training, published: bool) -> None:
    world.settle(20)
    world.step()
    world.settle(20)
    world.clock.advance(60 if published else 30)
    world.step(limit=13)
    world.restart()
    world.clock.advance(60)
    assert world.step() == (7 if published else 20)
    assert (world.newest.learned, world.newest.last_outcome) == (40, 40)
    world.assert_newest_equals_a_replay()


def test_a_failing_disk_delays_and_loses_nothing(world: Training) -> None:
    world.settle(20)
    world.step(limit=5)
    world.clock.advance(60)
    world.stores.disk.failing = True
    with pytest.raises(StoreUnavailable):
        world.step()
    world.stores.disk.failing = False
    world.step()
    assert world.newest.learned == 20
    world.assert_newest_equals_a_replay()


def test_a_model_that_could_not_be_published_is_published_by_the_next_step(world: Training) -> None:
    world.settle(5)
    world.step()
    world.settle(5)
    world.step()
    world.clock.advance(60)
    world.stores.disk.failing = True
    with pytest.raises(StoreUnavailable):
        world.step()
    world.stores.disk.failing = False
    assert world.step() == 0
    assert world.newest.learned == 10


def test_new_learning_settings_learn_the_last_days_again_from_nothing(world: Training) -> None:
    world.settle(10)
    world.step()
    old = world.newest
    world.clock.advance(3 * 86_400)
    world.settle(10)
    world.clock.advance(86_400)
    world.change(arguments=AZURE_ARGUMENTS, model_retrain_days=2)
    assert world.step(limit=6) == 6
    assert world.models.live() == old
    assert world.step() == 4
    assert (world.newest.first_outcome, world.newest.last_outcome, world.newest.learned) == (
        11,
        20,
        10,
    )
    assert (world.newest.parent_id, world.newest.arguments) == (None, AZURE_ARGUMENTS)
    assert world.models.live() == world.newest
    assert world.newest.settings_version == 2
    world.settle(10)
    world.assert_newest_equals_a_replay()


def test_what_was_settled_just_so_many_days_ago_is_learned_again(world: Training) -> None:
    world.settle(1)
    world.clock.advance(1e-6)
    world.settle(1)
    world.step()
    world.clock.advance(86_400)
    world.change(arguments=AZURE_ARGUMENTS, model_retrain_days=1)
    world.step()
    assert (world.newest.first_outcome, world.newest.learned) == (2, 1)


def test_new_learning_settings_without_retraining_start_with_the_next_outcome(world: Training) -> None:
    world.settle(10)
    world.step()
    world.clock.advance(1)
    world.change(arguments=AZURE_ARGUMENTS, model_retrain_days=0)
    assert world.step() == 0
    assert len(world.models.history()) == 1
    world.settle(1)
    world.step()
    assert (world.newest.first_outcome, world.newest.learned) == (11, 1)
    world.assert_newest_equals_a_replay()


def test_the_exploration_percentage_is_part_of_the_learning_settings(world: Training) -> None:
    world.change(arguments=AZURE_ARGUMENTS, exploration_percentage=0.05)
    world.settle(10)
    world.step()
    assert world.newest.arguments == AZURE_ARGUMENTS.replace("0.2", "0.05")
    world.change(exploration_percentage=0.1)
    world.step()
    assert world.newest.arguments == AZURE_ARGUMENTS.replace("0.2", "0.1")
    assert world.newest.parent_id is None


def test_settings_that_do_not_concern_learning_go_on_with_the_same_engine(world: Training) -> None:
    world.settle(10)
    world.step()
    world.change(exploration_percentage=0.7, default_reward=0.5)
    world.settle(1)
    world.clock.advance(60)
    world.step()
    assert (world.newest.first_outcome, world.newest.learned) == (1, 11)


def test_a_crash_while_learning_again_starts_again(world: Training) -> None:
    world.settle(20)
    world.step()
    world.change(arguments=AZURE_ARGUMENTS)
    world.step(limit=7)
    world.restart()
    assert world.step() == 20
    assert world.newest.learned == 20
    world.assert_newest_equals_a_replay()


def test_training_goes_on_from_the_newest_model_after_a_rollback(world: Training) -> None:
    for _ in range(2):
        world.settle(10)
        world.step()
        world.clock.advance(60)
    older = world.models.history()[1]
    world.models.promote(older.model_id)
    world.change(model_auto_publish=False)
    world.restart()
    world.settle(10)
    world.step()
    assert world.newest.learned == 30
    assert world.models.live() == older
    world.change(model_auto_publish=True)
    world.settle(1)
    world.clock.advance(60)
    world.step()
    assert world.models.live() == world.newest


@pytest.mark.parametrize("lost", [b"", b"junk", None], ids=["empty", "junk", "missing"])
def test_a_broken_model_is_made_good_from_an_older_one(
    world: Training, lost: bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        world.settle(10)
        world.step()
        world.clock.advance(60)
    newest, older = world.models.history()
    spoil(world, newest, lost)
    world.restart()
    with caplog.at_level(logging.WARNING):
        assert world.step() == 10
    assert f"Model {newest.model_id} can't be resumed" in caplog.text
    assert (world.newest.parent_id, world.newest.learned) == (older.model_id, 20)
    world.assert_newest_equals_a_replay()


def test_a_loop_that_falls_back_publishes_nothing_older_than_it_had(world: Training) -> None:
    for _ in range(2):
        world.settle(10)
        world.step()
        world.clock.advance(60)
    newest = world.newest
    spoil(world, newest, b"junk")
    world.restart()
    world.step(limit=4)
    assert world.newest == newest
    world.step()
    assert world.newest.last_outcome == newest.last_outcome == 20
    assert world.newest != newest


def test_a_model_of_an_earlier_lineage_is_no_substitute(world: Training) -> None:
    first = world.loop.arguments
    for arguments in (first, AZURE_ARGUMENTS, first):
        world.change(arguments=arguments, model_retrain_days=0)
        world.step()
        world.settle(10)
        world.step()
    spoil(world, world.newest, b"junk")
    world.restart()
    world.step()
    assert (world.newest.first_outcome, world.newest.learned) == (21, 10)
    assert world.newest.parent_id is None


def test_without_any_readable_model_everything_is_learned_again(
    world: Training, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        world.settle(10)
        world.step()
        world.clock.advance(60)
    for model in world.models.history():
        spoil(world, model, b"junk")
    world.restart()
    with caplog.at_level(logging.WARNING):
        assert world.step(limit=15) == 15
        assert world.newest.learned == 20
        assert world.step() == 5
    assert "its outcomes are learned again" in caplog.text
    assert (world.newest.parent_id, world.newest.learned) == (None, 20)
    assert len(world.models.history()) == 3
    world.assert_newest_equals_a_replay()


def spoil(world: Training, model: Model, blob: bytes | None) -> None:
    if blob is None:
        del world.models._blobs[model.model_id]
    else:
        world.models._blobs[model.model_id] = blob


def test_ids_and_times_grow_even_where_the_clock_was_set_back(world: Training) -> None:
    world.settle(1)
    world.step()
    first = world.newest
    world.clock.advance(-3_600)
    world.settle(1)
    world.step()
    assert world.newest.model_id > first.model_id
    assert world.newest.created_at_us == first.created_at_us + 1
    assert world.newest.model_id.isalnum()


def test_learning_settings_that_are_not_accepted_are_told(world: Training) -> None:
    world.change(arguments="--cb_explore_adf -f /tmp/x")
    with pytest.raises(InvalidPolicy, match="-f is not accepted"):
        world.step()


def test_an_outcome_without_its_decision_stops_learning_there(world: Training) -> None:
    world.settle(3)
    lost = make_outcome(99)
    world.log.outcomes.record(Settlement(outcomes=(lost,), unmatched=(), cursor=Cursor()))
    with pytest.raises(Corrupt, match="Outcome 4 settles decision 99"):
        world.step()


def test_an_outcome_that_the_engine_refuses_is_left_out_in_training_and_replay(
    world: Training, caplog: pytest.LogCaptureFixture
) -> None:
    world.settle(5)
    world.log.events.append([make_decision(6)])
    endless = replace(make_outcome(6), reward=float("inf"))
    world.log.outcomes.record(Settlement(outcomes=(endless,), unmatched=(), cursor=Cursor()))
    world.settle(5)
    with caplog.at_level(logging.WARNING):
        assert world.step() == 10
    assert "Outcome 6 is not learned" in caplog.text
    assert (world.newest.learned, world.newest.last_outcome) == (10, 11)
    world.assert_newest_equals_a_replay()


def test_an_engine_that_diverged_is_not_published(world: Training, caplog: pytest.LogCaptureFixture) -> None:
    world.change(arguments="--cb_explore_adf --softmax --sgd -l 1000 --power_t 0 --l2 1 -q ::")
    world.settle(1)
    world.step()
    sound = world.newest
    world.settle(300)
    world.clock.advance(60)
    with caplog.at_level(logging.WARNING):
        world.step()
    assert world.newest == sound
    assert world.trainer.problem is not None
    assert "No model is published" in caplog.text


def test_closing_twice_is_fine_and_the_next_step_goes_on(world: Training) -> None:
    world.settle(5)
    world.step()
    world.trainer.close()
    world.trainer.close()
    world.settle(5)
    world.clock.advance(60)
    assert world.step() == 5
    world.assert_newest_equals_a_replay()


def test_a_replay_of_a_lineage_that_began_later_begins_there(world: Training) -> None:
    world.settle(5)
    empty = Model(
        model_id="m",
        parent_id=None,
        arguments=world.loop.arguments,
        settings_version=1,
        first_outcome=6,
        last_outcome=5,
        learned=0,
        created_at_us=1,
    )
    again = relearn(
        empty,
        events=world.log.events,
        outcomes=world.log.outcomes,
        models=world.models,
        factory=create_engine,
    )
    assert answers(again, REQUESTS) == answers(create_engine(world.loop.arguments), REQUESTS)
