"""The scorecard of a loop is what folding its outcomes gives, whatever died in between."""

import logging

import pytest
from msgspec.structs import replace

from sartor.estimators.scorecard import Scorecard
from sartor.metrics.scorecard import NAME, ScorecardUpdater, current_scorecard, fold_outcomes
from sartor.ports import LoopStores
from sartor.testing.builders import make_loop
from sartor.testing.fakes import Clock
from sartor.testing.stores import MemoryStores
from tests.unit.evaluation.played import fill, played


def counted(logs: LoopStores) -> Scorecard:
    """Folded from the beginning, without any checkpoint."""
    card = Scorecard(revision=logs.outcomes.counts().revision)
    fold_outcomes(card, logs, limit=10**9)
    return card


def amended(logs: LoopStores, seq: int, reward: float) -> None:
    outcome = logs.outcomes.outcomes(after=seq - 1, limit=1)[0].outcome
    logs.outcomes.amend([replace(outcome, reward=reward)])


@pytest.mark.parametrize("limit", [1, 7, 1_000])
def test_a_keeper_that_dies_again_and_again_loses_nothing(limit: int) -> None:
    loop, logs, clock = played(60)
    for _ in range(3):
        keeper = ScorecardUpdater(logs)
        for _ in range(5):
            keeper.step(limit=limit)
        keeper.save()  # what it folds from here on is lost with it
        keeper.step(limit=limit)
        fill(logs, loop, clock, turns=20)
    assert current_scorecard(logs).state() == counted(logs).state()


def test_whoever_reads_folds_what_came_since() -> None:
    loop, logs, clock = played(30)
    ScorecardUpdater(logs).step()
    kept = logs.blobs.get(NAME)
    assert kept is not None
    assert Scorecard.from_state(kept).last == 30
    fill(logs, loop, clock, turns=20)
    assert current_scorecard(logs).last == 50
    assert logs.blobs.get(NAME) == kept, "reading writes nothing"


def test_a_card_is_not_written_again_for_nothing() -> None:
    _, logs, _ = played(10)
    keeper = ScorecardUpdater(logs)
    assert keeper.step() == 10
    logs.blobs.delete(NAME)
    assert keeper.step() == 0
    keeper.save()
    assert logs.blobs.get(NAME) is None


def test_amended_outcomes_are_counted_anew_and_until_then_the_old_card_stands() -> None:
    _, logs, _ = played(50)
    keeper = ScorecardUpdater(logs)
    keeper.step()
    before = current_scorecard(logs)
    amended(logs, 7, 0.125)
    assert keeper.step(limit=20) == 20
    assert current_scorecard(logs).state() == before.state(), "the new one has not caught up"
    keeper.step()
    keeper.save()
    after = current_scorecard(logs)
    assert after.revision == before.revision + 1
    assert after.state() == counted(logs).state()
    assert after.total().online.reward != before.total().online.reward


def test_without_new_outcomes_an_amendment_is_kept_too() -> None:
    _, logs, _ = played(20)
    keeper = ScorecardUpdater(logs)
    keeper.step()
    amended(logs, 3, 0.5)
    keeper.step()
    keeper.close()
    kept = logs.blobs.get(NAME)
    assert kept is not None
    assert Scorecard.from_state(kept).revision == 1


def test_a_checkpoint_of_a_longer_log_is_not_believed(caplog: pytest.LogCaptureFixture) -> None:
    _, longer, _ = played(40)
    keeper = ScorecardUpdater(longer)
    keeper.step()
    _, logs, _ = played(20)
    logs.blobs.put(NAME, longer.blobs.get(NAME) or b"")
    with caplog.at_level(logging.WARNING):
        assert current_scorecard(logs).last == 20
    assert "not of this log" in caplog.text


def test_a_checkpoint_of_another_log_is_not_believed() -> None:
    _, other, _ = played(20)
    keeper = ScorecardUpdater(other)
    keeper.step()
    clock = Clock()
    clock.advance(5)
    loop = make_loop("elsewhere")
    logs = MemoryStores(clock_us=clock).open(loop)
    fill(logs, loop, clock, turns=30, uniform=True)
    logs.blobs.put(NAME, other.blobs.get(NAME) or b"")
    assert current_scorecard(logs).state() == counted(logs).state()


def test_bytes_that_are_no_card_are_counted_again() -> None:
    _, logs, _ = played(10)
    logs.blobs.put(NAME, b"nonsense")
    assert current_scorecard(logs).state() == counted(logs).state()


def test_outcomes_that_are_not_learnable_are_passed_over() -> None:
    _, logs, _ = played(20)
    outcome = logs.outcomes.outcomes(after=4, limit=1)[0].outcome
    logs.outcomes.amend([replace(outcome, learnable=False)])
    card = current_scorecard(logs)
    assert (card.events, card.last) == (19, 20)


def test_a_failing_disk_is_told_once_and_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    loop, clock = make_loop(), Clock()
    stores = MemoryStores(clock_us=clock)
    logs = stores.open(loop)
    fill(logs, loop, clock, turns=10)
    keeper = ScorecardUpdater(logs)
    stores.disk.failing = True
    with caplog.at_level(logging.WARNING):
        assert [keeper.try_step(), keeper.try_step()] == [0, 0]
    assert caplog.text.count("The scorecard is not kept") == 1
    keeper.close()
    stores.disk.failing = False
    assert keeper.try_step() == 10
    assert current_scorecard(logs).state() == counted(logs).state()
