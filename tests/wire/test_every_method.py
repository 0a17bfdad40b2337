"""Every method on every route, twice on one connection: each response ends where the next one begins.

The routes are taken from the tables, so that a new one is tried without being written down here.
"""

import json
import re
from collections.abc import Iterator, Sequence

import pytest

from sartor.api import route_table
from sartor.api.routing.matching import build_resources
from sartor.api.routing.versions import ALL_VERSIONS, PARAMETER
from sartor.settings import Limits
from tests.wire.harness import OWNER_KEY, Service, person, served
from tests.wire.strict_http import StrictClient, StrictResponse, connect

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY", "PROPFIND", "M-SEARCH")
"""Those that the parser knows, of every kind."""

NOT_HTTP = ("FOO", "get", "head", "Head", "PRI", "CONNECT", "HEADS", "G", "GET\t", "HEAD\x01", "DESCRIBE")
"""Those that end the connection."""

PAGES = (
    "/",
    "/docs",
    "/health/live",
    "/health/ready",
    "/openapi.json",
    "/sartor/v1/openapi.json",
    *(f"/docs/{version.name}" for version in ALL_VERSIONS),
    *(f"/openapi/{version.name}.json" for version in ALL_VERSIONS),
    "/nothing",
    "/sartor/v1/nothing",
    "/sartor/v1/loops/%FF",
    "*",
)
BODY = json.dumps(person(eventId="event-1")).encode()
FRAMED = {
    "no body": b"\r\n",
    "a body": b"Content-Length: %d\r\n\r\n%b" % (len(BODY), BODY),
    "chunks": b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\nX-Trailer: x\r\n\r\n" % (len(BODY), BODY),
}


def paths(routes: Sequence[object]) -> list[str]:
    """Every path of a table of routes, in every version."""
    made = []
    for resource in build_resources(routes):  # type: ignore[arg-type]
        version = resource.version
        query = f"?{PARAMETER}={version.name}" if version.in_query else ""
        path = re.sub(r"\{name\}", "default", resource.path)
        made.append(f"{version.prefix}{re.sub(r'{[^}]*}', 'nosuch', path)}{query}")
    return sorted(made)


PLANES = {
    "data plane": [path for path in paths(route_table.ROUTES) if re.search("rank|reward|activate", path)],
    "administration": [
        path for path in paths(route_table.ROUTES) if not re.search("rank|reward|activate", path)
    ],
    "control plane": paths(route_table.CONTROL_ROUTES),
    "pages": list(PAGES),
}


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[Service, str]]:
    """One service for all of them: its quotas and its loop don't matter here."""
    service = Service(limits=Limits(body_bytes=4096))
    with served(service) as endpoint:
        yield service, endpoint
    service.close()


def request(method: str, path: str, *, key: str, framed: bytes) -> bytes:
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n"
    head += f"Ocp-Apim-Subscription-Key: {key}\r\n" if key else ""
    return head.encode() + framed


LIVE = request("GET", "/health/live", key="", framed=b"\r\n")


def check(method: str, response: StrictResponse) -> None:
    headers = response.headers
    if method == "HEAD":
        assert response.body == b""
    elif response.status >= 400:
        assert set(json.loads(response.body)["error"]) == {"code", "message"}
    if response.status == 405:
        assert "OPTIONS" in headers["allow"]
        assert method not in headers["allow"].split(", ")
    if response.status >= 400:
        assert headers["x-ms-error-code"]
        assert headers["content-type"] == "application/json; charset=utf-8"
    assert response.status < 500 or response.status == 503, response


def is_alive(client: StrictClient) -> None:
    client.send(LIVE)
    response = client.read("GET")
    assert (response.status, response.body) == (200, b'{"status":"live"}')


def key_of(service: Service, plane: str) -> str:
    return OWNER_KEY if plane == "control plane" else service.loop.key1


def test_the_tables_have_all_planes() -> None:
    assert [len(found) >= 8 for found in PLANES.values()] == [True] * 4


