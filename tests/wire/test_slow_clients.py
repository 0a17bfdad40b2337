"""Slow, silent and half-open clients, on real sockets: they are sent away, and hold up nobody."""

import contextlib
import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from msgspec.structs import replace

from sartor.api.http.connection_limits import Timeouts
from sartor.settings import Limits
from tests.wire.harness import PREFIX, Service, articles, person, served

QUICK = Timeouts(head_s=0.4, body_s=0.4, idle_s=0.4, stuck_s=0.4, head_bytes=4096, body_bytes=10_000)


@pytest.fixture
def service() -> Iterator[Service]:
    made = Service(limits=Limits(body_timeout_s=0.4, body_bytes=10_000))
    yield made
    made.close()


@pytest.fixture
def quick(service: Service) -> Iterator[str]:
    with served(service, timeouts=QUICK) as url:
        yield url


@contextmanager
def connected(endpoint: str) -> Iterator[socket.socket]:
    address = urlsplit(endpoint)
    with socket.create_connection((str(address.hostname), address.port or 0), timeout=5) as client:
        yield client


def head(service: Service, *, length: int, extra: str = "") -> bytes:
    return (
        f"POST {PREFIX}/rank HTTP/1.1\r\nHost: x\r\nOcp-Apim-Subscription-Key: {service.loop.key1}\r\n"
        f"Content-Length: {length}\r\n{extra}\r\n"
    ).encode()


