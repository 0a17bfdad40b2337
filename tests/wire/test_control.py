"""The control plane as seen from outside: every route, every refusal, and a description that is true."""

import asyncio
import json
import threading
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from sartor.api.route_table import CONTROL_ROUTES
from sartor.ports import Loop
from sartor.records import Cursor, Observation, Settlement, Usage
from sartor.testing.builders import make_decision, make_outcome
from tests.wire.harness import OWNER_KEY, Reply, Service

V1 = "/sartor/v1"


class Owner:
    """Calls the control plane with the owner key."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def __call__(self, method: str, path: str, body: object = b"", /) -> Reply:
        return self.service.call(method, V1 + path, body, key=OWNER_KEY)


@pytest.fixture
def owner(service: Service) -> Owner:
    return Owner(service)


def loaded(reply: Reply) -> Any:
    assert reply.headers["content-type"] == "application/json; charset=utf-8"
    return json.loads(reply.body)


def refused(reply: Reply, status: int, code: str) -> bool:
    assert (reply.status, reply.code, reply.headers["x-ms-error-code"]) == (status, code, code), reply.body
    assert reply.message
    return True


def test_made_shown_listed(owner: Owner) -> None:
    made = owner("POST", "/loops", {"name": "shop", "tier": "F0", "tags": {"team": "news"}})
    assert (made.status, made.headers["location"]) == (201, f"{V1}/loops/shop")
    loop = loaded(made)
    assert loop["endpoint"] == "/loops/shop"
    assert loop["terms"] == {
        "tier": "F0",
        "tags": {"team": "news"},
        "lock": "none",
        "allowedNetworks": [],
        "ranksPerSecond": None,
        "ranksPerMonth": None,
    }
    assert loaded(owner("GET", "/loops/shop")) == loop
    assert [one["name"] for one in loaded(owner("GET", "/loops"))] == ["default", "shop"]
    assert refused(owner("POST", "/loops", {"name": "shop"}), 409, "LoopExists")
    assert refused(owner("GET", "/loops/other"), 404, "LoopNotFound")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        {},
        {"name": ""},
        {"name": 5},
        {"name": "shop", "tier": "F9"},
        {"name": "shop", "tags": {"a": 1}},
        {"name": "shop", "tags": {"": "x"}},
        {"name": "s" * 64},
    ],
)
def test_a_loop_that_can_not_be_made(owner: Owner, body: object) -> None:
    assert refused(owner("POST", "/loops", body), 400, "InvalidRequest")


def test_terms_are_changed_one_by_one(owner: Owner) -> None:
    changed = owner("PATCH", "/loops/default", {"tags": {"a": "b"}, "ranksPerSecond": 5})
    assert changed.status == 200
    owner("PATCH", "/loops/default", {"allowedNetworks": ["10.0.0.0/8"]})
    terms = loaded(owner("PATCH", "/loops/default", {"ranksPerSecond": None, "tier": "F0"}))["terms"]
    assert terms == {
        "tier": "F0",
        "tags": {"a": "b"},
        "lock": "none",
        "allowedNetworks": ["10.0.0.0/8"],
        "ranksPerSecond": None,
        "ranksPerMonth": None,
    }
    for nonsense in ({"name": "x"}, {"lock": "x"}, {"allowedNetworks": ["10.0.0.1/8"]}, {"ranksPerMonth": -1}):
        assert refused(owner("PATCH", "/loops/default", nonsense), 400, "InvalidRequest")
    assert refused(owner("PATCH", "/loops/other", {}), 404, "LoopNotFound")


def test_a_locked_loop_is_only_unlocked(owner: Owner, service: Service) -> None:
    owner("PATCH", "/loops/default", {"lock": "change"})
    for method, path, body in (
        ("PATCH", "/loops/default", {"tags": {}}),
        ("DELETE", "/loops/default", b""),
        ("POST", "/loops/default/keys/1/regenerate", b""),
        ("POST", "/loops/default/erasures", {"eventIds": ["e"]}),
    ):
        assert refused(owner(method, path, body), 409, "ScopeLocked")
    service.follow()
    policy = {"name": "p", "arguments": "--cb_explore_adf"}
    reply = service.call("PUT", "/personalizer/v1.0/configurations/policy", policy)
    assert refused(reply, 409, "ScopeLocked")
    assert service.call("POST", "/personalizer/v1.0/events/e/reward", {"value": 1}).status == 204
    assert owner("PATCH", "/loops/default", {"lock": "none"}).status == 200
    assert owner("PATCH", "/loops/default", {"tags": {"a": "b"}}).status == 200


def test_keys_are_shown_and_replaced_one_at_a_time(owner: Owner) -> None:
    keys = loaded(owner("GET", "/loops/default/keys"))
    first = loaded(owner("POST", "/loops/default/keys/1/regenerate"))
    assert (first["key1"] != keys["key1"], first["key2"]) == (True, keys["key2"])
    second = loaded(owner("POST", "/loops/default/keys/2/regenerate"))
    assert (second["key1"], second["key2"] != keys["key2"]) == (first["key1"], True)
    assert loaded(owner("GET", "/loops/default/keys")) == second
    assert refused(owner("POST", "/loops/default/keys/3/regenerate"), 400, "InvalidRequest")


def test_deleted_brought_back_and_removed(owner: Owner, service: Service) -> None:
    deleted = loaded(owner("DELETE", "/loops/default"))
    assert deleted["name"] == "default"
    assert refused(owner("GET", "/loops/default"), 404, "LoopNotFound")
    assert loaded(owner("GET", "/deleted-loops")) == [deleted]
    owner("POST", "/loops", {"name": "default"})
    recover = f"/deleted-loops/{deleted['loopId']}/recover"
    assert refused(owner("POST", recover), 409, "LoopExists")
    back = owner("POST", recover, {"name": "old"})
    assert (back.status, back.headers["location"], loaded(back)["loopId"]) == (
        200,
        f"{V1}/loops/old",
        deleted["loopId"],
    )
    owner("DELETE", "/loops/old")
    assert owner("DELETE", f"/deleted-loops/{deleted['loopId']}").status == 204
    assert loaded(owner("GET", "/deleted-loops")) == []
    assert refused(owner("DELETE", f"/deleted-loops/{deleted['loopId']}"), 404, "LoopNotFound")
    assert service.stores.purge() == [deleted["loopId"]]


def test_usage_as_json_and_csv(owner: Owner, service: Service) -> None:
    service.events.append([make_decision("e"), Observation(event_id="e", reward=1.0)])
    (day,) = loaded(owner("GET", "/loops/default/usage"))
    assert (day["loop"], day["ranks"], day["rewards"]) == ("default", 1, 1)
    assert loaded(owner("GET", "/usage")) == [day]
    table = owner("GET", "/usage?format=csv")
    assert table.headers["content-type"] == "text/csv; charset=utf-8"
    assert table.body.decode() == f"loop,day,ranks,rewards\r\ndefault,{day['day']},1,1\r\n"
    assert loaded(owner("GET", "/usage?from=2020-01-01&to=2020-01-31")) == []
    for query in ("format=xml", "from=yesterday", "from=2020-01-02&to=2020-01-01"):
        assert refused(owner("GET", f"/usage?{query}"), 400, "InvalidRequest")
    assert refused(owner("GET", "/loops/other/usage"), 404, "LoopNotFound")


def test_the_activity_log_names_the_caller(owner: Owner, service: Service) -> None:
    owner("PATCH", "/loops/default", {"tags": {"a": "b"}})
    service.call(
        "PUT", "/personalizer/v1.0/configurations/policy", {"name": "p", "arguments": "--cb_explore_adf"}
    )
    owner("POST", "/loops", {"name": "shop"})
    lines = loaded(owner("GET", "/activities"))
    assert [(line["by"], line["action"], line["loop"]) for line in lines] == [
        ("the owner key", "update", "default"),
        ("key 1 of default", "update", "default"),
        ("the owner key", "create", "shop"),
    ]
    assert lines[0]["after"] == {"terms": {"tags": {"a": "b"}}}
    assert [line["number"] for line in loaded(owner("GET", "/activities?last=1"))] == [3]
    assert [line["number"] for line in loaded(owner("GET", "/loops/default/activities"))] == [1, 2]
    for last in ("0", "1001", "many", ""):
        assert refused(owner("GET", f"/activities?last={last}"), 400, "InvalidRequest")


def test_a_reward_is_put_right(owner: Owner, service: Service) -> None:
    loop_stores = service.stores.open(service.loop)
    loop_stores.events.append([make_decision("e/1"), make_decision("open")])
    loop_stores.outcomes.record(
        Settlement(outcomes=(make_outcome(1, "e/1", reward=1.0),), unmatched=(), cursor=Cursor(1, 0))
    )
    path = "/loops/default/events/e%2F1/reward"
    done = loaded(owner("PUT", path, {"value": 0.25}))
    assert (done["before"], done["after"], done["eventId"]) == ([1.0], [0.25], "e/1")
    assert loaded(owner("PUT", path, {"value": None}))["after"] == [0.0]
    assert refused(owner("PUT", path, {}), 400, "InvalidRequest")
    assert refused(owner("PUT", path, {"value": "x"}), 400, "InvalidRequest")
    assert refused(owner("PUT", path, {"value": 1, "slotId": "s"}), 400, "InvalidRequest")
    assert refused(owner("PUT", "/loops/default/events/open/reward", {"value": 1}), 409, "EventOpen")
    assert refused(owner("PUT", "/loops/default/events/none/reward", {"value": 1}), 404, "EventNotFound")


def test_something_is_erased(owner: Owner, service: Service) -> None:
    loop_stores = service.stores.open(service.loop)
    loop_stores.events.append([make_decision("e"), make_decision("open")])
    loop_stores.outcomes.record(Settlement(outcomes=(make_outcome(1, "e"),), unmatched=(), cursor=Cursor(1, 0)))
    receipt = loaded(owner("POST", "/loops/default/erasures", {"where": {"device": "mobile"}}))
    assert (receipt["decisions"], receipt["stillOpen"], receipt["loop"]) == ([1], [2], "default")
    assert receipt["by"] == "the owner key"
    assert refused(owner("POST", "/loops/default/erasures", {}), 400, "InvalidRequest")
    assert refused(owner("POST", "/loops/other/erasures", {"eventIds": ["e"]}), 404, "LoopNotFound")


NAMES = {"name": "default", "which": "1", "eventId": "e", "loopId": "x"}
ALLOWED_WITH_A_KEY = {
    "ListLoops",
    "GetLoop",
    "GetUsage",
    "GetLoopUsage",
    "GetLoopScore",
    "GetLoopActivities",
    "CorrectReward",
}


@pytest.mark.parametrize("route", CONTROL_ROUTES, ids=lambda route: route.name)
def test_a_key_of_a_loop_only_looks_at_it_and_corrects_rewards(service: Service, route: Any) -> None:
    path = V1 + route.path.format(**NAMES)
    mine = service.call(route.method, path, {"value": 1})
    if route.name in ALLOWED_WITH_A_KEY:
        assert mine.status in (200, 404), mine.body
    else:
        assert refused(mine, 403, "403")
    if "{name}" in route.path:
        others = service.call(route.method, V1 + route.path.format(**NAMES | {"name": "other"}), {"value": 1})
        assert refused(others, 403, "403"), "nor does it learn which loops there are"


def test_a_key_sees_its_own_loop_in_the_list(owner: Owner, service: Service) -> None:
    owner("POST", "/loops", {"name": "shop"})
    assert [loop["name"] for loop in loaded(service.call("GET", f"{V1}/loops"))] == ["default"]


@pytest.mark.parametrize("route", CONTROL_ROUTES, ids=lambda route: route.name)
def test_nobody_comes_in_without_a_key(service: Service, route: Any) -> None:
    for key in (None, "wrong"):
        reply = service.call(route.method, V1 + route.path.format(**NAMES), key=key)
        assert refused(reply, 401, "401")
        assert "www-authenticate" in reply.headers


def test_the_owner_key_is_no_key_of_the_data_plane(service: Service) -> None:
    assert service.call("GET", "/personalizer/v1.0/configurations/service", key=OWNER_KEY).status == 401


def test_guessing_the_owner_key_is_slowed_down(service: Service) -> None:
    statuses = {
        service.call("GET", f"{V1}/loops", key=f"guess-{number}", client="198.51.100.1").status
        for number in range(30)
    }
    assert statuses == {401, 429}
    assert service.call("GET", f"{V1}/loops", key=OWNER_KEY, client="198.51.100.1").status == 200
    assert service.call("GET", f"{V1}/loops", key="guess-30", client="198.51.100.1").status == 429


@pytest.mark.parametrize("path", ["", "/", "/nothing", "/loops/a/b/c", "/loops//keys", "/loop"])
def test_what_is_not_there(owner: Owner, path: str) -> None:
    assert refused(owner("GET", path), 404, "ResourceNotFound")


def test_methods_that_are_not_there(owner: Owner, service: Service) -> None:
    reply = owner("PUT", "/loops/default")
    assert refused(reply, 405, "BadRequest")
    assert reply.headers["allow"] == "GET, PATCH, DELETE, HEAD, OPTIONS"
    assert service.call("OPTIONS", f"{V1}/loops", key=None).headers["allow"] == "GET, POST, HEAD, OPTIONS"
    reply = owner("HEAD", "/loops/default")
    assert (reply.status, reply.body) == (200, b"")


@pytest.mark.parametrize("path", ["/loops/%ff", "/loops/%00", f"/loops/{'a' * 300}"])
def test_names_that_are_none(owner: Owner, path: str) -> None:
    assert refused(owner("GET", path), 400, "InvalidRequest")


def test_a_body_that_is_too_large(owner: Owner) -> None:
    assert refused(owner("POST", "/loops", b" " * 70_000), 400, "PayloadSizeExceeded")


def test_a_full_disk_is_a_503(owner: Owner, service: Service) -> None:
    service.stores.disk.failing = True
    assert refused(owner("POST", "/loops", {"name": "shop"}), 503, "OperationNotAllowed")
    service.stores.disk.failing = False
    assert owner("POST", "/loops", {"name": "shop"}).status == 201


def test_the_description_has_every_route_and_its_role(service: Service) -> None:
    document = loaded(service.call("GET", f"{V1}/openapi.json", key=None))
    described = {
        (method.upper(), path)
        for path, item in document["paths"].items()
        for method in item
        if method != "parameters"
    }
    assert described == {(route.method, V1 + route.path) for route in CONTROL_ROUTES}
    for item in document["paths"].values():
        for method, operation in item.items():
            if method != "parameters":
                assert "Takes the role " in operation["description"]
                assert {"401", "403", "429"} <= operation["responses"].keys()
    wanted = set(_references(document))
    assert wanted <= {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}


def _references(value: object) -> list[str]:
    if isinstance(value, dict):
        inner = [found for item in value.values() for found in _references(item)]
        return [*inner, str(value["$ref"])] if "$ref" in value else inner
    return [found for item in value for found in _references(item)] if isinstance(value, list) else []


def test_examples_of_the_description_are_accepted(owner: Owner) -> None:
    for route in CONTROL_ROUTES:
        if route.request is not None and route.request_example is not None:
            msgspec.json.decode(msgspec.json.encode(route.request_example), type=route.request)


def test_slow_work_on_one_loop_keeps_no_other_waiting(service: Service) -> None:
    """Four requests about a loop whose log is slow to read, and one about another loop."""
    may_read, read_usage = threading.Event(), service.stores.usage

    def read_slowly(loop: Loop, /, *, from_us: int, to_us: int) -> Sequence[Usage]:
        assert loop.name != "default" or may_read.wait(30)
        return read_usage(loop, from_us=from_us, to_us=to_us)

    service.stores.usage = read_slowly  # type: ignore[method-assign]
    assert service.call("POST", f"{V1}/loops", {"name": "other"}, key=OWNER_KEY).status == 201

    async def get_usage(name: str) -> int:
        return (await service.send("GET", f"{V1}/loops/{name}/usage", key=OWNER_KEY)).status

    async def get_all() -> list[int]:
        slow = [asyncio.create_task(get_usage("default")) for _ in range(4)]
        await asyncio.sleep(0.05)
        try:
            assert await asyncio.wait_for(get_usage("other"), 3) == 200
            assert not any(task.done() for task in slow)
        finally:
            may_read.set()
            statuses = await asyncio.gather(*slow)
        return statuses

    assert service.run(get_all()) == [200] * 4
