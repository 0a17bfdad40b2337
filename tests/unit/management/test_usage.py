"""What was used, by loop and day, for people and for spreadsheets."""

from collections.abc import Sequence
from datetime import date, timedelta

import pytest

from sartor.errors import InvalidRequest, StoreUnavailable
from sartor.management import usage
from sartor.management.usage import UsageByDay
from sartor.ports import Loop
from sartor.records import Observation, Usage
from sartor.testing.builders import make_decision, make_loop
from sartor.testing.fakes import Clock
from sartor.testing.stores import MemoryStores

FIRST = date(2026, 2, 27)


def test_by_loop_and_day() -> None:
    clock = Clock((FIRST - date(1970, 1, 1)).days * 86_400_000_000)
    stores = MemoryStores(clock_us=clock)
    loops = [make_loop("a"), make_loop("b", loop_id="b")]
    for loop in loops:
        stores.catalog.create(loop)
    clock.advance(86_399)
    stores.open(loops[0]).events.append([make_decision("e"), Observation(event_id="e", reward=1.0)])
    clock.advance(1)
    stores.open(loops[0]).events.append([make_decision("e2")])
    stores.open(loops[1]).events.append([Observation(event_id="e", reward=1.0), Observation(event_id="e")])
    day = FIRST + timedelta(days=1)
    assert list(usage.read_usage(stores, loops, first=FIRST, last=day)) == [
        UsageByDay(loop="a", day=FIRST, ranks=1, rewards=1),
        UsageByDay(loop="a", day=day, ranks=1, rewards=0),
        UsageByDay(loop="b", day=day, ranks=0, rewards=1),
    ]
    assert [one.day for one in usage.read_usage(stores, loops, first=FIRST, last=FIRST)] == [FIRST]


def test_as_csv() -> None:
    days = [UsageByDay(loop="a", day=FIRST, ranks=3, rewards=2)]
    assert usage.format_csv(days) == "loop,day,ranks,rewards\r\na,2026-02-27,3,2\r\n"


@pytest.mark.parametrize(
    ("first", "last", "meant"),
    [
        (None, None, (date(2026, 2, 1), FIRST)),
        ("2026-01-05", None, (date(2026, 1, 5), FIRST)),
        (None, "2026-01-05", (date(2026, 1, 1), date(2026, 1, 5))),
    ],
)
def test_the_days_that_are_meant(first: str | None, last: str | None, meant: tuple[date, date]) -> None:
    assert usage.parse_days(first, last, today=FIRST) == meant


def test_days_that_are_none() -> None:
    for nonsense in ("yesterday", "2026-13-01"):
        with pytest.raises(InvalidRequest):
            usage.parse_days(nonsense, None, today=FIRST)
    stores = MemoryStores()
    for last in (FIRST - timedelta(days=1), FIRST + timedelta(days=367)):
        with pytest.raises(InvalidRequest):
            usage.read_usage(stores, (), first=FIRST, last=last)


def test_a_loop_that_can_not_be_read_is_named_beside_the_others() -> None:
    class Stores(MemoryStores):
        def usage(self, loop: Loop, /, *, from_us: int, to_us: int) -> Sequence[Usage]:
            if loop.name == "a":
                raise StoreUnavailable("The folder can't be opened.")
            return [Usage(day_us=from_us, decisions=3, rewards=2)]

    stores, loops = Stores(), [make_loop("a"), make_loop("b")]
    for loop in loops:
        stores.catalog.create(loop)
    days, problems = usage.read_all_usage(stores, loops, first=FIRST, last=FIRST)
    assert [(one.loop, one.ranks) for one in days] == [("b", 3)]
    assert problems == ["The usage of the loop 'a' can't be read: The folder can't be opened."]
    stores.catalog.delete("a")
    days, problems = usage.read_all_usage(stores, loops, first=FIRST, last=FIRST)
    assert [(one.loop, one.ranks) for one in days] == [("b", 3)]
    assert problems == []


def test_a_loop_that_is_deleted_meanwhile_breaks_nothing() -> None:
    class Stores(MemoryStores):
        def usage(self, loop: Loop, /, *, from_us: int, to_us: int) -> Sequence[Usage]:
            if loop.name == "a":
                raise StoreUnavailable("The folder is gone.")
            return [Usage(day_us=from_us, decisions=3, rewards=2)]

    stores, loops = Stores(), [make_loop("a"), make_loop("b")]
    for loop in loops:
        stores.catalog.create(loop)
    with pytest.raises(StoreUnavailable):
        usage.read_usage(stores, loops, first=FIRST, last=FIRST, skip_deleted=True)
    stores.catalog.delete("a")
    found = usage.read_usage(stores, loops, first=FIRST, last=FIRST, skip_deleted=True)
    assert [one.loop for one in found] == ["b"]
