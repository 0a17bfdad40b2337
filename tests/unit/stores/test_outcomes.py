"""Looking up the outcomes of an event, across the segments of the index."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sartor.records import Cursor, Outcome, Settlement
from sartor.stores import outcomes as outcomes_module
from sartor.stores.connection import SqliteConnection
from sartor.stores.outcomes import SqliteOutcomes
from sartor.testing.builders import make_outcome

SEGMENT = 65_536


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[SqliteConnection]:
    connection = SqliteConnection(tmp_path / "outcomes.sqlite", "outcomes", owner="loop")
    yield connection
    connection.close()


def record(connection: SqliteConnection, outcome: Outcome, *, seq: int) -> None:
    SqliteOutcomes(connection).record(Settlement(outcomes=(outcome,), unmatched=(), cursor=Cursor()))
    with connection.transaction() as raw:
        raw.execute("UPDATE outcomes SET seq = ? WHERE decision_seq = ?", (seq, outcome.decision_seq))


def test_an_event_is_found_in_every_segment(connection: SqliteConnection) -> None:
    numbers = [1, SEGMENT - 1, SEGMENT, 3 * SEGMENT + 5, 4 * SEGMENT]
    for decision, seq in enumerate(numbers, start=1):
        record(connection, make_outcome(decision, "same"), seq=seq)
    found = SqliteOutcomes(connection).outcomes_of("same")
    assert [(logged.seq, logged.outcome.decision_seq) for logged in found] == list(
        zip(numbers, range(1, 6), strict=True)
    )
    assert not SqliteOutcomes(connection).outcomes_of("other")


def test_events_that_share_a_key_are_told_apart(
    connection: SqliteConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outcomes_module, "event_key", lambda _: 7)
    record(connection, make_outcome(1, "a"), seq=1)
    record(connection, make_outcome(2, "b"), seq=2)
    assert [logged.seq for logged in SqliteOutcomes(connection).outcomes_of("b")] == [2]


@pytest.mark.parametrize("event_id", ["", "a", "é" * 256, "\ud800"])
def test_a_key_fits_an_integer_of_the_database(event_id: str) -> None:
    assert -(2**63) <= outcomes_module.event_key(event_id) < 2**63
