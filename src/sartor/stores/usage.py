"""How many ranks and rewards each day (UTC) brought, kept beside the events and longer than they are.

House-keeping adds up what came since the last time; what it has not seen yet is counted when asked. Ranks
are counted by their numbers, which costs a few look-ups a day however many there are; observations are read,
since activations are no rewards.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence

from sartor.records import Usage
from sartor.stores.connection import SqliteConnection
from sartor.stores.statements import statements
from sartor.times import DAY_US

_SQL = statements("events")

_BATCH = 50_000

_Days = dict[int, list[int]]


def count_usage(events: SqliteConnection, /) -> None:
    """Add what was not counted yet to the days.

    Raises:
        StoreUnavailable: the log can't be written now; nothing is counted then.
    """
    counted, last = _counted(events), _last(events)
    if counted == last:
        return
    days = _uncounted(events, counted, last)
    with events.transaction() as raw:
        if raw.execute(_SQL["advance_counted"], (*last, *counted)).rowcount:
            raw.executemany(_SQL["add_usage"], [(day, *numbers) for day, numbers in days.items()])


def read_usage(events: SqliteConnection, /, *, from_us: int, to_us: int) -> Sequence[Usage]:
    """The days that meet a time and saw an event, in order.

    Raises:
        StoreUnavailable: the log can't be read now.
    """
    first, last = from_us // DAY_US, (to_us - 1) // DAY_US
    counted = _counted(events)
    days = _uncounted(events, counted, _last(events))
    for day, decisions, rewards in events.rows(_SQL["usage"], (first, last)):
        days[day][0] += decisions
        days[day][1] += rewards
    return [
        Usage(day_us=day * DAY_US, decisions=decisions, rewards=rewards)
        for day, (decisions, rewards) in sorted(days.items())
        if first <= day <= last and (decisions or rewards)
    ]


def _counted(events: SqliteConnection) -> tuple[int, int]:
    decisions, observations = events.rows(_SQL["counted"])[0]
    return decisions, observations


def _last(events: SqliteConnection) -> tuple[int, int]:
    decisions, observations = events.rows(_SQL["last_numbers"])[0]
    return decisions, observations


def _uncounted(events: SqliteConnection, counted: tuple[int, int], last: tuple[int, int]) -> _Days:
    days: _Days = defaultdict(lambda: [0, 0])
    for day, number in _decisions(events, after=counted[0], last=last[0]):
        days[day][0] += number
    for day, number in _rewards(events, after=counted[1], last=last[1]):
        days[day][1] += number
    return days


def _decisions(events: SqliteConnection, *, after: int, last: int) -> Iterator[tuple[int, int]]:
    """Days, and how many numbers they took."""

    def time_of(number: int) -> int:
        at_us: int = events.rows(_SQL["decision_time"], (number,))[0][1]
        return at_us

    while after < last:
        day = time_of(after + 1) // DAY_US
        end = after + bisect_left(range(after + 1, last + 1), (day + 1) * DAY_US, key=time_of)
        yield day, end - after
        after = end


def _rewards(events: SqliteConnection, *, after: int, last: int) -> Iterator[tuple[int, int]]:
    """Days, and some of their rewards; a day may come more than once."""
    while after < last:
        found = events.rows(_SQL["count_rewards"], (after, min(_BATCH, last - after)))
        yield from ((day, rewards) for day, rewards, _ in found)
        after = found[-1][2]
