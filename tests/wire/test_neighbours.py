"""Long work of one loop holds up no request of another: no lock is shared, and threads are left over."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from sartor.access.served_loops import ServedLoop
from sartor.errors import LoopNotFound
from sartor.evaluation import jobs
from sartor.management import audit_log, loops, reward_corrections
from sartor.testing.builders import make_loop
from tests.wire.harness import OWNER_KEY, Reply, Service

CONFIGURATION = "/personalizer/v1.0/configurations/service"


class Held:
    """Takes the place of a function, and does not return before it may."""

    def __init__(self) -> None:
        self.entered = threading.Semaphore(0)
        self.may_go = threading.Event()

    def __call__(self, *_: Any, **__: Any) -> Any:
        self.entered.release()
        assert self.may_go.wait(30)
        raise LoopNotFound("The work was held long enough.")


@pytest.fixture
def service() -> Iterator[Service]:
    made = Service()
    other = make_loop("a-neighbour")
    made.stores.catalog.create(other)
    made.loop_table.replace(
        [ServedLoop(loop=loop, writer=made.writer, live=made.live) for loop in (made.loop, other)]
    )
    yield made
    made.close()


async def ask_meanwhile(
    service: Service, held: Held, busy: list[tuple[str, str, object]], *, key: str | None = None
) -> tuple[list[Reply], Reply]:
    """The answers to the requests of one loop, and that to the neighbour, which came while those were held."""
    tasks = [
        asyncio.create_task(service.send(method, path, body, key=key or OWNER_KEY))
        for method, path, body in busy
    ]
    assert await asyncio.to_thread(held.entered.acquire, timeout=30)
    neighbour = make_loop("a-neighbour")
    read = await asyncio.wait_for(service.send("GET", CONFIGURATION, key=neighbour.key1), 30)
    path = "/sartor/v1/loops/a-neighbour"
    for method, body in (("GET", b""), ("PATCH", {"tags": {"a": "b"}})):
        reply = await asyncio.wait_for(service.send(method, path, body, key=OWNER_KEY), 30)
        assert reply.status == 200, reply
    assert not any(task.done() for task in tasks)
    held.may_go.set()
    return list(await asyncio.gather(*tasks)), read


def test_three_corrections_at_once(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    held = Held()
    monkeypatch.setattr(reward_corrections, "correct_reward", held)
    correction = ("PUT", "/sartor/v1/loops/default/events/nosuch/reward", {"value": 1})
    replies, read = service.run(ask_meanwhile(service, held, [correction] * 3))
    assert read.status == 200
    assert [reply.status for reply in replies] == [404] * 3


def test_a_long_audit_log(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    held = Held()
    monkeypatch.setattr(audit_log, "read_newest", held)
    replies, read = service.run(
        ask_meanwhile(service, held, [("GET", "/sartor/v1/loops/default/activities", b"")])
    )
    assert (read.status, replies[0].status) == (200, 404)


def test_a_job_that_is_created(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    held = Held()
    monkeypatch.setattr(jobs, "add_evaluation", held)
    body = {
        "name": "e",
        "startTime": "2024-05-01T00:00:00Z",
        "endTime": "2024-05-02T00:00:00Z",
        "enableOfflineExperimentation": False,
        "policies": [],
    }
    busy = [("POST", "/personalizer/v1.0/evaluations", body)]
    _, read = service.run(ask_meanwhile(service, held, list(busy), key=service.loop.key1))
    assert read.status == 200


def test_one_loop_is_still_changed_by_one_request_at_a_time(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Held()
    monkeypatch.setattr(loops, "change_settings", held)
    body = service.call("GET", CONFIGURATION).json()

    async def change_twice() -> None:
        tasks = [asyncio.create_task(service.send("PUT", CONFIGURATION, body)) for _ in range(2)]
        assert await asyncio.to_thread(held.entered.acquire, timeout=30)
        assert not await asyncio.to_thread(held.entered.acquire, timeout=0.2), "the second one is in, too"
        held.may_go.set()
        await asyncio.gather(*tasks)
        assert held.entered.acquire(blocking=False), "the second one never came in"

    service.run(change_twice())
