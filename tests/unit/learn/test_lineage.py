"""Where training starts: generations, imported models, revisions of the log, logs without a beginning."""

import logging
from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from sartor.errors import ModelNotFound
from sartor.learn.engines import create_engine
from sartor.learn.trainer import relearn, replay_gap
from sartor.records import Model
from sartor.settings import AZURE_ARGUMENTS
from tests.unit.learn.samples import answers, lines
from tests.unit.learn.training_loop import ENGINES, REQUESTS, Training


@pytest.fixture(params=list(ENGINES.values()), ids=list(ENGINES))
def world(request: pytest.FixtureRequest) -> Training:
    return Training(arguments=request.param)


def trained(world: Training, count: int = 10) -> Model:
    """Settle some more, learn it and publish."""
    world.settle(count)
    world.clock.advance(60)
    world.step()
    return world.newest


def test_a_reset_learns_only_what_comes_after_it(world: Training) -> None:
    old = trained(world)
    world.reset()
    assert world.step() == 0
    assert world.models.live() is None
    new = trained(world, 5)
    assert (new.generation, new.first_outcome, new.last_outcome, new.learned) == (2, 11, 15, 5)
    assert (new.parent_id, new.base_id) == (None, None)
    assert world.models.live() == new != old
    world.assert_newest_equals_a_replay()


@pytest.mark.parametrize("published", [True, False], ids=["after publishing", "before publishing"])
def test_a_reset_outlives_a_crash(world: Training, published: bool) -> None:
    trained(world)
    world.reset()
    if published:
        trained(world, 5)
    world.restart()
    trained(world, 5)
    assert world.newest.first_outcome == 11
    assert world.newest.learned == (10 if published else 5)
    world.assert_newest_equals_a_replay()


def test_a_reset_of_a_loop_without_models_learns_what_comes_after_it(world: Training) -> None:
    world.settle(10)
    world.reset()
    trained(world, 3)
    assert (world.newest.first_outcome, world.newest.learned) == (11, 3)


def test_new_learning_settings_do_not_reach_behind_a_reset(world: Training) -> None:
    trained(world)
    world.reset()
    trained(world, 5)
    world.change(arguments=AZURE_ARGUMENTS, model_retrain_days=30)
    world.step()
    assert (world.newest.arguments, world.newest.first_outcome, world.newest.learned) == (
        AZURE_ARGUMENTS,
        11,
        5,
    )


def test_a_generation_without_a_beginning_learns_the_last_days_again(world: Training) -> None:
    old = trained(world)
    world.clock.advance(3 * 86_400)
    world.settle(4)
    world.loop = replace(world.loop, generation=2)
    assert world.step(limit=2) == 2
    assert world.models.live() == old
    world.step()
    assert (world.newest.generation, world.newest.first_outcome, world.newest.learned) == (2, 11, 4)
    assert world.models.live() == world.newest
    world.assert_newest_equals_a_replay()


def test_a_generation_that_learns_nothing_again_begins_with_the_next_outcome(world: Training) -> None:
    trained(world)
    world.change(model_retrain_days=0)
    world.loop = replace(world.loop, generation=2)
    world.step()
    trained(world, 3)
    assert (world.newest.first_outcome, world.newest.learned) == (11, 3)


def test_what_was_published_while_a_reset_was_made_is_taken_back(world: Training) -> None:
    trained(world)
    world.settle(10)
    before = world.loop
    world.reset()
    world.loop, after = before, world.loop
    world.clock.advance(60)
    assert world.step() == 10  # it has not heard of the reset
    assert world.models.live() == world.newest
    world.loop = after
    world.step()
    assert world.models.live() is None


def test_what_was_published_while_a_model_was_imported_is_taken_back(world: Training) -> None:
    trained(world)
    before = world.loop
    imported = world.import_model(train_model(world, 100))
    world.loop, after = before, world.loop
    stale = trained(world)
    assert world.models.live() == stale != imported
    world.loop = after
    world.step()
    live = world.models.live()
    assert live is not None
    assert (live.generation, live.base_id) == (2, imported.model_id)


def test_a_rollback_to_an_earlier_generation_stands(world: Training) -> None:
    old = trained(world)
    world.reset()
    trained(world, 5)
    world.models.promote(old.model_id)
    world.change(model_auto_publish=False)
    world.restart()
    trained(world, 5)
    assert world.models.live() == old


def train_model(world: Training, first: int, *, count: int = 30) -> bytes:
    """The bytes of an engine that learned elsewhere."""
    elsewhere = create_engine(world.loop.arguments)
    for line in lines(first, first + count):
        elsewhere.learn(line)
    return elsewhere.dump()


def test_training_goes_on_from_an_imported_model(world: Training) -> None:
    trained(world)
    imported = world.import_model(train_model(world, 100))
    assert world.step() == 0
    new = trained(world, 5)
    assert (new.generation, new.base_id, new.parent_id) == (2, imported.model_id, imported.model_id)
    assert (new.first_outcome, new.last_outcome, new.learned) == (11, 15, 5)
    world.assert_newest_equals_a_replay()
    world.restart()
    newer = trained(world, 5)
    assert (newer.base_id, newer.parent_id, newer.learned) == (imported.model_id, new.model_id, 10)
    world.assert_newest_equals_a_replay()


