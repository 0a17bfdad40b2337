"""With what training begins: generations, imported models, revisions of the log, logs without a beginning."""

import logging
from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from sartor.errors import ModelNotFound
from sartor.learn.trainer import replay, replay_gap
from sartor.learn.vw import create_engine
from sartor.records import Model
from sartor.settings import AZURE_ARGUMENTS
from tests.unit.learn.bench import REQUESTS, Bench
from tests.unit.learn.samples import answers, lines


@pytest.fixture
def bench() -> Bench:
    return Bench()


def trained(bench: Bench, count: int = 10) -> Model:
    """Settle some more, learn it and publish."""
    bench.settle(count)
    bench.clock.advance(60)
    bench.step()
    return bench.newest


def test_a_reset_learns_only_what_comes_after_it(bench: Bench) -> None:
    old = trained(bench)
    bench.reset()
    assert bench.step() == 0
    assert bench.models.live() is None
    new = trained(bench, 5)
    assert (new.generation, new.first_outcome, new.last_outcome, new.learned) == (2, 11, 15, 5)
    assert (new.parent_id, new.base_id) == (None, None)
    assert bench.models.live() == new != old
    bench.assert_newest_equals_a_replay()


@pytest.mark.parametrize("published", [True, False], ids=["after publishing", "before publishing"])
def test_a_reset_outlives_a_crash(bench: Bench, published: bool) -> None:
    trained(bench)
    bench.reset()
    if published:
        trained(bench, 5)
    bench.restart()
    trained(bench, 5)
    assert bench.newest.first_outcome == 11
    assert bench.newest.learned == (10 if published else 5)
    bench.assert_newest_equals_a_replay()


def test_a_reset_of_a_loop_without_models_learns_what_comes_after_it(bench: Bench) -> None:
    bench.settle(10)
    bench.reset()
    trained(bench, 3)
    assert (bench.newest.first_outcome, bench.newest.learned) == (11, 3)


def test_new_learning_settings_do_not_reach_behind_a_reset(bench: Bench) -> None:
    trained(bench)
    bench.reset()
    trained(bench, 5)
    bench.change(arguments=AZURE_ARGUMENTS, model_retrain_days=30)
    bench.step()
    assert (bench.newest.arguments, bench.newest.first_outcome, bench.newest.learned) == (
        AZURE_ARGUMENTS,
        11,
        5,
    )


def test_a_generation_without_a_beginning_learns_the_last_days_again(bench: Bench) -> None:
    old = trained(bench)
    bench.clock.advance(3 * 86_400)
    bench.settle(4)
    bench.loop = replace(bench.loop, generation=2)
    assert bench.step(limit=2) == 2
    assert bench.models.live() == old
    bench.step()
    assert (bench.newest.generation, bench.newest.first_outcome, bench.newest.learned) == (2, 11, 4)
    assert bench.models.live() == bench.newest
    bench.assert_newest_equals_a_replay()


def test_a_generation_that_learns_nothing_again_begins_with_the_next_outcome(bench: Bench) -> None:
    trained(bench)
    bench.change(model_retrain_days=0)
    bench.loop = replace(bench.loop, generation=2)
    bench.step()
    trained(bench, 3)
    assert (bench.newest.first_outcome, bench.newest.learned) == (11, 3)


def test_what_was_published_while_a_reset_was_made_is_taken_back(bench: Bench) -> None:
    trained(bench)
    bench.settle(10)
    before = bench.loop
    bench.reset()
    bench.loop, after = before, bench.loop
    bench.clock.advance(60)
    assert bench.step() == 10  # it has not heard of the reset
    assert bench.models.live() == bench.newest
    bench.loop = after
    bench.step()
    assert bench.models.live() is None


def test_what_was_published_while_a_model_was_imported_is_taken_back(bench: Bench) -> None:
    trained(bench)
    before = bench.loop
    imported = bench.bring_in(taught(bench, 100))
    bench.loop, after = before, bench.loop
    stale = trained(bench)
    assert bench.models.live() == stale != imported
    bench.loop = after
    bench.step()
    live = bench.models.live()
    assert live is not None
    assert (live.generation, live.base_id) == (2, imported.model_id)


def test_a_rollback_to_an_earlier_generation_stands(bench: Bench) -> None:
    old = trained(bench)
    bench.reset()
    trained(bench, 5)
    bench.models.promote(old.model_id)
    bench.change(model_auto_publish=False)
    bench.restart()
    trained(bench, 5)
    assert bench.models.live() == old


def taught(bench: Bench, first: int, *, count: int = 30) -> bytes:
    """The bytes of an engine that learned elsewhere."""
    elsewhere = create_engine(bench.loop.arguments)
    for line in lines(first, first + count):
        elsewhere.learn(line)
    return elsewhere.dump()


def test_training_goes_on_from_an_imported_model(bench: Bench) -> None:
    trained(bench)
    imported = bench.bring_in(taught(bench, 100))
    assert bench.step() == 0
    new = trained(bench, 5)
    assert (new.generation, new.base_id, new.parent_id) == (2, imported.model_id, imported.model_id)
    assert (new.first_outcome, new.last_outcome, new.learned) == (11, 15, 5)
    bench.assert_newest_equals_a_replay()
    bench.restart()
    newer = trained(bench, 5)
    assert (newer.base_id, newer.parent_id, newer.learned) == (imported.model_id, new.model_id, 10)
    bench.assert_newest_equals_a_replay()


