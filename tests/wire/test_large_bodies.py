"""Bodies that arrive, and responses that leave, take little memory: for one loop, for all, for strangers."""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from sartor.access.asgi import Receive, Scope, Send
from sartor.access.roles import Caller
from sartor.api.http.connection_limits import Timeouts
from sartor.errors import Unauthorized
from sartor.learn.model_file import add_checksum
from sartor.learn.vw import create_engine
from sartor.settings import VW_ARGUMENTS, Limits
from sartor.testing.builders import make_model
from tests.acceptance.service import eventually
from tests.wire.harness import PREFIX, Service, person, served
from tests.wire.strict_http import StrictClient, StrictResponse, connect

MODEL = "/personalizer/v1.1-preview.3/model"
MIB = 1_048_576

ALONE = """
import socket
import sys
import time
from pathlib import Path
from sartor.api.http.connection_limits import Timeouts
from sartor.api.http.server import Server, run
from tests.wire.harness import Service

service = Service(folder=Path(sys.argv[1]))
listener = socket.create_server(("127.0.0.1", 0))
patient = Timeouts(body_s=60, body_bytes=service.limits.body_bytes)
server = Server(service.app, limits=service.limits, timeouts=patient)
print(listener.getsockname()[1], flush=True)
run(server, [listener])
service.close()
"""


def put_model(service: Service, length: int, extra: str = "") -> bytes:
    return _head("PUT", MODEL, service.loop.key1, f"Content-Length: {length}\r\n{extra}")


def post_rank(service: Service, length: int, extra: str = "") -> bytes:
    return _head("POST", f"{PREFIX}/rank", service.loop.key1, f"Content-Length: {length}\r\n{extra}")


def _head(method: str, path: str, key: str, rest: str) -> bytes:
    start = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nOcp-Apim-Subscription-Key: {key}\r\n"
    return f"{start}{rest}\r\n".encode()


def check_refused(response: StrictResponse, status: int, code: str) -> None:
    assert response.status == status, response
    assert json.loads(response.body)["error"]["code"] == code
    assert int(response.headers["retry-after"]) >= 1


@contextmanager
def limited(limits: Limits, timeouts: Timeouts | None = None) -> Iterator[tuple[Service, str]]:
    service = Service(limits=limits)
    with served(service, timeouts=timeouts) as endpoint:
        yield service, endpoint
    service.close()


