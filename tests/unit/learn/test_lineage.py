"""Where training starts: generations, imported models, revisions of the log, logs without a beginning."""

import logging
from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from sartor.errors import ModelNotFound
from sartor.learn.trainer import replay, replay_gap
from sartor.learn.vw import create_engine
from sartor.records import Model
from sartor.settings import AZURE_ARGUMENTS
from tests.unit.learn.samples import answers, lines
from tests.unit.learn.training_loop import REQUESTS, TrainingLoop


@pytest.fixture
def training() -> TrainingLoop:
    return TrainingLoop()


def trained(training: TrainingLoop, count: int = 10) -> Model:
    """Settle some more, learn it and publish."""
    training.settle(count)
    training.clock.advance(60)
    training.step()
    return training.newest


def test_a_reset_learns_only_what_comes_after_it(training: TrainingLoop) -> None:
    old = trained(training)
    training.reset()
    assert training.step() == 0
    assert training.models.live() is None
    new = trained(training, 5)
    assert (new.generation, new.first_outcome, new.last_outcome, new.learned) == (2, 11, 15, 5)
    assert (new.parent_id, new.base_id) == (None, None)
    assert training.models.live() == new != old
    training.assert_newest_equals_a_replay()


@pytest.mark.parametrize("published", [True, False], ids=["after publishing", "before publishing"])
def test_a_reset_outlives_a_crash(training: TrainingLoop, published: bool) -> None:
    trained(training)
    training.reset()
    if published:
        trained(training, 5)
    training.restart()
    trained(training, 5)
    assert training.newest.first_outcome == 11
    assert training.newest.learned == (10 if published else 5)
    training.assert_newest_equals_a_replay()


def test_a_reset_of_a_loop_without_models_learns_what_comes_after_it(training: TrainingLoop) -> None:
    training.settle(10)
    training.reset()
    trained(training, 3)
    assert (training.newest.first_outcome, training.newest.learned) == (11, 3)


def test_new_learning_settings_do_not_reach_behind_a_reset(training: TrainingLoop) -> None:
    trained(training)
    training.reset()
    trained(training, 5)
    training.change(arguments=AZURE_ARGUMENTS, model_retrain_days=30)
    training.step()
    assert (training.newest.arguments, training.newest.first_outcome, training.newest.learned) == (
        AZURE_ARGUMENTS,
        11,
        5,
    )


def test_a_generation_without_a_beginning_learns_the_last_days_again(training: TrainingLoop) -> None:
    old = trained(training)
    training.clock.advance(3 * 86_400)
    training.settle(4)
    training.loop = replace(training.loop, generation=2)
    assert training.step(limit=2) == 2
    assert training.models.live() == old
    training.step()
    assert (training.newest.generation, training.newest.first_outcome, training.newest.learned) == (2, 11, 4)
    assert training.models.live() == training.newest
    training.assert_newest_equals_a_replay()


def test_a_generation_that_learns_nothing_again_begins_with_the_next_outcome(training: TrainingLoop) -> None:
    trained(training)
    training.change(model_retrain_days=0)
    training.loop = replace(training.loop, generation=2)
    training.step()
    trained(training, 3)
    assert (training.newest.first_outcome, training.newest.learned) == (11, 3)


def test_what_was_published_while_a_reset_was_made_is_taken_back(training: TrainingLoop) -> None:
    trained(training)
    training.settle(10)
    before = training.loop
    training.reset()
    training.loop, after = before, training.loop
    training.clock.advance(60)
    assert training.step() == 10  # it has not heard of the reset
    assert training.models.live() == training.newest
    training.loop = after
    training.step()
    assert training.models.live() is None


def test_what_was_published_while_a_model_was_imported_is_taken_back(training: TrainingLoop) -> None:
    trained(training)
    before = training.loop
    imported = training.import_model(train_model(training, 100))
    training.loop, after = before, training.loop
    stale = trained(training)
    assert training.models.live() == stale != imported
    training.loop = after
    training.step()
    live = training.models.live()
    assert live is not None
    assert (live.generation, live.base_id) == (2, imported.model_id)


def test_a_rollback_to_an_earlier_generation_stands(training: TrainingLoop) -> None:
    old = trained(training)
    training.reset()
    trained(training, 5)
    training.models.promote(old.model_id)
    training.change(model_auto_publish=False)
    training.restart()
    trained(training, 5)
    assert training.models.live() == old


def train_model(training: TrainingLoop, first: int, *, count: int = 30) -> bytes:
    """The bytes of an engine that learned elsewhere."""
    elsewhere = create_engine(training.loop.arguments)
    for line in lines(first, first + count):
        elsewhere.learn(line)
    return elsewhere.dump()


def test_training_goes_on_from_an_imported_model(training: TrainingLoop) -> None:
    trained(training)
    imported = training.import_model(train_model(training, 100))
    assert training.step() == 0
    new = trained(training, 5)
    assert (new.generation, new.base_id, new.parent_id) == (2, imported.model_id, imported.model_id)
    assert (new.first_outcome, new.last_outcome, new.learned) == (11, 15, 5)
    training.assert_newest_equals_a_replay()
    training.restart()
    newer = trained(training, 5)
    assert (newer.base_id, newer.parent_id, newer.learned) == (imported.model_id, new.model_id, 10)
    training.assert_newest_equals_a_replay()


