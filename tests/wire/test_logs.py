"""The log on the wire: how far it reaches, and its removal (contract, section 1.8)."""

from collections.abc import Iterator

import pytest

from sartor.api.http.durations import format_zoned_us
from sartor.api.routing.versions import V1_0, Version
from tests.unit import instance
from tests.wire.harness import Service
from tests.wire.taught import FACTORY, Taught
from tests.wire.test_versions import EACH, at


@pytest.fixture
def taught() -> Iterator[Taught]:
    made = Taught()
    yield made
    made.close()


@EACH
def test_an_empty_log_has_no_range(service: Service, version: Version) -> None:
    reply = service.call("GET", at(version, "/logs/properties"))
    assert (reply.status, reply.body) == (200, b"{}")


@EACH
def test_the_range_goes_from_the_first_to_the_last_settled_decision(taught: Taught, version: Version) -> None:
    taught.logs.events.append([instance.decide_event("open", taught.loop, taught.logs, FACTORY)])
    heads = taught.logs.events.heads(after=0, limit=100)
    assert taught.call("GET", at(version, "/logs/properties")).json() == {
        "dateRange": {"from": format_zoned_us(heads[0].at_us), "to": format_zoned_us(heads[-2].at_us)}
    }


@EACH
def test_a_removed_log_is_empty_and_the_model_stays(taught: Taught, version: Version) -> None:
    before = taught.raw()
    reply = taught.call("DELETE", at(version, "/logs"))
    assert (reply.status, reply.body) == (204, b"")
    assert taught.call("GET", at(version, "/logs/properties")).body == b"{}"
    assert taught.raw() == before
    assert taught.call("DELETE", at(version, "/logs")).status == 204


def test_a_log_that_goes_on_has_a_range_again(taught: Taught) -> None:
    taught.call("DELETE", at(V1_0, "/logs"))
    taught.learn(2)
    assert "dateRange" in taught.call("GET", at(V1_0, "/logs/properties")).json()


def test_a_log_that_can_not_be_removed_now_says_so(taught: Taught) -> None:
    taught.stores.disk.failing = True
    reply = taught.call("DELETE", at(V1_0, "/logs"))
    assert (reply.status, reply.code) == (503, "OperationNotAllowed")
    assert reply.headers["retry-after"] == "1"