def resident_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_twelve_unfinished_models_take_no_memory(tmp_path: Path) -> None:
    service = Service()
    command = [sys.executable, "-c", ALONE, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        endpoint = f"http://127.0.0.1:{int(process.stdout.readline())}"
        try:
            with ExitStack() as stack:
                _rank(service, stack.enter_context(connect(endpoint)))
                before = resident_bytes(process.pid)
                for _ in range(12):
                    client = stack.enter_context(connect(endpoint))
                    client.send(put_model(service, 100 * MIB), b"x" * (80 * MIB))
                assert _peak(process.pid) - before < 200 * MIB
                with connect(endpoint) as other:
                    _rank(service, other)
                assert list(tmp_path.iterdir()) == [], "a file of a body has a name"
            eventually(lambda: resident_bytes(process.pid) - before < 100 * MIB, "the memory comes back")
        finally:
            process.terminate()
    service.close()


def _peak(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def _rank(service: Service, client: StrictClient) -> None:
    body = json.dumps(person()).encode()
    client.send(post_rank(service, len(body)), body)
    assert client.read("POST").status == 201


SPOOLING = Limits(body_bytes=10_000, spooled_bytes_per_loop=350_000, spooled_bytes=10**9)


@pytest.mark.parametrize("extra", ["", "Expect: 100-continue\r\n"])
def test_a_loop_has_so_many_large_bodies_at_a_time(extra: str) -> None:
    with limited(SPOOLING) as (service, endpoint), ExitStack() as stack:
        held = [stack.enter_context(connect(endpoint)) for _ in range(2)]
        for client in held:
            client.send(put_model(service, 150_000), b"x" * 100_000)
        eventually(lambda: _answers_busy(put_model(service, 150_000, extra), endpoint), "a third is refused")
        with connect(endpoint) as other:
            _rank(service, other)
        held[0].send(b"x" * 50_000)
        assert json.loads(held[0].read("PUT").body)["error"]["code"] == "invalidModelImportFormat"
        held[1].socket.close()
        eventually(lambda: _is_taken(service, endpoint, 300_000), "what they held is free again")


def _answers_busy(head: bytes, endpoint: str) -> bool:
    """Whether another body is refused, before a byte of it is asked for."""
    with connect(endpoint) as client:
        client.send(head)
        client.socket.settimeout(0.3)
        try:
            response = client.read("PUT")
        except (TimeoutError, AssertionError):  # the ones before it have not been seen yet
            return False
        check_refused(response, 429, "429")
        if response.closes:
            client.expect_end()
        return True


def _is_taken(service: Service, endpoint: str, size: int) -> bool:
    with connect(endpoint) as client:
        client.send(put_model(service, size), b"x" * size)
        return client.read("PUT").status == 400


def test_all_loops_have_so_many_large_bodies_at_a_time() -> None:
    with limited(replace(SPOOLING, spooled_bytes=200_000)) as (service, endpoint):
        with connect(endpoint) as client:
            client.send(put_model(service, 200_001))
            check_refused(client.read("PUT"), 503, "OperationNotAllowed")
        with connect(endpoint) as client:
            client.send(put_model(service, 200_000), b"x" * 200_000)
            assert client.read("PUT").status == 400


def test_unfinished_small_bodies_are_counted_too() -> None:
    limits = Limits(body_bytes=100_000, arriving_bytes_per_loop=150_000)
    with limited(limits) as (service, endpoint), ExitStack() as stack:
        for _ in range(2):
            client = stack.enter_context(connect(endpoint))
            client.send(post_rank(service, 70_000), b"x" * 60_000)

        eventually(lambda: _answers_busy(post_rank(service, 70_000), endpoint), "a third is refused")
        with connect(endpoint) as other:
            _rank(service, other)


def test_bodies_that_wait_for_a_thread_are_counted() -> None:
    """Configurations come whole, but wait for the handlers in front of them."""
    limits = Limits(body_bytes=100_000, arriving_bytes_per_loop=150_000)
    service = Service(limits=limits)
    body = b'{"rewardWaitTime":"' + b"P" * 60_000 + b'"}'

    async def put_many() -> list[int]:
        path = f"{PREFIX}/configurations/service"
        replies = await asyncio.gather(*(service.send("PUT", path, body) for _ in range(12)))
        return [reply.status for reply in replies]

    statuses = service.run(put_many())
    assert set(statuses) == {400, 429}
    assert service.call("PUT", f"{PREFIX}/configurations/service", body).status == 400
    service.close()


@pytest.mark.parametrize("size", [300_000, 9_000])
def test_chunks_are_counted_as_they_come(size: int) -> None:
    part = 1_000
    with limited(SPOOLING) as (service, endpoint), connect(endpoint) as client:
        client.send(_head("PUT", MODEL, service.loop.key1, "Transfer-Encoding: chunked\r\n"))
        for _ in range(size // part):
            client.send(b"%x\r\n%b\r\n" % (part, b"x" * part))
        client.send(b"0\r\n\r\n")
        response = client.read("PUT")
        assert json.loads(response.body)["error"]["code"] == "invalidModelImportFormat"
    with limited(SPOOLING) as (service, endpoint), connect(endpoint) as client:
        client.send(_head("PUT", MODEL, service.loop.key1, "Transfer-Encoding: chunked\r\n"))
        try:
            for _ in range(400):
                client.send(b"%x\r\n%b\r\n" % (part, b"x" * part))
        except OSError:
            pass
        check_refused(client.read("PUT"), 429, "429")


def test_what_came_fast_buys_no_time() -> None:
    timeouts = Timeouts(body_s=0.4, body_bytes=10_000, body_rate=10_000)
    with limited(replace(SPOOLING, body_timeout_s=0.4), timeouts) as (service, endpoint):
        with connect(endpoint) as client:
            client.send(put_model(service, 300_000), b"x" * 290_000)
            client.socket.settimeout(10)
            response = client.read("PUT")
        assert (response.status, response.closes) == (408, True)


class Waiting:
    """A verifier of tokens that takes its time."""

    async def verify(self, token: bytes, /, *, address: str = "") -> Caller:
        await asyncio.sleep(3)
        raise Unauthorized


def test_bodies_of_callers_that_are_not_known_yet() -> None:
    """Hardly any of a body is read while its token is looked at, and of all such bodies not much."""
    service = Service(token_verifier=Waiting())
    timeouts = Timeouts(body_s=10, body_bytes=MIB, unread_bytes=2_000_000)
    head = b"PUT %b HTTP/1.1\r\nHost: default.localhost\r\nAuthorization: Bearer x\r\n" % MODEL.encode()
    with served(service, timeouts=timeouts) as endpoint, ExitStack() as stack:
        clients = [stack.enter_context(connect(endpoint)) for _ in range(30)]
        statuses = []
        for client in clients:
            client.socket.setblocking(False)
            client.socket.send(head + b"Content-Length: 100000000\r\n\r\n" + b"x" * 200_000)
        for client in clients:
            client.socket.settimeout(20)
            statuses.append(client.read("PUT").status)
    service.close()
    assert set(statuses) == {401, 503}
    assert statuses.count(401) * 65_536 <= 2_000_000


def test_requests_sent_ahead_are_not_kept_without_bound() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(0.5)
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    service = Service()
    service.app = app
    timeouts = Timeouts(body_s=10, body_bytes=MIB, unread_bytes=100_000)
    request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    with served(service, timeouts=timeouts) as endpoint, connect(endpoint) as client:
        client.send(request * 3_000)
        responses = [client.read("GET")]
        while not responses[-1].closes:
            responses.append(client.read("GET"))
        client.expect_end()
        assert len(responses) == 1
    service.close()


def test_responses_that_nobody_reads_are_counted() -> None:
    limits = Limits(leaving_bytes_per_loop=20 * MIB)
    service = Service(limits=limits, ranks_with=lambda: create_engine(VW_ARGUMENTS))
    logs = service.stores.open(service.loop)
    logs.models.publish(make_model("model-2"), add_checksum(b"x" * (16 * MIB)), live=True)
    get = _head("GET", f"{PREFIX}/model", service.loop.key1, "")
    with (
        served(service) as endpoint,
        connect(endpoint, buffer=131_072) as silent,
        connect(endpoint) as other,
    ):
        silent.send(get)
        assert silent.peek() == b"HTTP/1.1 200"
        other.send(get)
        response = other.read("GET")
        assert (response.status, json.loads(response.body)["error"]["code"]) == (429, "429")
        assert len(silent.read("GET").body) == 16 * MIB
        other.send(get)
        assert len(other.read("GET").body) == 16 * MIB
    service.close()


@pytest.mark.parametrize("silent_s", [0, 3])
def test_a_large_response_may_be_read_slowly_but_not_for_ever(silent_s: float) -> None:
    """Its client reads for four times as long as it may be silent, or says nothing for as long."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-length", b"%d" % (16 * MIB))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"x" * (16 * MIB)})

    service = Service()
    service.app = app
    timeouts = Timeouts(body_s=0.4, stuck_s=0.4, body_bytes=MIB, body_rate=500_000)
    with served(service, timeouts=timeouts) as endpoint, connect(endpoint, buffer=131_072) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(silent_s)
        read = 0
        with contextlib.suppress(ConnectionResetError):
            while read < 16 * MIB and (part := client.socket.recv(262_144)):
                read += len(part)
                time.sleep(0 if silent_s else 0.02)
    service.close()
    assert (read < 16 * MIB) == bool(silent_s)
