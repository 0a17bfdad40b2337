"""The scorecard of a loop is what folding its outcomes gives, whatever process crashed in between."""

import logging

import msgspec
import pytest
from msgspec.structs import replace

from sartor.estimators.scorecard import Scorecard
from sartor.metrics.checkpointed_fold import fold_outcomes
from sartor.metrics.scorecard import SCORECARD, ScorecardUpdater, read_scorecard
from sartor.ports import LoopStores
from sartor.testing.builders import make_loop
from sartor.testing.fakes import Clock
from sartor.testing.stores import MemoryStores
from tests.unit.evaluation.small_logs import fill, make_small_log


def fold_all(logs: LoopStores) -> Scorecard:
    """Folded from the beginning, without any checkpoint."""
    scorecard = Scorecard(revision=logs.outcomes.counts().revision)
    fold_outcomes(scorecard, SCORECARD, logs, limit=10**9)
    return scorecard


def amend(logs: LoopStores, seq: int, reward: float) -> None:
    outcome = logs.outcomes.outcomes(after=seq - 1, limit=1)[0].outcome
    logs.outcomes.amend([replace(outcome, reward=reward)])


@pytest.mark.parametrize("limit", [1, 7, 1_000])
def test_an_updater_that_dies_again_and_again_loses_nothing(limit: int) -> None:
    loop, logs, clock = make_small_log(60)
    for _ in range(3):
        updater = ScorecardUpdater(logs)
        for _ in range(5):
            updater.step(limit=limit)
        updater.save()  # what it folds from here on is lost with it
        updater.step(limit=limit)
        fill(logs, loop, clock, turns=20)
    assert read_scorecard(logs).state() == fold_all(logs).state()


def test_whoever_reads_folds_what_came_since() -> None:
    loop, logs, clock = make_small_log(30)
    ScorecardUpdater(logs).step()
    saved = logs.blobs.get(SCORECARD.name)
    assert saved is not None
    assert Scorecard.from_state(saved).last == 30
    fill(logs, loop, clock, turns=20)
    assert read_scorecard(logs).last == 50
    assert logs.blobs.get(SCORECARD.name) == saved, "reading writes nothing"


def test_a_checkpoint_is_not_written_again_for_nothing() -> None:
    _, logs, _ = make_small_log(10)
    updater = ScorecardUpdater(logs)
    assert updater.step() == 10
    logs.blobs.delete(SCORECARD.name)
    assert updater.step() == 0
    updater.save()
    assert logs.blobs.get(SCORECARD.name) is None


def test_until_amended_outcomes_are_folded_again_the_old_scorecard_stands() -> None:
    _, logs, _ = make_small_log(50)
    updater = ScorecardUpdater(logs)
    updater.step()
    before = read_scorecard(logs)
    amend(logs, 7, 0.125)
    assert updater.step(limit=20) == 20
    assert read_scorecard(logs).state() == before.state(), "the new one has not caught up"
    updater.step()
    updater.save()
    after = read_scorecard(logs)
    assert after.revision == before.revision + 1
    assert after.state() == fold_all(logs).state()
    assert after.total().online.reward != before.total().online.reward


def test_without_new_outcomes_an_amendment_is_kept_too() -> None:
    _, logs, _ = make_small_log(20)
    updater = ScorecardUpdater(logs)
    updater.step()
    amend(logs, 3, 0.5)
    updater.step()
    updater.close()
    saved = logs.blobs.get(SCORECARD.name)
    assert saved is not None
    assert Scorecard.from_state(saved).revision == 1


def test_a_checkpoint_of_a_longer_log_is_not_believed(caplog: pytest.LogCaptureFixture) -> None:
    _, longer, _ = make_small_log(40)
    updater = ScorecardUpdater(longer)
    updater.step()
    _, logs, _ = make_small_log(20)
    logs.blobs.put(SCORECARD.name, longer.blobs.get(SCORECARD.name) or b"")
    with caplog.at_level(logging.WARNING):
        assert read_scorecard(logs).last == 20
    assert "not of this log" in caplog.text


