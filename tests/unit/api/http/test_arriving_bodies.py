"""Bodies while they arrive: where they are, who has access, and that nothing stays."""

import asyncio
import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from sartor.access.asgi import Message, Receive
from sartor.api.http.arriving_bodies import ArrivingBodies
from sartor.api.http.error_responses import ClientDisconnected
from sartor.errors import PayloadTooLarge, SartorError, TooManyRequests, Unavailable
from sartor.settings import Limits

LIMITS = Limits(
    body_bytes=100,
    arriving_bytes_per_loop=250,
    arriving_bytes=400,
    spooled_bytes_per_loop=2_000,
    spooled_bytes=3_000,
)


def receiver(parts: Sequence[bytes], *, whole: bool = True) -> Receive:
    messages: Iterator[Message] = iter(
        {"type": "http.request", "body": part, "more_body": not whole or number < len(parts) - 1}
        for number, part in enumerate(parts)
    )

    async def receive() -> Message:
        return next(messages, {"type": "http.disconnect"})

    return receive


@pytest.fixture
def bodies(tmp_path: Path) -> ArrivingBodies:
    return ArrivingBodies(LIMITS, folder=tmp_path)


def is_free(bodies: ArrivingBodies) -> bool:
    return (len(bodies.memory), bodies.memory.held, len(bodies.disk), bodies.disk.held) == (0, 0, 0, 0)


@pytest.mark.parametrize("declared", [0, 1_000])
def test_a_large_body_is_in_a_file_that_nobody_else_finds(bodies: ArrivingBodies, declared: int) -> None:
    parts = [b"a" * 400, b"b" * 600]

    async def receive_it() -> None:
        async with bodies.receiving(receiver(parts), owner="x", declared=declared, most=1_000) as body:
            assert body.is_in_file
            assert body.read() == body.read() == b"".join(parts)
            assert bodies.disk.held == 1_000
            assert bodies.memory.held == 0
            assert body._file is not None
            status = os.fstat(body._file.fileno())
            assert (stat.S_IMODE(status.st_mode), status.st_nlink) == (0o600, 0)
            assert bodies.folder is not None
            assert not list(bodies.folder.iterdir())

    asyncio.run(receive_it())
    assert is_free(bodies)


def test_a_small_body_is_in_memory(bodies: ArrivingBodies) -> None:
    async def receive_it() -> None:
        async with bodies.receiving(receiver([b"a", b"b"]), owner="x", declared=2, most=1_000) as body:
            assert (body.is_in_file, body.read(), bodies.memory.held) == (False, b"ab", 2)

    asyncio.run(receive_it())
    assert is_free(bodies)


def test_a_body_of_the_data_plane_that_came_whole_is_not_counted(bodies: ArrivingBodies) -> None:
    body = b"x" * 90
    bodies.memory.take("x", 250)
    read = asyncio.run(bodies.read(receiver([body]), owner="x", declared=90, most=100))
    assert read == body
    with pytest.raises(TooManyRequests):
        asyncio.run(bodies.read(receiver([b"x", b"y"]), owner="x", declared=2, most=100))


class Failure(NamedTuple):
    parts: list[bytes]
    declared: int
    error: type[Exception]
    whole: bool = True


FAILURES = {
    "a small one that does not end": Failure([b"a" * 50], 90, ClientDisconnected, whole=False),
    "a large one that does not end": Failure([b"a" * 500], 900, ClientDisconnected, whole=False),
    "larger than it said": Failure([b"a" * 800, b"a" * 300], 900, PayloadTooLarge),
    "larger than it may be": Failure([b"a" * 800, b"a" * 300], 0, PayloadTooLarge),
    "declared larger than it may be": Failure([b"a"], 1_001, PayloadTooLarge),
}


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
def test_nothing_stays_of_a_body_that_fails(bodies: ArrivingBodies, failure: Failure) -> None:
    async def receive_it() -> None:
        receive = receiver(failure.parts, whole=failure.whole)
        async with bodies.receiving(receive, owner="x", declared=failure.declared, most=1_000):
            pass

    with pytest.raises(failure.error):
        asyncio.run(receive_it())
    assert is_free(bodies)


def test_nothing_stays_of_a_request_that_is_given_up(bodies: ArrivingBodies) -> None:
    async def forever() -> Message:
        await asyncio.sleep(100)
        return {}

    async def receive_it() -> None:
        async with bodies.receiving(forever, owner="x", declared=900, most=1_000):
            pass

    async def give_up() -> None:
        tasks = [asyncio.create_task(receive_it()) for _ in range(2)]
        while bodies.disk.held < 1_800:
            await asyncio.sleep(0.01)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(give_up())
    assert is_free(bodies)


@pytest.mark.parametrize(("taken", "declared"), [("memory", 60), ("disk", 600)])
def test_one_loop_does_not_take_what_others_need(bodies: ArrivingBodies, taken: str, declared: int) -> None:
    budget = bodies.memory if taken == "memory" else bodies.disk
    budget.take("greedy", 200 if taken == "memory" else 1_500)

    async def receive_it(owner: str) -> None:
        parts = [b"x" * (declared - 1), b"x"]
        async with bodies.receiving(receiver(parts), owner=owner, declared=declared, most=1_000):
            pass

    with pytest.raises(TooManyRequests):
        asyncio.run(receive_it("greedy"))
    asyncio.run(receive_it("modest"))
    budget.take("another", 200 if taken == "memory" else 1_000)
    with pytest.raises(Unavailable):
        asyncio.run(receive_it("modest"))


def test_the_log_keeps_room_on_the_disk(bodies: ArrivingBodies, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(".")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1_799))

    async def receive_it() -> None:
        async with bodies.receiving(receiver([b"x" * 900]), owner="x", declared=900, most=1_000):
            pass

    with pytest.raises(Unavailable, match="no room"):
        asyncio.run(receive_it())
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1_800))
    asyncio.run(receive_it())
    assert is_free(bodies)


def test_a_disk_that_fails_is_no_fault_of_the_caller(bodies: ArrivingBodies) -> None:
    assert bodies.folder is not None
    bodies.folder = bodies.folder / "gone"
    bodies.folder.mkdir()

    async def receive_it() -> None:
        assert bodies.folder is not None
        async with bodies.receiving(receiver([b"x" * 900]), owner="x", declared=900, most=1_000):
            bodies.folder.rmdir()
        async with bodies.receiving(receiver([b"x" * 900]), owner="x", declared=900, most=1_000):
            pass

    with pytest.raises(SartorError) as caught:
        asyncio.run(receive_it())
    assert isinstance(caught.value, Unavailable)
    assert is_free(bodies)