def test_an_imported_model_counts_in_what_is_learned(training: TrainingLoop) -> None:
    training.import_model(train_model(training, 100))
    trained(training, 5)
    again = create_engine(training.loop.arguments, train_model(training, 100))
    for line in training.lines():
        again.learn(line)
    stored = create_engine(training.newest.arguments, training.models.blob(training.newest.model_id))
    assert answers(stored, REQUESTS) == answers(again, REQUESTS)
    assert answers(stored, REQUESTS) != answers(create_engine(training.loop.arguments), REQUESTS)


def test_a_lineage_whose_models_are_lost_begins_again_with_its_base(training: TrainingLoop) -> None:
    imported = training.import_model(train_model(training, 100))
    lost = trained(training, 5)
    training.models._blobs[lost.model_id] = b"junk"
    training.models._blobs.pop(lost.model_id)
    training.restart()
    trained(training, 5)
    assert (training.newest.base_id, training.newest.learned) == (imported.model_id, 10)
    training.assert_newest_equals_a_replay()


def test_a_lost_base_is_told_and_done_without(training: TrainingLoop, caplog: pytest.LogCaptureFixture) -> None:
    imported = training.import_model(train_model(training, 100))
    lost = trained(training, 5)
    for model in (imported, lost):
        training.models._blobs.pop(model.model_id)
    training.restart()
    with caplog.at_level(logging.WARNING):
        trained(training, 5)
    assert f"Model {imported.model_id} can't be resumed" in caplog.text
    assert (training.newest.base_id, training.newest.learned) == (None, 10)
    training.assert_newest_equals_a_replay()
    with pytest.raises(ModelNotFound):
        replay(
            lost,
            events=training.log.events,
            outcomes=training.log.outcomes,
            models=training.models,
            factory=create_engine,
        )


def test_an_amended_log_is_learned_again_from_the_same_beginning(training: TrainingLoop) -> None:
    old = trained(training)
    training.amend(3, reward=-1.0)
    assert replay_gap(old, training.log.outcomes.counts()) == "it learned revision 0 of the log, which is at 1"
    assert training.step(limit=4) == 4
    assert training.models.live() == old
    training.step()
    new = training.newest
    assert (new.revision, new.first_outcome, new.learned, new.parent_id) == (1, 1, 10, None)
    assert training.models.live() == new
    assert replay_gap(new, training.log.outcomes.counts()) is None
    training.assert_newest_equals_a_replay()


def test_what_is_amended_while_it_is_learned_again_is_learned_again(training: TrainingLoop) -> None:
    trained(training)
    training.amend(3, reward=-1.0)
    training.step(limit=4)
    training.amend(1, learnable=False)
    training.step()
    assert (training.newest.revision, training.newest.learned) == (2, 9)
    training.assert_newest_equals_a_replay()


def test_an_amended_log_is_learned_again_on_the_imported_model(training: TrainingLoop) -> None:
    imported = training.import_model(train_model(training, 100))
    trained(training, 5)
    training.amend(2, reward=0.9)
    training.step()
    assert (training.newest.base_id, training.newest.revision) == (imported.model_id, 1)
    training.assert_newest_equals_a_replay()


def test_a_lineage_whose_beginning_is_gone_goes_on_and_can_not_be_replayed(training: TrainingLoop) -> None:
    trained(training)
    training.forget(4)
    new = trained(training, 5)
    assert (new.first_outcome, new.last_outcome, new.learned) == (1, 15, 15)
    assert replay_gap(new, training.log.outcomes.counts()) == "the log begins with outcome 5, the model with 1"


def test_what_begins_anew_begins_with_what_is_kept(training: TrainingLoop) -> None:
    trained(training)
    training.forget(4)
    training.amend(7, reward=1.0)
    training.step()
    assert (training.newest.first_outcome, training.newest.learned) == (5, 6)
    training.assert_newest_equals_a_replay()
    training.change(arguments=AZURE_ARGUMENTS, model_retrain_days=30)
    training.step()
    assert (training.newest.first_outcome, training.newest.learned) == (5, 6)
    training.assert_newest_equals_a_replay()


def test_a_first_model_of_a_log_without_beginning_says_so(training: TrainingLoop) -> None:
    training.settle(10)
    training.forget(4)
    training.step()
    assert (training.newest.first_outcome, training.newest.learned) == (5, 6)
    training.assert_newest_equals_a_replay()


def test_a_model_that_learned_nothing_can_always_be_replayed(training: TrainingLoop) -> None:
    trained(training)
    imported = training.import_model(train_model(training, 100))
    training.forget(4)
    training.amend(7, reward=1.0)
    assert replay_gap(imported, training.log.outcomes.counts()) is None


def test_a_long_history_costs_no_more_than_a_short_one(
    training: TrainingLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained(training)
    asked: list[int | None] = []
    history = training.models.history

    def told(*, limit: int | None = None) -> Sequence[Model]:
        asked.append(limit)
        return history(limit=limit)

    monkeypatch.setattr(training.models, "history", told)
    training.restart()
    training.step()
    assert asked
    assert None not in asked
