"""Diagnostic logs: what each request leaves, and what never gets into it. And clients behind proxies."""

import asyncio
import hashlib
import json
from typing import Any

import pytest

from sartor.access.allowed_networks import AllowedNetworks
from sartor.access.asgi import Message, Receive, Scope, Send
from sartor.access.served_loops import ServedLoop
from sartor.access.trusted_proxies import TrustedProxies
from sartor.api.request_log import RequestLog
from sartor.errors import InvalidSetting
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


def seen_client(networks: list[str], client: str, *forwarded: str) -> str:
    """The address that the application sees."""
    seen: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["client"][0])

    async def nothing(message: Message | None = None) -> Message:
        return {}

    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    scope: Scope = {"client": (client, 1), "headers": headers}
    asyncio.run(TrustedProxies(app, networks)(scope, nothing, nothing))  # type: ignore[arg-type]
    return seen[0]


@pytest.mark.parametrize(
    ("client", "forwarded", "meant"),
    [
        pytest.param("10.0.0.1", ["192.0.2.1"], "192.0.2.1", id="one proxy"),
        pytest.param("10.0.0.1", ["192.0.2.1, 10.0.0.2"], "192.0.2.1", id="two proxies"),
        pytest.param("10.0.0.1", ["192.0.2.1", "10.0.0.2"], "192.0.2.1", id="two headers"),
        pytest.param("10.0.0.1", ["6.6.6.6, 192.0.2.1"], "192.0.2.1", id="a client that lies"),
        pytest.param("192.0.2.1", ["10.0.0.9"], "192.0.2.1", id="no proxy at all"),
        pytest.param("10.0.0.1", [], "10.0.0.1", id="the proxy itself"),
        pytest.param("10.0.0.1", ["nonsense"], "nonsense", id="nonsense is no address of ours"),
    ],
)
def test_only_a_trusted_proxy_says_for_whom_it_calls(client: str, forwarded: list[str], meant: str) -> None:
    assert seen_client(["10.0.0.0/8"], client, *forwarded) == meant


def test_a_network_that_is_none() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        """Nothing."""

    with pytest.raises(InvalidSetting):
        TrustedProxies(app, ["10.0.0.1/8"])


def test_allowed_networks_are_those_of_clients_behind_a_proxy(service: Service) -> None:
    service.loop_table.replace(
        [ServedLoop(service.loop, service.writer, service.live, AllowedNetworks(("192.0.2.0/24",)))]
    )
    service.app = TrustedProxies(service.app, ["10.0.0.0/8"])
    for address, status in (("192.0.2.1", 201), ("198.51.100.1", 403)):
        headers = {"x-forwarded-for": address}
        reply = service.call("POST", f"{PREFIX}/rank", person(), headers=headers, client="10.0.0.1")
        assert reply.status == status
