"""Whatever happens to a request, its response has the one shape: when the server stops, or something fails."""

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from sartor.access.asgi import ASGIApp, Receive, Scope, Send
from sartor.api.http.server import Server, run
from sartor.settings import Limits
from tests.wire.strict_http import StrictClient, StrictResponse, connect

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n"


class Slow:
    """An application that answers when it is told to, and says when it was called."""

    def __init__(self) -> None:
        self.called = threading.Event()
        self.may_answer = threading.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.called.set()
        if scope["method"] == "POST":
            while (await receive()).get("more_body", False):
                pass
        while not self.may_answer.is_set():
            await asyncio.sleep(0.01)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})


@contextmanager
def running(app: ASGIApp) -> Iterator[tuple[str, Server]]:
    listener = socket.create_server(("127.0.0.1", 0))
    ticked = threading.Event()
    server = Server(app, limits=Limits(), on_tick=ticked.set)
    server.config.timeout_graceful_shutdown = 1
    thread = threading.Thread(target=run, args=(server, [listener]))
    thread.start()
    try:
        assert ticked.wait(10)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", server
    finally:
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive()


def check_stopping(response: StrictResponse, *, with_body: bool = True) -> None:
    assert (response.status, response.closes) == (503, True)
    assert int(response.headers["retry-after"]) >= 1
    assert response.headers["x-ms-error-code"] == "OperationNotAllowed"
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    if with_body:
        assert json.loads(response.body)["error"]["code"] == "OperationNotAllowed"


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT"])
def test_a_request_that_takes_too_long(method: str) -> None:
    app = Slow()
    with running(app) as (endpoint, server), connect(endpoint) as client:
        client.send(POST.replace(b"POST", method.encode()), b"x" * 10)
        assert app.called.wait(10)
        server.should_exit = True
        check_stopping(client.read(method), with_body=method != "HEAD")
        client.expect_end()


def test_a_request_that_ends_in_time_is_answered() -> None:
    app = Slow()
    with running(app) as (endpoint, server), connect(endpoint) as client:
        server.config.timeout_graceful_shutdown = 20
        client.send(GET)
        assert app.called.wait(10)
        server.should_exit = True
        while server.server_state.connections and not all(_is_told(client) for client in _connections(server)):
            pass
        app.may_answer.set()
        response = client.read("GET")
        assert (response.status, response.body, response.closes) == (200, b"ok", True)
        client.expect_end()


def _connections(server: Server) -> list[object]:
    return list(server.server_state.connections)


def _is_told(connection: object) -> bool:
    cycle = connection._cycle  # type: ignore[attr-defined]
    return cycle is not None and not cycle.keep_alive


UNFINISHED = {
    "a body": POST + b"x",
    "a body that was not called for": POST.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"),
    "chunks": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n",
    "a head": b"GET / HTTP/1.1\r\nHost: x",
    "the first byte": b"G",
    "the second request": GET + b"GET / HT",
}


@pytest.mark.parametrize("sent", UNFINISHED.values(), ids=UNFINISHED)
def test_a_request_that_has_not_come(sent: bytes) -> None:
    app = Slow()
    app.may_answer.set()
    with running(app) as (endpoint, server), connect(endpoint) as client:
        client.send(sent)
        if sent.startswith(GET):
            assert client.read("GET").body == b"ok"
        _wait_until_received(endpoint, client)
        server.should_exit = True
        check_stopping(client.read("GET"))
        client.expect_end()


def _wait_until_received(endpoint: str, client: StrictClient) -> None:
    """Later requests on other connections are answered: what was sent before them was read."""
    for _ in range(3):
        with connect(endpoint) as other:
            other.send(GET)
            assert other.read("GET").status == 200


async def fail_at_once(scope: Scope, receive: Receive, send: Send) -> None:
    raise RuntimeError("a secret")


async def fail_between(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    raise RuntimeError("a secret")


async def say_nothing(scope: Scope, receive: Receive, send: Send) -> None:
    return


async def say_half(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})


async def only_a_body(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("app", [fail_at_once, fail_between, say_nothing, say_half, only_a_body])
def test_an_application_that_fails(app: ASGIApp, method: str) -> None:
    with running(app) as (endpoint, _), connect(endpoint) as client:
        client.send(GET.replace(b"GET", method.encode()))
        response = client.read(method)
        assert (response.status, response.closes) == (500, True)
        assert response.headers["x-ms-error-code"] == "InternalServerError"
        if method == "GET":
            assert json.loads(response.body)["error"]["code"] == "InternalServerError"
            assert b"secret" not in response.body
        client.expect_end()


def test_a_client_that_goes_on_sending_reads_the_response() -> None:
    """Closed at once, what it still sends would make the system throw the response away."""
    app = Slow()
    with running(app) as (endpoint, server), connect(endpoint) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n")
        assert app.called.wait(10)
        server.should_exit = True
        sent = threading.Event()

        def go_on() -> None:
            try:
                for _ in range(200):
                    client.socket.send(b"x" * 1000)
                    sent.wait(0.001)
            except OSError:
                pass

        sender = threading.Thread(target=go_on)
        sender.start()
        check_stopping(client.read("POST"))
        sent.set()
        sender.join(10)
