"""A full store, an engine that refuses, more than can be written: no event is lost in silence."""

import asyncio
import logging

import pytest

from sartor.errors import EngineRefused
from sartor.ports import Engine
from sartor.settings import Limits
from sartor.testing.fakes import SingleSlot
from tests.wire.harness import PREFIX, Reply, Service, articles, person


def _unavailable(reply: Reply) -> None:
    assert (reply.status, reply.code) == (503, "OperationNotAllowed")
    assert reply.headers["retry-after"] == "1"
    assert reply.headers["x-ms-error-code"] == "OperationNotAllowed"


def test_a_full_store_and_its_recovery(service: Service) -> None:
    assert service.rank(person(eventId="before")).status == 201
    service.stores.disk.failing = True
    _unavailable(service.rank(person()))
    _unavailable(service.reward("e", {"value": 1}))
    _unavailable(service.activate("e"))
    service.stores.disk.failing = False
    assert service.rank(person(eventId="after")).status == 201
    assert [logged.decision.event_id for logged in service.decisions()] == ["before", "after"]
    assert not service.observations()


def test_a_caller_s_mistake_is_told_even_when_the_store_is_full(service: Service) -> None:
    service.stores.disk.failing = True
    assert service.rank({}).status == 400


def test_readiness_follows_the_store(service: Service) -> None:
    def ready() -> Reply:
        service.clock_s += 1
        return service.call("GET", "/health/ready", key=None)

    assert ready().json() == {"status": "ready"}
    service.stores.disk.failing = True
    reply = ready()
    _unavailable(reply)
    assert reply.json()["status"] == "unready"
    assert reply.json()["reasons"] == ["Events can't be written."]
    assert service.call("GET", "/health/live", key=None).json() == {"status": "live"}
    service.stores.disk.failing = False
    assert ready().status == 200


def test_more_than_can_be_written_is_refused_at_once() -> None:
    service = Service(limits=Limits(buffered_events=0))
    _unavailable(service.rank(person()))
    assert not service.decisions()
    service.close()


class Stubborn(SingleSlot):
    """An engine that ranks nothing, or nonsense."""

    def __init__(self, odds: list[float] | None) -> None:
        self.odds = odds

    def probabilities(self, context: bytes, actions: int, /) -> list[float]:
        if self.odds is None:
            raise EngineRefused
        return self.odds

    def learn(self, line: bytes, /) -> None:
        raise EngineRefused

    def dump(self) -> bytes:
        return b""

    def close(self) -> None:
        pass


@pytest.mark.parametrize("odds", [None, [1.0], [float("nan")] * 3, [-1.0, 1.0, 1.0], [0.0] * 3])
def test_an_engine_that_can_t_rank(odds: list[float] | None) -> None:
    def engine() -> Engine:
        return Stubborn(odds)

    service = Service(ranks_with=engine)
    reply = service.rank(articles(3))
    assert (reply.status, reply.code) == (409, "ModelRankingError")
    assert not service.decisions()
    assert service.reward("e", {"value": 1}).status == 204
    service.close()


class Broken(Stubborn):
    """An engine with a bug."""

    def probabilities(self, context: bytes, actions: int, /) -> list[float]:
        raise KeyError("secret feature")


def test_a_bug_is_logged_and_answered_with_a_body(caplog: pytest.LogCaptureFixture) -> None:
    service = Service(ranks_with=lambda: Broken(None))
    with caplog.at_level(logging.ERROR):
        reply = service.rank(articles(3))
    assert (reply.status, reply.code) == (500, "InternalServerError")
    assert "secret" not in reply.body.decode()
    assert caplog.records[0].__dict__["action"] == "request_failed"
    assert caplog.records[0].exc_info is not None
    service.close()


def test_a_caller_that_hangs_up_is_not_answered(service: Service) -> None:
    received: list[object] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.disconnect"}

    async def send(message: object) -> None:
        received.append(message)

    key = (b"ocp-apim-subscription-key", service.loop.key1.encode())
    path = f"{PREFIX}/rank".encode()
    scope = {"type": "http", "method": "POST", "raw_path": path, "query_string": b"", "headers": [key]}

    async def call() -> None:
        await service.app(scope, receive, send)

    asyncio.run(call())
    assert not received
    assert not service.decisions()