def test_an_imported_model_counts_in_what_is_learned(world: Training) -> None:
    world.import_model(train_model(world, 100))
    trained(world, 5)
    again = create_engine(world.loop.arguments, train_model(world, 100))
    for line in world.lines():
        again.learn(line)
    stored = create_engine(world.newest.arguments, world.models.blob(world.newest.model_id))
    assert answers(stored, REQUESTS) == answers(again, REQUESTS)
    assert answers(stored, REQUESTS) != answers(create_engine(world.loop.arguments), REQUESTS)


def test_a_lineage_whose_models_are_lost_begins_again_with_its_base(world: Training) -> None:
    imported = world.import_model(train_model(world, 100))
    lost = trained(world, 5)
    world.models._blobs[lost.model_id] = b"junk"
    world.models._blobs.pop(lost.model_id)
    world.restart()
    trained(world, 5)
    assert (world.newest.base_id, world.newest.learned) == (imported.model_id, 10)
    world.assert_newest_equals_a_replay()


def test_a_lost_base_is_told_and_done_without(world: Training, caplog: pytest.LogCaptureFixture) -> None:
    imported = world.import_model(train_model(world, 100))
    lost = trained(world, 5)
    for model in (imported, lost):
        world.models._blobs.pop(model.model_id)
    world.restart()
    with caplog.at_level(logging.WARNING):
        trained(world, 5)
    assert f"Model {imported.model_id} can't be resumed" in caplog.text
    assert (world.newest.base_id, world.newest.learned) == (None, 10)
    world.assert_newest_equals_a_replay()
    with pytest.raises(ModelNotFound):
        relearn(
            lost,
            events=world.log.events,
            outcomes=world.log.outcomes,
            models=world.models,
            factory=create_engine,
        )


def test_an_amended_log_is_learned_again_from_the_same_beginning(world: Training) -> None:
    old = trained(world)
    world.amend(3, reward=-1.0)
    assert replay_gap(old, world.log.outcomes.counts()) == "it learned revision 0 of the log, which is at 1"
    assert world.step(limit=4) == 4
    assert world.models.live() == old
    world.step()
    new = world.newest
    assert (new.revision, new.first_outcome, new.learned, new.parent_id) == (1, 1, 10, None)
    assert world.models.live() == new
    assert replay_gap(new, world.log.outcomes.counts()) is None
    world.assert_newest_equals_a_replay()


def test_what_is_amended_while_it_is_learned_again_is_learned_again(world: Training) -> None:
    trained(world)
    world.amend(3, reward=-1.0)
    world.step(limit=4)
    world.amend(1, learnable=False)
    world.step()
    assert (world.newest.revision, world.newest.learned) == (2, 9)
    world.assert_newest_equals_a_replay()


def test_an_amended_log_is_learned_again_on_the_imported_model(world: Training) -> None:
    imported = world.import_model(train_model(world, 100))
    trained(world, 5)
    world.amend(2, reward=0.9)
    world.step()
    assert (world.newest.base_id, world.newest.revision) == (imported.model_id, 1)
    world.assert_newest_equals_a_replay()


def test_a_lineage_whose_beginning_is_gone_goes_on_and_can_not_be_replayed(world: Training) -> None:
    trained(world)
    world.forget(4)
    new = trained(world, 5)
    assert (new.first_outcome, new.last_outcome, new.learned) == (1, 15, 15)
    assert replay_gap(new, world.log.outcomes.counts()) == "the log begins with outcome 5, the model with 1"


def test_what_begins_anew_begins_with_what_is_kept(world: Training) -> None:
    trained(world)
    world.forget(4)
    world.amend(7, reward=1.0)
    world.step()
    assert (world.newest.first_outcome, world.newest.learned) == (5, 6)
    world.assert_newest_equals_a_replay()
    world.change(arguments=AZURE_ARGUMENTS, model_retrain_days=30)
    world.step()
    assert (world.newest.first_outcome, world.newest.learned) == (5, 6)
    world.assert_newest_equals_a_replay()


def test_a_first_model_of_a_log_without_beginning_says_so(world: Training) -> None:
    world.settle(10)
    world.forget(4)
    world.step()
    assert (world.newest.first_outcome, world.newest.learned) == (5, 6)
    world.assert_newest_equals_a_replay()


def test_a_model_that_learned_nothing_can_always_be_replayed(world: Training) -> None:
    trained(world)
    imported = world.import_model(train_model(world, 100))
    world.forget(4)
    world.amend(7, reward=1.0)
    assert replay_gap(imported, world.log.outcomes.counts()) is None


def test_a_long_history_costs_no_more_than_a_short_one(
    world: Training, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained(world)
    asked: list[int | None] = []
    history = world.models.history

    def told(*, limit: int | None = None) -> Sequence[Model]:
        asked.append(limit)
        return history(limit=limit)

    monkeypatch.setattr(world.models, "history", told)
    world.restart()
    world.step()
    assert asked
    assert None not in asked
