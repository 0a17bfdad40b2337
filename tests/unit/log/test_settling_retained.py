"""Settling goes on from a log that lost its beginning, after a crash too."""

from collections.abc import Sequence

import pytest

from sartor.log import settler as settler_module
from sartor.log.settler import Settler
from sartor.records import LoggedOutcome, Observation
from sartor.settings import LoopSettings
from sartor.testing.builders import make_decision, make_loop
from sartor.testing.fakes import Clock
from sartor.testing.stores import MemoryStores

LOOP = make_loop()
SETTINGS = LoopSettings()


class Readings:
    """What was read of an outcome log."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, log: object) -> None:
        self.numbers: list[int] = []
        self._read = log.outcomes  # type: ignore[attr-defined]
        monkeypatch.setattr(log, "outcomes", self)

    def __call__(self, *, after: int, limit: int) -> Sequence[LoggedOutcome]:
        found: Sequence[LoggedOutcome] = self._read(after=after, limit=limit)
        self.numbers += [logged.seq for logged in found]
        return found


def test_a_restart_reads_no_outcome_twice_and_settles_none_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settler_module, "_CHUNK", 3)
    clock = Clock()
    stores = MemoryStores(clock_us=clock)
    log = stores.open(LOOP)
    settler = Settler(log.events, log.outcomes)
    for number in range(1, 31):
        rewarded = number not in (11, 12)
        log.events.append([make_decision(f"event-{number}")])
        log.events.append([Observation(event_id=f"event-{number}", reward=1.0)] if rewarded else [])
        settler.step(SETTINGS, settings_version=1)
        clock.advance(601 if number <= 10 else 1)
        settler.step(SETTINGS, settings_version=1)
    assert stores.apply_retention(LOOP, before_us=clock.now_us - 60_000_000) > 0
    before = log.outcomes.counts()
    assert before.first_outcome > 5
    readings = Readings(monkeypatch, log.outcomes)
    again = Settler(log.events, log.outcomes)
    assert again.step(SETTINGS, settings_version=1) == 0
    assert len(readings.numbers) == len(set(readings.numbers))
    assert min(readings.numbers) >= before.first_outcome
    clock.advance(601)
    assert again.step(SETTINGS, settings_version=1) == 2
    settled = [logged.outcome.decision_seq for logged in log.outcomes.outcomes(after=0, limit=100)]
    assert sorted(settled)[-20:] == list(range(11, 31))
    assert before.cursor.decisions < log.outcomes.counts().cursor.decisions
