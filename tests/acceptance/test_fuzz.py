"""A short run of the fuzz campaign against a real service, and that it would find what it looks for."""

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest

from benchmarks.fuzz import watch
from benchmarks.fuzz.campaign import is_documented
from benchmarks.fuzz.mutations import Mutator
from benchmarks.fuzz.request_kinds import ADMIN, CONTROL, DATA, Request, RequestSource, Target
from benchmarks.fuzz.strict_client import Answer, ProtocolError, StrictClient

TARGET = Target(host="localhost", single="key-1", slots="key-2", owner="key-3")
ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(180)
def test_a_short_campaign_finds_nothing() -> None:
    command = [sys.executable, "-m", "benchmarks.fuzz", "--requests", "1500", "--seed", "7"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=170, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for plane in (DATA, ADMIN, CONTROL):
        assert f"{plane}: 2xx" in done.stdout
    assert "in all 1,500 requests" in done.stdout


def draw(seed: int, count: int) -> list[Request]:
    source = RequestSource(seed, TARGET)
    mutator = Mutator(source.random, TARGET)
    return [mutator.mutate(source.draw()) for _ in range(count)]


def test_the_same_seed_draws_the_same_requests() -> None:
    assert draw(3, 300) == draw(3, 300)
    assert draw(3, 300) != draw(4, 300)


def test_no_mutation_takes_away_a_loop_that_others_need() -> None:
    for request in draw(5, 5_000):
        if request.method.upper() in ("DELETE", "PATCH", "PUT", "POST"):
            assert not request.target.lower().startswith(
                (b"/sartor/v1/loops/single", b"/sartor/v1/loops/slots")
            )
        if request.method.upper() == "DELETE":
            assert not any(part in request.target.lower() for part in (b"/model", b"/logs", b"/configurations"))


@contextmanager
def canned(*answers: bytes) -> Iterator[tuple[str, int]]:
    """A server that answers whatever comes with these bytes, one after the other, on one connection."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            for answer in answers:
                if not connection.recv(65_536):
                    return
                connection.sendall(answer)
            connection.recv(65_536)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()
    finally:
        listener.close()
        thread.join(10)


GOOD = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


@pytest.mark.parametrize(
    ("method", "answer", "what"),
    [
        ("HEAD", b"HTTP/1.1 405 No\r\ncontent-length: 2\r\n\r\nno", "something follows"),
        ("GET", GOOD + b"x", "something follows"),
        ("GET", b"HTTP/1.1 204 No\r\ncontent-length: 2\r\n\r\n", "204 with a content-length"),
        ("GET", b"HTTP/1.1 200 OK\r\n\r\n", "content-length of None"),
        ("GET", b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\ncontent-length: 0\r\n\r\n", "came twice"),
        ("GET", b"HTTP/1.1 200 OK\r\nbad name: x\r\n\r\n", "no header"),
        ("GET", b"HTTP/1.0 200 OK\r\n\r\n", "no status line"),
        ("GET", b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", "transfer-encoding"),
        ("GET", b"HTTP/1.1 500 No\r\ncontent-length: 2\r\n\r\nno", "in another shape"),
        (
            "GET",
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1\r\n\r\n{",
            "whose JSON is none",
        ),
    ],
)
def test_what_is_no_answer_is_found(method: str, answer: bytes, what: str) -> None:
    with canned(answer) as (host, port):
        client = StrictClient(host, port)
        with pytest.raises(ProtocolError, match=what):
            client.send(Request(DATA, "x", method, b"/", ((b"host", b"x"),), b""))
        client.close()


def test_good_answers_come_on_one_connection() -> None:
    with canned(GOOD, GOOD) as (host, port):
        client = StrictClient(host, port)
        for _ in range(2):
            answer = client.send(Request(DATA, "x", "GET", b"/", ((b"host", b"x"),), b""))
            assert (answer.status, answer.body) == (200, b"ok")
        assert client.connections == 1
        client.close()


def test_errors_in_the_log_are_found(tmp_path: Path) -> None:
    log = tmp_path / "log"
    lines = [
        "Sartor is ready at http://127.0.0.1:1.",
        json.dumps({"level": "INFO", "message": "fine"}),
        json.dumps({"level": "ERROR", "message": "not fine"}),
        "Traceback (most recent call last):",
    ]
    log.write_text("\n".join(lines))
    assert watch.read_errors(log) == lines[2:]


def test_mutations_leave_a_request_that_can_be_sent() -> None:
    mutator = Mutator(Random(1), TARGET)
    for request in draw(9, 1_000):
        line, _, _ = mutator.mutate(request).encode().partition(b"\r\n")
        assert line.count(b" ") == 2
        assert line.endswith(b" HTTP/1.1")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer(503, {"retry-after": "1"}, b"Too many events are waiting to be written.", False), True),
        (Answer(503, {"retry-after": "1"}, b"The service holds as many request bodies as it can", False), True),
        (Answer(503, {}, b"Too many events are waiting to be written.", False), False),
        (Answer(503, {"retry-after": "1"}, b"a/events.sqlite: the loop was deleted.", False), False),
        (Answer(503, {"retry-after": "1"}, b"The service is stopping; send the request again.", False), False),
        (
            Answer(500, {"retry-after": "1"}, b"The service holds as many request bodies as it can", False),
            False,
        ),
    ],
)
def test_a_503_is_documented_only_where_the_campaign_brought_it_about(answer: Answer, expected: bool) -> None:
    assert is_documented(answer) is expected
