"""Diagnostic logs: what each request leaves, and what never gets into it. And clients behind proxies."""

import hashlib
import json
import random
from typing import Any

import pytest

from sartor.access.allowed_networks import AllowedNetworks
from sartor.access.served_loops import ServedLoop
from sartor.access.throttle import FAILURES
from sartor.access.trusted_proxies import TrustedProxies
from sartor.api.request_log import RequestLog
from tests.wire.harness import OWNER_KEY, PREFIX, Service, person

SECRET = b"a secret of the instance"


@pytest.fixture
def lines(service: Service) -> list[str]:
    """What is told of the requests to the service."""
    written: list[str] = []
    service.app = RequestLog(service.app, service.loop_table, secret=SECRET, write_line=written.append)
    return written


def last(lines: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(lines[-1])
    return found


def test_a_rank_is_told_with_its_event_and_hashes(service: Service, lines: list[str]) -> None:
    reply = service.call("POST", f"{PREFIX}/rank", person(eventId="e-1"), client="192.0.2.1")
    line = last(lines)
    assert line["category"] == "RequestResponse"
    assert line["operation"] == "POST /personalizer/v1.0/rank"
    assert (line["loop"], line["eventId"], line["status"]) == ("default", "e-1", 201)
    assert line["requestId"] == reply.headers["apim-request-id"]
    assert line["durationMs"] >= 0
    assert len(line["bodyHash"]) == len(line["clientHash"]) == 24


def test_an_event_id_that_was_made_is_told(service: Service, lines: list[str]) -> None:
    made = service.rank(person()).json()["eventId"]
    assert last(lines)["eventId"] == made


@pytest.mark.parametrize(
    ("method", "path", "body", "operation", "status"),
    [
        (
            "POST",
            f"{PREFIX}/events/a%2Fb/reward",
            {"value": 1},
            "POST /personalizer/v1.0/events/{eventId}/reward",
            204,
        ),
        ("POST", f"/loops/default{PREFIX}/rank", person(), "POST /personalizer/v1.0/rank", 201),
        ("GET", f"{PREFIX}/configurations/policy", b"", "GET /personalizer/v1.0/configurations/policy", 200),
        ("POST", f"{PREFIX}/rank", b"{", "POST /personalizer/v1.0/rank", 400),
        ("GET", "/nothing/secret-path", b"", "GET other", 404),
        ("GET", "/sartor/v1/loops", b"", "GET /sartor/v1", 200),
    ],
)
def test_other_requests(
    service: Service, lines: list[str], method: str, path: str, body: object, operation: str, status: int
) -> None:
    service.call(method, path, body)
    line = last(lines)
    assert (line["operation"], line["status"], line["loop"]) == (operation, status, "default")
    assert line["eventId"] == ("a/b" if "reward" in path else line["eventId"])


def test_an_event_id_that_is_no_text_leaves_its_line(service: Service, lines: list[str]) -> None:
    reply = service.call("POST", f"{PREFIX}/events/%ff/reward", {"value": 1})
    assert reply.status == 400
    assert (last(lines)["status"], last(lines)["eventId"]) == (400, "")


def test_the_same_body_has_the_same_hash_and_nobody_can_try_bodies(service: Service, lines: list[str]) -> None:
    for name in ("Ada", "Ada", "Grace"):
        service.rank(person(contextFeatures=[{"user": name}], eventId="e"))
    first, second, third = (json.loads(line)["bodyHash"] for line in lines)
    assert first == second != third
    body = json.dumps(person(contextFeatures=[{"user": "Ada"}], eventId="e")).encode()
    assert first not in (
        hashlib.blake2b(body, digest_size=12).hexdigest(),
        hashlib.sha256(body).hexdigest()[:24],
    )


def test_no_feature_no_key_no_token_no_address(service: Service, lines: list[str]) -> None:
    secret_body = person(contextFeatures=[{"name": "Ada-Lovelace"}])
    service.call("POST", f"{PREFIX}/rank", secret_body, client="192.0.2.77")
    service.call("POST", f"{PREFIX}/rank?subscription-key={service.loop.key2}", secret_body, key=None)
    service.call("POST", f"{PREFIX}/rank", secret_body, key="a-wrong-key")
    service.call("GET", "/sartor/v1/loops/default/keys", key=OWNER_KEY)
    token = {"authorization": "Bearer secret-token"}
    service.call("POST", f"/loops/default{PREFIX}/rank", secret_body, key=None, headers=token)
    text = "\n".join(lines)
    assert len(lines) == 5
    for secret in (
        "Ada-Lovelace",
        service.loop.key1,
        service.loop.key2,
        OWNER_KEY,
        "a-wrong-key",
        "secret-token",
        "192.0.2.77",
    ):
        assert secret not in text


def test_allowed_networks_are_those_of_clients_behind_a_proxy(service: Service) -> None:
    service.loop_table.replace(
        [ServedLoop(service.loop, service.writer, service.live, AllowedNetworks(("192.0.2.0/24",)))]
    )
    service.app = TrustedProxies(service.app, ["10.0.0.0/8"])
    for address, status in (("192.0.2.1", 201), ("198.51.100.1", 403)):
        headers = {"x-forwarded-for": address}
        reply = service.call("POST", f"{PREFIX}/rank", person(), headers=headers, client="10.0.0.1")
        assert reply.status == status


CLIENTS = [
    {"x-forwarded-for": "203.0.113.8:40000"},
    {"x-forwarded-for": "203.0.113.8:40001, 10.0.0.7"},
    {"x-forwarded-for": "198.51.100.9, ::ffff:203.0.113.8"},
    {"forwarded": 'for=198.51.100.9, FOR="203.0.113.8:4711";proto=https;by=10.0.0.1'},
    {"forwarded": "for=203.0.113.8", "x-forwarded-for": "203.0.113.8"},
]


@pytest.mark.parametrize("headers", CLIENTS)
def test_every_gate_sees_the_same_client(service: Service, lines: list[str], headers: dict[str, str]) -> None:
    """Allowed networks, throttling and the request log, by whatever header and however it is written."""
    inside = ServedLoop(service.loop, service.writer, service.live, AllowedNetworks(("203.0.113.8/32",)))
    service.loop_table.replace([inside])
    app, service.app = service.app, TrustedProxies(service.app, ["10.0.0.0/8"])

    def rank(key: str, **more: str) -> int:
        return service.call("POST", f"{PREFIX}/rank", person(), key=key, headers=more, client="10.0.0.1").status

    assert rank("", **headers) == 201
    assert rank("", **{"x-forwarded-for": "203.0.113.9:40000"}) == 403
    statuses = [
        rank(f"{number:032x}", **{"x-forwarded-for": f"203.0.113.8:{40_000 + number}"}) for number in range(120)
    ]
    assert statuses == [401] * FAILURES + [429] * (120 - FAILURES)
    assert rank("f" * 32, **headers) == 429
    service.app = app
    direct = service.call("POST", f"{PREFIX}/rank", person(), client="203.0.113.8")
    assert direct.status == 201
    hashes = [json.loads(line)["clientHash"] for line in lines]
    assert hashes[0] == hashes[-1] == hashes[-2] != hashes[1]


@pytest.mark.parametrize("header", ["x-forwarded-for", "forwarded"])
def test_no_text_of_a_proxy_is_an_error(service: Service, header: str) -> None:
    service.app = TrustedProxies(service.app, ["10.0.0.0/8"])
    draw = random.Random(9)
    for _ in range(2_000):
        text = "".join(draw.choices('for=",;:[]\\. 0123abcdf%_', k=draw.randrange(40)))
        reply = service.call("POST", f"{PREFIX}/rank", person(), headers={header: text}, client="10.0.0.1")
        assert reply.status == 201, text
