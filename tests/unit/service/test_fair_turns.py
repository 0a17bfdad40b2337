"""Loops are served by time, in pieces: however much one has to do, the others have their turns."""

import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from sartor.management import loops
from sartor.ports import Loop, LoopStores
from sartor.records import DecisionHeader, LoggedObservation, LoggedOutcome, Observation
from sartor.runtime import compose
from sartor.service import loop_learner
from sartor.service.learn_process import LearnProcess
from sartor.service.loop_learner import COUNTED, ROWS, VISIT_S
from sartor.stores.stores import SqliteStores, open_stores
from sartor.testing.builders import make_decision
from sartor.testing.stores import MemoryStores

FACTORY = compose.engine_factory()


class Work:
    """A pipeline that never ends, in a time of its own: what each piece takes is set by the test."""

    def __init__(self, piece_s: dict[str, float]) -> None:
        self.piece_s = piece_s
        self.now_s = 0.0
        self.done: list[str] = []
        self.caught_up = False
        self.has_worked = True
        self.watched = ()

    def step(self, loop: Loop) -> bool:
        self.now_s += self.piece_s[loop.name]
        self.done.append(loop.name)
        return True

    def mark(self) -> object:
        return object()

    def close(self) -> None:
        pass


def learn(monkeypatch: pytest.MonkeyPatch, work: Work) -> LearnProcess:
    stores = MemoryStores()
    for name in work.piece_s:
        loops.create_loop(stores, name)
    monkeypatch.setattr(loop_learner, "_LoopPipeline", lambda *_: work)
    return LearnProcess(stores, FACTORY, clock_s=lambda: work.now_s)


def runs(done: Sequence[str], name: str) -> list[int]:
    """How many pieces of a loop were done between two visits of the others."""
    found, length = [], 0
    for one in done:
        if one == name:
            length += 1
        elif length:
            found.append(length)
            length = 0
    return found


def run(learner: LearnProcess, work: Work, *, until_s: float) -> None:
    while work.now_s < until_s:
        work.now_s += learner.run_once()


@pytest.mark.parametrize("heavy", ["a-heavy", "z-heavy"])
def test_between_two_visits_of_a_neighbour_a_loop_has_one_visit(
    monkeypatch: pytest.MonkeyPatch, heavy: str
) -> None:
    work = Work({heavy: VISIT_S / 4.5, "neighbour": VISIT_S / 100})
    run(learn(monkeypatch, work), work, until_s=3)
    assert len(runs(work.done, heavy)) > 20
    assert max(runs(work.done, heavy)) <= 5