def read_response(client: socket.socket) -> bytes:
    """All that the service says until it closes the connection."""
    parts = []
    try:
        while part := client.recv(65_536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


def rank(endpoint: str, service: Service, body: dict[str, Any] | None = None) -> requests.Response:
    key = {"Ocp-Apim-Subscription-Key": service.loop.key1}
    return requests.post(f"{endpoint}{PREFIX}/rank", json=body or person(), headers=key, timeout=5)


def test_a_body_that_does_not_arrive(service: Service, quick: str) -> None:
    with connected(quick) as client:
        client.sendall(head(service, length=100) + b'{"actions"')
        answer = read_response(client)
    assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == "RequestTimeout"
    assert b"\r\nconnection: close\r\n" in answer
    assert rank(quick, service).status_code == 201


def test_a_body_that_trickles(service: Service, quick: str) -> None:
    started_s = time.monotonic()
    with connected(quick) as client:
        client.sendall(head(service, length=1000))
        answer = b""
        client.settimeout(0.05)
        while not answer and time.monotonic() - started_s < 5:
            client.sendall(b" ")
            try:
                answer = client.recv(65_536)
            except TimeoutError:
                continue
    assert answer.startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("sent", [b"", b"POST /", b"\r\n", b"GET / HTTP/1.1\r\nHost: x\r\n"])
def test_a_head_that_does_not_arrive(quick: str, sent: bytes) -> None:
    with connected(quick) as client:
        client.sendall(sent)
        assert read_response(client) == b""


def test_a_connection_that_rests_too_long(service: Service, quick: str) -> None:
    body = json.dumps(person()).encode()
    with connected(quick) as client:
        client.sendall(head(service, length=len(body)) + body)
        answer = read_response(client)
    assert answer.startswith(b"HTTP/1.1 201 Created\r\n")
    assert answer.count(b"HTTP/1.1") == 1


def test_line_ends_between_requests_buy_no_time(service: Service, quick: str) -> None:
    body = json.dumps(person()).encode()
    started_s = time.monotonic()
    with connected(quick) as client:
        client.sendall(head(service, length=len(body)) + body)
        assert client.recv(65_536)
        client.settimeout(0.05)
        closed = False
        while not closed and time.monotonic() - started_s < 5:
            try:
                client.sendall(b"\r\n")
                closed = client.recv(65_536) == b""
            except TimeoutError:
                continue
            except OSError:
                closed = True
    assert closed


def test_a_head_that_is_too_large(quick: str) -> None:
    with connected(quick) as client:
        client.sendall(b"GET / HTTP/1.1\r\n" + b"x: " + b"y" * 8192)
        answer = read_response(client)
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"PayloadSizeExceeded" in answer


@pytest.mark.parametrize(
    "sent",
    [
        b"nonsense\r\n\r\n",
        b"CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET http:// HTTP/1.1\r\nHost: x\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_what_is_not_http(service: Service, quick: str, sent: bytes) -> None:
    with connected(quick) as client:
        client.sendall(sent)
        answer = read_response(client)
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == "BadRequest"
    assert rank(quick, service).status_code == 201


def test_a_body_that_is_too_large_is_refused_before_it_is_sent(service: Service, quick: str) -> None:
    with connected(quick) as client:
        client.sendall(head(service, length=20_000, extra="Expect: 100-continue\r\n"))
        answer = client.recv(65_536)
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"PayloadSizeExceeded" in answer


def test_a_caller_that_waits_for_the_word_to_go_on(service: Service, quick: str) -> None:
    body = json.dumps(person()).encode()
    with connected(quick) as client:
        client.sendall(head(service, length=len(body), extra="Expect: 100-continue\r\n"))
        assert client.recv(65_536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(body)
        assert client.recv(65_536).startswith(b"HTTP/1.1 201 Created\r\n")


@pytest.mark.parametrize("protocol", ["h2c", "websocket"])
def test_an_offer_of_another_protocol_is_declined(service: Service, quick: str, protocol: str) -> None:
    """Java's client offers HTTP/2 with its first request on a connection, whatever it is."""
    extra = f"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: {protocol}\r\nHTTP2-Settings: AAEAAEAAAAIA\r\n"
    body = json.dumps(person()).encode()
    with connected(quick) as client:
        client.sendall(head(service, length=len(body), extra=extra) + body)
        assert client.recv(65_536).startswith(b"HTTP/1.1 201 Created\r\n")
        client.sendall(head(service, length=len(body)) + body)
        assert client.recv(65_536).startswith(b"HTTP/1.1 201 Created\r\n")


def test_a_large_upload_gets_its_answer_and_the_connection_goes_on(service: Service, quick: str) -> None:
    with requests.Session() as session:
        session.headers["Ocp-Apim-Subscription-Key"] = service.loop.key1
        large = session.post(f"{quick}{PREFIX}/rank", data=b"x" * 40_000, timeout=5)
        assert (large.status_code, large.json()["error"]["code"]) == (400, "PayloadSizeExceeded")
        assert session.post(f"{quick}{PREFIX}/rank", json=person(), timeout=5).status_code == 201


def test_an_endless_body_is_cut_off(service: Service, quick: str) -> None:
    with connected(quick) as client:
        client.sendall(head(service, length=10**12))
        assert _sent_until_refused(client, most=2**26) < 2**26


def _sent_until_refused(client: socket.socket, *, most: int) -> int:
    sent = 0
    try:
        while sent < most:
            sent += client.send(b"x" * 65_536)
    except OSError:
        pass
    return sent


def test_pipelined_requests_are_answered_in_order(service: Service, quick: str) -> None:
    bodies = [json.dumps(person(eventId=f"event-{number}")).encode() for number in range(200)]
    with connected(quick) as client:
        client.sendall(b"".join(head(service, length=len(body)) + body for body in bodies))
        answer = read_response(client)
    assert answer.count(b"HTTP/1.1 201 Created") == 200
    places = [answer.index(b'"eventId":"event-%d"' % number) for number in range(200)]
    assert places == sorted(places)


def test_a_client_that_reads_no_answers(service: Service, quick: str) -> None:
    request = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"
    with connected(quick) as client:
        client.setblocking(False)
        deadline_s = time.monotonic() + 8
        closed = False
        while not closed and time.monotonic() < deadline_s:
            try:
                client.send(request * 500)
            except BlockingIOError:
                time.sleep(0.02)
            except OSError:
                closed = True
    assert closed
    assert rank(quick, service).status_code == 201


def test_a_crowd_of_silent_connections_locks_nobody_out(service: Service) -> None:
    with served(service, max_connections=50) as endpoint, ExitStack() as crowd:
        for number in range(200):
            client = crowd.enter_context(connected(endpoint))
            client.sendall(head(service, length=1000) if number % 2 else b"POST /")
        for number in range(20):
            assert rank(endpoint, service, articles(3, eventId=f"event-{number}")).status_code == 201


def test_a_client_that_asks_is_kept_when_silent_ones_must_go(service: Service) -> None:
    with served(service, max_connections=50) as endpoint, ExitStack() as crowd, requests.Session() as session:
        session.headers["Ocp-Apim-Subscription-Key"] = service.loop.key1
        url = f"{endpoint}{PREFIX}/rank"
        assert session.post(url, json=person(), timeout=5).status_code == 201
        ports = [_port(session, url)]
        for _ in range(5):
            for _ in range(40):
                crowd.enter_context(connected(endpoint))
            ports.append(_port(session, url))
        assert len(set(ports)) == 1, "the connection was closed and opened again"


def _port(session: requests.Session, url: str) -> int:
    with session.post(url, json=person(), timeout=5, stream=True) as response:
        assert response.status_code == 201
        connection = response.raw.connection
        assert connection is not None
        port: int = connection.sock.getsockname()[1]
        assert response.content
        return port


def test_stopping_waits_for_no_one_who_is_silent(service: Service) -> None:
    with ExitStack() as crowd:
        with served(service) as endpoint:
            for sent in (b"", b"POST /", head(service, length=100)):
                crowd.enter_context(connected(endpoint)).sendall(sent)
            assert rank(endpoint, service).status_code == 201
            stopping_s = time.monotonic()
        assert time.monotonic() - stopping_s < 2


def _model_head(service: Service, length: int) -> bytes:
    return (
        "PUT /personalizer/v1.1-preview.3/model HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        f"Ocp-Apim-Subscription-Key: {service.loop.key1}\r\nContent-Length: {length}\r\n\r\n"
    ).encode()


def test_a_model_may_be_larger_than_any_other_body(service: Service, quick: str) -> None:
    with connected(quick) as client:
        client.sendall(_model_head(service, 300_000) + b"x" * 300_000)
        answer = read_response(client)
    assert b"invalidModelImportFormat" in answer


def test_a_large_body_has_more_time(service: Service) -> None:
    timeouts = replace(QUICK, body_rate=10_000)
    with served(service, timeouts=timeouts) as endpoint, connected(endpoint) as client:
        client.sendall(_model_head(service, 30_000))
        for _ in range(10):
            client.sendall(b"x" * 3_000)
            time.sleep(0.1)  # more than twice as long as a small body has, in all
        answer = read_response(client)
    assert b"invalidModelImportFormat" in answer


def test_a_large_upload_without_a_key_is_cut_off(service: Service, quick: str) -> None:
    with connected(quick) as client:
        client.sendall(_model_head(service, 3_000_000).replace(service.loop.key1.encode(), b"wrong"))
        with contextlib.suppress(OSError):
            client.sendall(b"x" * 3_000_000)
        answer = read_response(client)
    assert answer.startswith(b"HTTP/1.1 401") or answer == b""
    assert rank(quick, service).status_code == 201
