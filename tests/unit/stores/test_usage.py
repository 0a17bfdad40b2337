"""Days are counted once, whichever process counts."""

import pytest

from sartor.records import Observation, Usage
from sartor.stores import usage
from sartor.stores.connection import SqliteConnection
from sartor.stores.stores import SqliteLoopStores
from sartor.testing.builders import make_decision
from sartor.testing.fakes import Clock

DAY_US = 86_400_000_000
FIRST = 20_000


@pytest.fixture
def clock() -> Clock:
    return Clock(FIRST * DAY_US)


def play(opened: SqliteLoopStores, clock: Clock, days: int) -> list[Usage]:
    """Appends events on each day; returns the expected usage."""
    expected = []
    for day in range(days):
        clock.now_us = (FIRST + day) * DAY_US + 5
        opened.events.append([make_decision(f"event-{day}-{n}") for n in range(day + 1)])
        opened.events.append([Observation(event_id="x", reward=0.0) for _ in range(day)])
        opened.events.append([Observation(event_id="x")])
        expected.append(Usage(day_us=(FIRST + day) * DAY_US, decisions=day + 1, rewards=day))
    return expected


def reported(events: SqliteConnection) -> list[Usage]:
    return list(usage.read_usage(events, from_us=0, to_us=(FIRST + 100) * DAY_US))


def test_days_are_counted_in_batches(
    opened: SqliteLoopStores, events: SqliteConnection, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usage, "_BATCH", 4)
    expected = play(opened, clock, 7)
    assert reported(events) == expected
    usage.count_usage(events)
    assert reported(events) == expected


def test_a_long_log_is_counted_a_part_at_a_time(
    opened: SqliteLoopStores, events: SqliteConnection, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usage, "_MOST_COUNTED", 10)
    expected = play(opened, clock, 7)
    parts = 1
    while not usage.count_usage(events):
        assert reported(events) == expected
        parts += 1
    assert parts == 3, "28 ranks, 10 at a time"
    assert reported(events) == expected


def test_counting_twice_at_once_counts_once(
    opened: SqliteLoopStores, events: SqliteConnection, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = play(opened, clock, 3)
    counted = usage._read_counted

    def overtaken(connection: SqliteConnection) -> tuple[int, int]:
        found = counted(connection)
        monkeypatch.undo()
        usage.count_usage(connection)
        return found

    monkeypatch.setattr(usage, "_read_counted", overtaken)
    usage.count_usage(events)
    assert reported(events) == expected


def test_what_was_counted_is_not_read_again(
    opened: SqliteLoopStores, events: SqliteConnection, clock: Clock
) -> None:
    expected = play(opened, clock, 3)
    usage.count_usage(events)
    with events.transaction() as raw:
        raw.execute("UPDATE observations SET reward = NULL")
        raw.execute("UPDATE decisions SET at_us = 0")
    assert reported(events) == expected


def test_numbers_that_a_power_cut_took_count_as_usage(
    opened: SqliteLoopStores, events: SqliteConnection, clock: Clock
) -> None:
    play(opened, clock, 3)
    with events.transaction() as raw:
        raw.execute("DELETE FROM decisions WHERE seq = 2")
    assert [day.decisions for day in reported(events)] == [1, 2, 3]
