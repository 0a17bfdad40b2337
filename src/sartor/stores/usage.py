"""Ranks and rewards of each day (UTC), kept beside the events and longer than they are.

Housekeeping adds up what came since the last time; what it has not counted yet is counted when asked for. Ranks
are counted by their numbers, which costs a few look-ups per day however many there are; observations are read,
since activations are no rewards.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence

from sartor.records import Usage
from sartor.stores.connection import SqliteConnection
from sartor.stores.schema import read_statements
from sartor.times import DAY_US

_SQL = read_statements("events")

_BATCH = 50_000

_MOST_COUNTED = 200_000
"""How many events of each kind are counted at a time, so that counting a long log holds up no other loop."""

_Days = dict[int, list[int]]


def count_usage(events: SqliteConnection, /) -> bool:
    """Adds the next events that were not counted yet to their days; whether all are counted now.

    Raises:
        StoreUnavailable: the log can't be written now; nothing is counted then.
    """
    counted, end = _read_counted(events), _read_last(events)
    if counted == end:
        return True
    last = (min(end[0], counted[0] + _MOST_COUNTED), min(end[1], counted[1] + _MOST_COUNTED))
    days = _count_rest(events, counted, last)
    with events.transaction() as raw:
        if raw.execute(_SQL["advance_counted"], (*last, *counted)).rowcount:
            raw.executemany(_SQL["add_usage"], [(day, *numbers) for day, numbers in days.items()])
    return last == end


def read_usage(events: SqliteConnection, /, *, from_us: int, to_us: int) -> Sequence[Usage]:
    """Returns the days that overlap a time range and saw an event, in order.

    Raises:
        StoreUnavailable: the log can't be read now.
    """
    first, last = from_us // DAY_US, (to_us - 1) // DAY_US
    counted = _read_counted(events)
    days = _count_rest(events, counted, _read_last(events))
    for day, decisions, rewards in events.rows(_SQL["usage"], (first, last)):
        days[day][0] += decisions
        days[day][1] += rewards
    return [
        Usage(day_us=day * DAY_US, decisions=decisions, rewards=rewards)
        for day, (decisions, rewards) in sorted(days.items())
        if first <= day <= last and (decisions or rewards)
    ]


def _read_counted(events: SqliteConnection) -> tuple[int, int]:
    decisions, observations = events.rows(_SQL["counted"])[0]
    return decisions, observations


def _read_last(events: SqliteConnection) -> tuple[int, int]:
    decisions, observations = events.rows(_SQL["last_numbers"])[0]
    return decisions, observations


def _count_rest(events: SqliteConnection, counted: tuple[int, int], last: tuple[int, int]) -> _Days:
    days: _Days = defaultdict(lambda: [0, 0])
    for day, number in _count_decisions(events, after=counted[0], last=last[0]):
        days[day][0] += number
    for day, number in _count_rewards(events, after=counted[1], last=last[1]):
        days[day][1] += number
    return days


def _count_decisions(events: SqliteConnection, *, after: int, last: int) -> Iterator[tuple[int, int]]:
    """Yields days and how many decisions they had."""

    def time_of(number: int) -> int:
        at_us: int = events.rows(_SQL["decision_time"], (number,))[0][1]
        return at_us

    while after < last:
        day = time_of(after + 1) // DAY_US
        end = after + bisect_left(range(after + 1, last + 1), (day + 1) * DAY_US, key=time_of)
        yield day, end - after
        after = end


def _count_rewards(events: SqliteConnection, *, after: int, last: int) -> Iterator[tuple[int, int]]:
    """Yields days and numbers of rewards; a day may come more than once."""
    while after < last:
        found = events.rows(_SQL["count_rewards"], (after, min(_BATCH, last - after)))
        yield from ((day, rewards) for day, rewards, _ in found)
        after = found[-1][2]