def test_a_loop_whose_pieces_are_long_gets_no_more_time_than_its_neighbour(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    work = Work({"heavy": 0.5, "neighbour": VISIT_S / 3})
    run(learn(monkeypatch, work), work, until_s=60)
    heavy_s, neighbour_s = (work.done.count(name) * work.piece_s[name] for name in work.piece_s)
    assert heavy_s == pytest.approx(neighbour_s, rel=0.1)
    assert max(runs(work.done, "heavy")) == 1


def test_a_loop_that_is_alone_does_not_wait_for_what_it_owes(monkeypatch: pytest.MonkeyPatch) -> None:
    work = Work({"heavy": 0.5})
    run(learn(monkeypatch, work), work, until_s=60)
    assert work.done.count("heavy") >= 118


class Readings:
    """How many rows each read of a log returned."""

    def __init__(self, logs: LoopStores, monkeypatch: pytest.MonkeyPatch) -> None:
        self.rows: list[int] = []
        for log, name in (
            (logs.events, "heads"),
            (logs.events, "observations"),
            (logs.outcomes, "outcomes"),
        ):
            self._spy(log, name, monkeypatch)

    def _spy(self, log: object, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        read = getattr(log, name)

        def spying(*, after: int, limit: int) -> Sequence[DecisionHeader | LoggedObservation | LoggedOutcome]:
            found: Sequence[DecisionHeader] = read(after=after, limit=limit)
            self.rows.append(len(found))
            return found

        monkeypatch.setattr(log, name, spying)


class Pieces:
    """A pipeline whose pieces are done one by one, and how many rows each of them read."""

    def __init__(self, stores: SqliteStores, loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
        self._loop = loop
        self._pipeline = loop_learner._LoopPipeline(stores, FACTORY, loop)
        self._readings = Readings(self._pipeline._logs, monkeypatch)
        self.rows: list[int] = []

    def run(self) -> None:
        """Do all pieces."""
        self._pipeline.caught_up = False
        while not self._pipeline.caught_up:
            self._readings.rows.clear()
            self._pipeline.step(self._loop)
            self.rows.append(sum(self._readings.rows))

    def close(self) -> None:
        self._pipeline.close()


A_PIECE = 4 * ROWS + 10 * COUNTED
"""As many rows as a piece may read: a page of each kind, and a few look-ups."""


@pytest.fixture
def stores(tmp_path: Path) -> SqliteStores:
    return open_stores(tmp_path)


def fill(stores: SqliteStores, loop: Loop, count: int, *, rewarded: bool) -> None:
    logs = stores.open(loop)
    for number in range(0, count, 1_000):
        ids = [f"event-{number + place}" for place in range(1_000)]
        logs.events.append([make_decision(event_id, actions=2) for event_id in ids])
        if rewarded:
            logs.events.append([Observation(event_id=event_id, reward=1.0) for event_id in ids])
    logs.close()


def test_pending_decisions_are_read_in_pieces_at_the_start(
    stores: SqliteStores, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = loops.create_loop(stores, "heavy")
    fill(stores, loop, 12_000, rewarded=False)
    pieces = Pieces(stores, loop, monkeypatch)
    pieces.run()
    assert len(pieces.rows) >= 12
    assert max(pieces.rows) <= A_PIECE
    pieces.close()


def test_settled_decisions_that_are_still_open_are_read_in_pieces_at_the_start(
    stores: SqliteStores, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = loops.create_loop(stores, "heavy")
    fill(stores, loop, 12_000, rewarded=True)
    first = Pieces(stores, loop, monkeypatch)
    first.run()
    first.close()
    again = Pieces(stores, loop, monkeypatch)
    again.run()
    logs = stores.open(loop)
    assert logs.outcomes.counts().outcomes == 12_000
    assert logs.outcomes.counts().cursor.decisions == 0, "all windows are open, and are read again"
    assert max(first.rows + again.rows) <= A_PIECE
    logs.close()
    again.close()


def test_outcomes_are_settled_again_in_pieces(stores: SqliteStores, monkeypatch: pytest.MonkeyPatch) -> None:
    loop = loops.create_loop(stores, "heavy")
    fill(stores, loop, 6_000, rewarded=True)
    pieces = Pieces(stores, loop, monkeypatch)
    pieces.run()
    changed = loops.change_settings(stores, "heavy", {"rewardAggregation": "sum"})
    pieces._loop = changed
    pieces.rows.clear()
    pieces.run()
    logs = stores.open(changed)
    assert logs.outcomes.counts().revision > 0
    assert max(pieces.rows) <= A_PIECE
    logs.close()
    pieces.close()


def learned(stores: SqliteStores, loop: Loop) -> int:
    logs = stores.open(loop)
    live = logs.models.live()
    logs.close()
    return 0 if live is None else live.learned


def test_a_neighbour_learns_while_a_backlog_is_read(stores: SqliteStores) -> None:
    heavy, neighbour = (loops.create_loop(stores, name) for name in ("a-heavy", "neighbour"))
    fill(stores, heavy, 20_000, rewarded=False)
    logs = stores.open(neighbour)
    logs.events.append([make_decision("event"), Observation(event_id="event", reward=1.0)])
    logs.close()
    learner = LearnProcess(stores, FACTORY)
    rounds = 0
    while not learned(stores, neighbour):
        learner.run_once()
        rounds += 1
        assert rounds < 200
    assert not learner._learners[heavy.loop_id]._pipeline.caught_up  # type: ignore[union-attr]
    learner.close()


def test_ten_thousand_events_with_one_id_delay_a_neighbour_by_less_than_a_second(stores: SqliteStores) -> None:
    heavy, neighbour = (loops.create_loop(stores, name) for name in ("a-heavy", "neighbour"))
    fill(stores, neighbour, 1_000, rewarded=True)
    learner = LearnProcess(stores, FACTORY)
    while not learned(stores, neighbour):
        learner.run_once()
    logs, other = stores.open(heavy), stores.open(neighbour)
    logs.events.append([make_decision("same", actions=2) for _ in range(5_000)])
    logs.events.append([Observation(event_id="same", reward=1.0) for _ in range(5_000)])
    delays = []
    for number in range(10):
        other.events.append([make_decision(f"new-{number}"), Observation(event_id=f"new-{number}", reward=1.0)])
        before, begin_s = other.outcomes.counts().outcomes, time.monotonic()
        while other.outcomes.counts().outcomes == before:
            time.sleep(learner.run_once())
        delays.append(time.monotonic() - begin_s)
    assert sorted(delays)[len(delays) // 2] < 1
    logs.close()
    other.close()
    learner.close()
