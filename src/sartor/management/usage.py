"""Usage: ranks and rewards by loop and day (UTC). The retired service billed ranks."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta

from msgspec import Struct

from sartor.errors import InvalidRequest, SartorError
from sartor.ports import Loop, Stores
from sartor.records import Usage
from sartor.runtime.for_each_loop import LoopVisits, for_each_loop
from sartor.times import DAY_US, DAYS_READ, parse_day

_FIELDS = ("loop", "day", "ranks", "rewards")
_DAYS = 366


class UsageByDay(Struct, frozen=True, kw_only=True):
    """The usage of a loop on one day. ``ranks``: the transactions that the retired service billed."""

    loop: str
    day: date
    ranks: int
    rewards: int


def read_usage(
    stores: Stores, loops: Iterable[Loop], /, *, first: date, last: date, skip_deleted: bool = False
) -> Sequence[UsageByDay]:
    """Returns the days from ``first`` to ``last`` that had events, by loop and day.

    ``skip_deleted``: a loop that can't be read because it was deleted meanwhile is left out.

    Raises:
        InvalidRequest: the last day is before the first, or they are more than a year apart.
        StoreUnavailable: a log can't be read now.
    """
    if not 0 <= (last - first).days <= _DAYS:
        raise InvalidRequest(f"Give a first and a last day, in order, {_DAYS} days apart at most, {DAYS_READ}.")
    from_us, to_us = _to_us(first), _to_us(last) + DAY_US
    return [
        UsageByDay(loop=loop.name, day=_to_day(one.day_us), ranks=one.decisions, rewards=one.rewards)
        for loop in loops
        for one in _read_loop(stores, loop, from_us, to_us, skip_deleted=skip_deleted)
    ]


def _read_loop(stores: Stores, loop: Loop, from_us: int, to_us: int, *, skip_deleted: bool) -> Sequence[Usage]:
    try:
        return stores.usage(loop, from_us=from_us, to_us=to_us)
    except SartorError:
        if skip_deleted and stores.catalog.find_by_id(loop.loop_id) is None:
            return ()
        raise


def read_all_usage(
    stores: Stores, loops: Iterable[Loop], /, *, first: date, last: date
) -> tuple[Sequence[UsageByDay], Sequence[str]]:
    """Returns the days from ``first`` to ``last``, and a sentence for each loop that can't be read.

    Loops that are deleted meanwhile are left out.

    Raises:
        InvalidRequest: the last day is before the first, or they are more than a year apart.
    """
    ordered = list(loops)
    days: dict[str, Sequence[UsageByDay]] = {}
    reasons: dict[str, str] = {}
    visits = LoopVisits("usage_not_read", stores.catalog)

    def read(loop: Loop) -> None:
        try:
            days[loop.loop_id] = read_usage(stores, [loop], first=first, last=last)
        except SartorError as error:
            if not visits.is_gone(loop, error):
                reasons[loop.loop_id] = error.message

    read_usage(stores, (), first=first, last=last)  # refuses days that are not in order
    for_each_loop(ordered, read, visits=visits)
    reasons |= visits.failures  # unforeseen errors, which are logged with their tracebacks
    problems = [
        f"The usage of the loop {loop.name!r} can't be read: {reasons[loop.loop_id]}"
        for loop in ordered
        if loop.loop_id in reasons
    ]
    return [day for loop in ordered for day in days.get(loop.loop_id, ())], problems


def format_csv(days: Sequence[UsageByDay], /) -> str:
    """Formats the days as CSV with a header."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(_FIELDS)
    writer.writerows((one.loop, one.day.isoformat(), one.ranks, one.rewards) for one in days)
    return text.getvalue()


def parse_days(first: str | None, last: str | None, /, *, today: date) -> tuple[date, date]:
    """Parses the first and the last day; by default the first of the month and today.

    Raises:
        InvalidRequest: one is not an ISO date, or out of range.
    """
    end = _parse_day(last) if last else today
    return (_parse_day(first) if first else min(end, today).replace(day=1)), end


def today() -> date:
    """Returns the current day, UTC."""
    return datetime.now(UTC).date()


def _parse_day(text: str) -> date:
    try:
        return parse_day(text)
    except ValueError as error:
        raise InvalidRequest(f"{error}.") from error


def _to_us(day: date) -> int:
    return (day - date(1970, 1, 1)).days * DAY_US


def _to_day(at_us: int) -> date:
    return date(1970, 1, 1) + timedelta(days=at_us // DAY_US)
