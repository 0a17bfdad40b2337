"""Events of one turn of the event loop are committed together, and acknowledged only then."""

import asyncio
from collections.abc import Sequence

import pytest

from sartor.errors import Overloaded, StoreUnavailable
from sartor.log.writer import Writer
from sartor.records import Decision, Observation
from sartor.testing.builders import make_decision, make_loop
from sartor.testing.events import MemoryEvents
from sartor.testing.stores import MemoryStores


class Groups(MemoryEvents):
    """An event log in memory that remembers what was committed together."""

    def __init__(self, stores: MemoryStores) -> None:
        super().__init__(clock_us=lambda: 0, disk=stores.disk)
        self.groups: list[int] = []

    def append(self, events: Sequence[Decision | Observation], /) -> None:
        super().append(events)
        self.groups.append(len(events))


def stored(events: MemoryEvents) -> list[str]:
    return [head.event_id for head in events.heads(after=0, limit=100)]


def test_what_comes_in_one_turn_is_one_commit() -> None:
    async def run() -> None:
        events = Groups(MemoryStores())
        writer = Writer(events, limit=10)
        await asyncio.gather(*(writer.append(make_decision(f"e{n}")) for n in range(3)))
        await writer.append(Observation(event_id="e0", reward=1.0))
        assert events.groups == [3, 1]
        assert stored(events) == ["e0", "e1", "e2"]

    asyncio.run(run())


def test_requests_of_other_tasks_in_the_same_turn_share_the_commit() -> None:
    async def run() -> None:
        events = Groups(MemoryStores())
        writer = Writer(events, limit=10)

        async def request(number: int) -> None:
            await writer.append(make_decision(f"e{number}"))

        await asyncio.gather(*(request(number) for number in range(5)))
        assert events.groups == [5]

    asyncio.run(run())


def test_an_event_is_not_acknowledged_before_it_is_stored() -> None:
    async def run() -> None:
        events = Groups(MemoryStores())
        future = Writer(events, limit=10).append(make_decision("e"))
        assert (future.done(), stored(events)) == (False, [])
        await future
        assert stored(events) == ["e"]

    asyncio.run(run())


def test_when_the_store_fails_everyone_in_the_group_hears_of_it_and_nothing_stays() -> None:
    async def run() -> None:
        stores = MemoryStores()
        events = Groups(stores)
        writer = Writer(events, limit=2)
        stores.disk.failing = True
        group = [writer.append(make_decision(f"e{n}")) for n in range(2)]
        answers = await asyncio.gather(*group, return_exceptions=True)
        assert [str(answer) for answer in answers] == ["The disk is full, as a test asked."] * 2
        assert all(isinstance(answer, StoreUnavailable) for answer in answers)
        assert answers[0] is not answers[1]
        assert (writer.healthy, str(writer.last_error)) == (False, "The disk is full, as a test asked.")
        stores.disk.failing = False
        await asyncio.gather(*(writer.append(make_decision(f"later{n}")) for n in range(2)))
        assert writer.healthy
        assert stored(events) == ["later0", "later1"]

    asyncio.run(run())


def test_what_does_not_fit_is_refused_at_once_and_the_rest_is_stored() -> None:
    async def run() -> None:
        events = Groups(MemoryStores())
        writer = Writer(events, limit=2)
        taken = [writer.append(make_decision(f"e{n}")) for n in range(2)]
        with pytest.raises(Overloaded):
            writer.append(make_decision("too many"))
        await asyncio.gather(*taken)
        await writer.append(make_decision("later"))
        assert stored(events) == ["e0", "e1", "later"]

    asyncio.run(run())


def test_a_request_that_was_given_up_does_not_disturb_the_others() -> None:
    async def run() -> None:
        stores = MemoryStores()
        events = Groups(stores)
        writer = Writer(events, limit=9)
        given_up, kept = writer.append(make_decision("a")), writer.append(make_decision("b"))
        given_up.cancel()
        await kept
        assert stored(events) == ["a", "b"]
        stores.disk.failing = True
        given_up, kept = writer.append(make_decision("c")), writer.append(make_decision("d"))
        given_up.cancel()
        with pytest.raises(StoreUnavailable):
            await kept

    asyncio.run(run())


def test_at_shutdown_what_waits_is_stored_at_once() -> None:
    async def run() -> None:
        events = Groups(MemoryStores())
        writer = Writer(events, limit=9)
        future = writer.append(make_decision("e"))
        writer.flush_now()
        assert future.done()
        await asyncio.sleep(0)
        writer.flush_now()
        assert events.groups == [1]

    asyncio.run(run())


class Broken(Groups):
    """A store with a defect of its own."""

    def append(self, events: Sequence[Decision | Observation], /) -> None:
        raise ZeroDivisionError


def test_a_defect_of_the_store_leaves_nobody_waiting_and_is_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def run() -> None:
        reported: list[object] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: reported.append(context["exception"]))
        writer = Writer(Broken(MemoryStores()), limit=9)
        for _ in range(3):
            with pytest.raises(StoreUnavailable):
                await writer.append(make_decision("e"))
        assert isinstance(writer.last_error, ZeroDivisionError)
        assert reported == []

    asyncio.run(run())
    assert [record.exc_info is not None for record in caplog.records] == [True]


def test_there_is_no_error_before_the_first_commit() -> None:
    writer = Writer(MemoryStores().open(make_loop()).events, limit=1)
    assert writer.healthy
    assert writer.last_error is None


def test_events_that_belong_together_are_taken_all_or_not_at_all() -> None:
    async def run() -> None:
        events = Groups(MemoryStores())
        writer = Writer(events, limit=3)
        together = [make_decision("e0"), make_decision("e1")]
        first = writer.append_together(together)
        with pytest.raises(Overloaded):
            writer.append_together([make_decision("e2"), make_decision("e3")])
        await asyncio.gather(first, writer.append(make_decision("e4")))
        assert events.groups == [3]
        assert stored(events) == ["e0", "e1", "e4"]

    asyncio.run(run())
