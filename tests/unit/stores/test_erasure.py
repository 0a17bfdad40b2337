"""Erased values are in no file any more, searched byte by byte."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from sartor.errors import StoreUnavailable
from sartor.ports import Loop
from sartor.records import Action, Cursor, Decision, JoinedObservation, Observation, Settlement
from sartor.stores import erasure
from sartor.stores.connection import SqliteConnection
from sartor.stores.stores import SqliteLoopStores, SqliteStores
from sartor.testing.builders import make_decision, make_outcome

ERASED = range(3, 400, 7)
MARK = b"mark-of-"


def marked(number: int) -> Decision:
    """A decision whose id and features name its number; some are larger than a page."""
    mark = b'[{"user":"mark-of-%d","more":"%b"}]' % (number, b"x" * (5_000 if number % 3 == 0 else 50))
    actions = tuple(Action(f"action-{place}", mark) for place in range(3))
    return replace(make_decision(f"mark-of-{number}-id"), context=mark, actions=actions)


def fill(opened: SqliteLoopStores) -> None:
    numbers = range(1, 401)
    for number in numbers:
        opened.events.append([marked(number), Observation(event_id=f"mark-of-{number}-id", reward=1.0)])
    outcomes = tuple(
        replace(make_outcome(number, f"mark-of-{number}-id"), joined=(JoinedObservation(number, 1, 1.0),))
        for number in numbers
    )
    opened.outcomes.record(Settlement(outcomes=outcomes, unmatched=(), cursor=Cursor(400, 400)))


def found(folder: Path, number: int) -> list[str]:
    """The files in which the mark of this number is."""
    needles = (b"mark-of-%d-" % number, b"mark-of-%d\x22" % number)
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path.name for path in files if any(needle in path.read_bytes() for needle in needles)]


@pytest.mark.parametrize("tidied", [True, False], ids=["from the database", "from the write-ahead log"])
def test_no_byte_of_it_is_left(
    tmp_path: Path, stores: SqliteStores, loop: Loop, opened: SqliteLoopStores, tidied: bool
) -> None:
    fill(opened)
    if tidied:
        stores.maintain(loop)
    assert found(tmp_path, 3)
    assert not stores.erase(loop, decisions=ERASED)
    opened.close()
    assert {number: found(tmp_path, number) for number in ERASED if found(tmp_path, number)} == {}
    kept = [number for number in range(1, 401) if number not in ERASED]
    assert all("events.sqlite" in found(tmp_path, number) for number in kept[:20])
    assert all("outcomes.sqlite" in found(tmp_path, number) for number in kept[:20])


def test_the_others_are_as_they_were(stores: SqliteStores, loop: Loop, opened: SqliteLoopStores) -> None:
    fill(opened)
    stores.erase(loop, decisions=ERASED)
    for logged in opened.events.decisions(after=0, limit=1_000):
        expected = "" if logged.seq in ERASED else f"mark-of-{logged.seq}-id"
        assert logged.decision.event_id == expected
        if expected:
            assert logged.decision == marked(logged.seq)
    learnable = {o.seq for o in opened.outcomes.outcomes(after=0, limit=1_000) if o.outcome.learnable}
    assert learnable == set(range(1, 401)) - set(ERASED)
    assert len(opened.outcomes.outcomes_of("mark-of-4-id")) == 1


def test_while_a_reader_keeps_old_pages_it_is_not_said_to_be_done(
    tmp_path: Path,
    stores: SqliteStores,
    loop: Loop,
    opened: SqliteLoopStores,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fill(opened)
    monkeypatch.setattr(erasure, "BUSY_S", 0.05)
    path = tmp_path / "loops" / loop.name / "events.sqlite"
    reader = SqliteConnection(path, "events", owner=loop.loop_id)
    with reader.transaction() as raw:
        raw.execute("COMMIT")
        raw.execute("BEGIN")
        raw.execute("SELECT count(*) FROM decisions").fetchall()
        with pytest.raises(StoreUnavailable, match="try again"):
            stores.erase(loop, decisions=[3])
    reader.close()
    assert not stores.erase(loop, decisions=[3])
    opened.close()
    assert not found(tmp_path, 3)