def test_an_imported_model_counts_in_what_is_learned(bench: Bench) -> None:
    bench.bring_in(taught(bench, 100))
    trained(bench, 5)
    again = create_engine(bench.loop.arguments, taught(bench, 100))
    for line in bench.lines():
        again.learn(line)
    stored = create_engine(bench.newest.arguments, bench.models.blob(bench.newest.model_id))
    assert answers(stored, REQUESTS) == answers(again, REQUESTS)
    assert answers(stored, REQUESTS) != answers(create_engine(bench.loop.arguments), REQUESTS)


def test_a_lineage_whose_models_are_lost_begins_again_with_its_base(bench: Bench) -> None:
    imported = bench.bring_in(taught(bench, 100))
    lost = trained(bench, 5)
    bench.models._blobs[lost.model_id] = b"junk"
    bench.models._blobs.pop(lost.model_id)
    bench.restart()
    trained(bench, 5)
    assert (bench.newest.base_id, bench.newest.learned) == (imported.model_id, 10)
    bench.assert_newest_equals_a_replay()


def test_a_lost_base_is_told_and_done_without(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    imported = bench.bring_in(taught(bench, 100))
    lost = trained(bench, 5)
    for model in (imported, lost):
        bench.models._blobs.pop(model.model_id)
    bench.restart()
    with caplog.at_level(logging.WARNING):
        trained(bench, 5)
    assert f"Model {imported.model_id} can't be resumed" in caplog.text
    assert (bench.newest.base_id, bench.newest.learned) == (None, 10)
    bench.assert_newest_equals_a_replay()
    with pytest.raises(ModelNotFound):
        replay(
            lost,
            events=bench.log.events,
            outcomes=bench.log.outcomes,
            models=bench.models,
            factory=create_engine,
        )


def test_an_amended_log_is_learned_again_from_the_same_beginning(bench: Bench) -> None:
    old = trained(bench)
    bench.amend(3, reward=-1.0)
    assert replay_gap(old, bench.log.outcomes.counts()) == "it learned revision 0 of the log, which is at 1"
    assert bench.step(limit=4) == 4
    assert bench.models.live() == old
    bench.step()
    new = bench.newest
    assert (new.revision, new.first_outcome, new.learned, new.parent_id) == (1, 1, 10, None)
    assert bench.models.live() == new
    assert replay_gap(new, bench.log.outcomes.counts()) is None
    bench.assert_newest_equals_a_replay()


def test_what_is_amended_while_it_is_learned_again_is_learned_again(bench: Bench) -> None:
    trained(bench)
    bench.amend(3, reward=-1.0)
    bench.step(limit=4)
    bench.amend(1, learnable=False)
    bench.step()
    assert (bench.newest.revision, bench.newest.learned) == (2, 9)
    bench.assert_newest_equals_a_replay()


def test_an_amended_log_is_learned_again_on_the_imported_model(bench: Bench) -> None:
    imported = bench.bring_in(taught(bench, 100))
    trained(bench, 5)
    bench.amend(2, reward=0.9)
    bench.step()
    assert (bench.newest.base_id, bench.newest.revision) == (imported.model_id, 1)
    bench.assert_newest_equals_a_replay()


def test_a_lineage_whose_beginning_is_gone_goes_on_and_can_not_be_replayed(bench: Bench) -> None:
    trained(bench)
    bench.forget(4)
    new = trained(bench, 5)
    assert (new.first_outcome, new.last_outcome, new.learned) == (1, 15, 15)
    assert replay_gap(new, bench.log.outcomes.counts()) == "the log begins with outcome 5, the model with 1"


def test_what_begins_anew_begins_with_what_is_kept(bench: Bench) -> None:
    trained(bench)
    bench.forget(4)
    bench.amend(7, reward=1.0)
    bench.step()
    assert (bench.newest.first_outcome, bench.newest.learned) == (5, 6)
    bench.assert_newest_equals_a_replay()
    bench.change(arguments=AZURE_ARGUMENTS, model_retrain_days=30)
    bench.step()
    assert (bench.newest.first_outcome, bench.newest.learned) == (5, 6)
    bench.assert_newest_equals_a_replay()


def test_a_first_model_of_a_log_without_beginning_says_so(bench: Bench) -> None:
    bench.settle(10)
    bench.forget(4)
    bench.step()
    assert (bench.newest.first_outcome, bench.newest.learned) == (5, 6)
    bench.assert_newest_equals_a_replay()


def test_a_model_that_learned_nothing_can_always_be_replayed(bench: Bench) -> None:
    trained(bench)
    imported = bench.bring_in(taught(bench, 100))
    bench.forget(4)
    bench.amend(7, reward=1.0)
    assert replay_gap(imported, bench.log.outcomes.counts()) is None


def test_a_long_history_costs_no_more_than_a_short_one(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    trained(bench)
    asked: list[int | None] = []
    history = bench.models.history

    def told(*, limit: int | None = None) -> Sequence[Model]:
        asked.append(limit)
        return history(limit=limit)

    monkeypatch.setattr(bench.models, "history", told)
    bench.restart()
    bench.step()
    assert asked
    assert None not in asked