@pytest.mark.parametrize("framed", FRAMED.values(), ids=FRAMED)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("plane", PLANES)
def test_twice_on_one_connection(running: tuple[Service, str], plane: str, method: str, framed: bytes) -> None:
    """Without a key, so that nothing is changed: 401, 404, 405, 204 and the pages."""
    _, endpoint = running
    with connect(endpoint) as client:
        for path in PLANES[plane]:
            for _ in range(2):
                client.send(request(method, path, key="", framed=framed))
                response = client.read(method)
                check(method, response)
                assert not response.closes
            is_alive(client)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("plane", PLANES)
def test_sent_ahead(running: tuple[Service, str], plane: str, method: str) -> None:
    _, endpoint = running
    with connect(endpoint) as client:
        one_by_one = [request(method, path, key="", framed=FRAMED["a body"]) for path in PLANES[plane]]
        client.send(*(both for each in one_by_one for both in (each, each, LIVE)))
        for _ in one_by_one:
            check(method, client.read(method))
            check(method, client.read(method))
            assert client.read("GET").body == b'{"status":"live"}'


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("plane", ["data plane", "administration", "control plane"])
def test_with_a_key(plane: str, method: str) -> None:
    """On a service of its own, which may be empty afterwards."""
    service = Service(limits=Limits(body_bytes=4096))
    with served(service) as endpoint, connect(endpoint) as client:
        key = key_of(service, plane)
        for path in PLANES[plane]:
            for _ in range(2):
                client.send(request(method, path, key=key, framed=FRAMED["a body"]))
                check(method, client.read(method))
            is_alive(client)
    service.close()


@pytest.mark.parametrize("method", NOT_HTTP)
@pytest.mark.parametrize("plane", PLANES)
def test_a_method_that_is_none_ends_the_connection(
    running: tuple[Service, str], plane: str, method: str
) -> None:
    _, endpoint = running
    for path in PLANES[plane][:3]:
        for framed in FRAMED.values():
            with connect(endpoint) as client:
                client.send(LIVE, request(method, path, key="", framed=framed), LIVE)
                assert client.read("GET").status == 200
                response = client.read(method)
                check(method, response)
                assert (response.status, response.closes) == (400, True)
                client.expect_end()


@pytest.mark.parametrize("method", ["POST", "HEAD", "GET", "PUT"])
@pytest.mark.parametrize("key", ["", "wrong", "right"])
def test_a_long_body_that_is_refused(running: tuple[Service, str], method: str, key: str) -> None:
    """What is left of it is thrown away, or the response says that the connection ends."""
    service, endpoint = running
    key = service.loop.key1 if key == "right" else key
    lengths = (4097, 8 * 4096, 8 * 4096 + 20_000, 8 * 4096 + 80_000)
    for length in lengths:
        with connect(endpoint) as client:
            framed = b"Content-Length: %d\r\n\r\n" % length
            client.send(request(method, "/personalizer/v1.0/rank", key=key, framed=framed))
            response = client.read(method)
            check(method, response)
            assert response.status in (400, 401, 405)
            assert response.closes == (length > 8 * 4096)
            client.send(b"x" * length)
            if response.closes:
                client.expect_end()
            else:
                is_alive(client)


@pytest.mark.parametrize("expectation", [b"100-continue", b"100-Continue"])
def test_a_body_that_was_not_called_for(running: tuple[Service, str], expectation: bytes) -> None:
    """Whether it comes or not, nobody can know: the connection ends."""
    service, endpoint = running
    framed = b"Expect: %b\r\nContent-Length: 100\r\n\r\n" % expectation
    for method, key in (("POST", "wrong"), ("PUT", service.loop.key1)):
        with connect(endpoint) as client:
            client.send(request(method, "/personalizer/v1.0/rank", key=key, framed=framed))
            response = client.read(method)
            assert response.status in (401, 405)
            assert response.closes
            client.expect_end()


def test_head_has_the_headers_of_get(running: tuple[Service, str]) -> None:
    service, endpoint = running
    with connect(endpoint) as client:
        for path in (*PLANES["pages"], *PLANES["administration"], *PLANES["data plane"]):
            lengths = []
            for method in ("GET", "HEAD"):
                client.send(request(method, path, key=service.loop.key1, framed=b"\r\n"))
                response = client.read(method)
                lengths.append((response.status, response.headers.get("content-length")))
            assert lengths[0] == lengths[1], path