def test_a_checkpoint_of_another_log_is_not_believed() -> None:
    _, other, _ = make_small_log(20)
    updater = ScorecardUpdater(other)
    updater.step()
    clock = Clock()
    clock.advance(5)
    loop = make_loop("elsewhere")
    logs = MemoryStores(clock_us=clock).open(loop)
    fill(logs, loop, clock, turns=30, uniform=True)
    logs.blobs.put(SCORECARD.name, other.blobs.get(SCORECARD.name) or b"")
    assert read_scorecard(logs).state() == fold_all(logs).state()


def test_bytes_that_are_no_scorecard_are_folded_again() -> None:
    _, logs, _ = make_small_log(10)
    logs.blobs.put(SCORECARD.name, b"nonsense")
    assert read_scorecard(logs).state() == fold_all(logs).state()


def test_outcomes_that_are_not_learnable_are_passed_over() -> None:
    _, logs, _ = make_small_log(20)
    outcome = logs.outcomes.outcomes(after=4, limit=1)[0].outcome
    logs.outcomes.amend([replace(outcome, learnable=False)])
    scorecard = read_scorecard(logs)
    assert (scorecard.events, scorecard.last) == (19, 20)


def test_a_failing_disk_is_logged_once_and_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    loop, clock = make_loop(), Clock()
    stores = MemoryStores(clock_us=clock)
    logs = stores.open(loop)
    fill(logs, loop, clock, turns=10)
    updater = ScorecardUpdater(logs, loop_name=loop.name)
    stores.disk.failing = True
    with caplog.at_level(logging.WARNING):
        assert [updater.try_step(), updater.try_step()] == [0, 0]
    assert caplog.text.count("The scorecard of the loop 'default' is not updated") == 1
    updater.close()
    stores.disk.failing = False
    assert updater.try_step() == 10
    assert read_scorecard(logs).state() == fold_all(logs).state()


def without_model(state: bytes) -> bytes:
    """A checkpoint as it was written before there were doubly robust sums."""

    def strip(value: object) -> object:
        if isinstance(value, dict):
            new = ("reward_model", "doubly_robust", "estimates")
            return {name: strip(one) for name, one in value.items() if name not in new}
        return [strip(one) for one in value] if isinstance(value, list) else value

    return msgspec.msgpack.encode(strip(msgspec.msgpack.decode(state, strict=False)))


def test_an_old_checkpoint_stands_until_the_log_is_folded_again() -> None:
    _, logs, _ = make_small_log(120)
    updater = ScorecardUpdater(logs)
    updater.step()
    updater.save()
    old = without_model(logs.blobs.get(SCORECARD.name) or b"")
    logs.blobs.put(SCORECARD.name, old)
    before = read_scorecard(logs)
    assert (before.state(), before.lacks_model, before.events) == (old, True, 120)
    assert before.view(now_us=before.at_us).lift is None
    again = ScorecardUpdater(logs)
    again.step(limit=50)
    assert logs.blobs.get(SCORECARD.name) == old, "the new one has not caught up"
    again.step()
    again.save()
    assert read_scorecard(logs).state() == fold_all(logs).state()
    assert not read_scorecard(logs).lacks_model


def test_an_old_checkpoint_of_a_log_whose_beginning_is_gone_is_continued() -> None:
    loop, logs, clock = make_small_log(60)
    updater = ScorecardUpdater(logs)
    updater.step()
    updater.save()
    old = Scorecard.from_state(without_model(logs.blobs.get(SCORECARD.name) or b""))
    old.since = -5
    logs.blobs.put(SCORECARD.name, old.state())
    fill(logs, loop, clock, turns=200)
    continued = ScorecardUpdater(logs)
    continued.step()
    continued.save()
    card = read_scorecard(logs)
    assert card.events == 260
    lift = card.view(now_us=card.at_us).lift
    assert lift is not None
    assert lift.events == 200
