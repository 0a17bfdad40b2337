"""The probe counts a stall in full, and takes nothing but an answer for one."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from benchmarks import probe

ANSWER = b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}"
REQUESTS = [b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}"] * 100


@contextmanager
def server(answer: bytes = ANSWER, *, stall_s: float = 0.0) -> Iterator[str]:
    """A server on one connection that sleeps once, at its twentieth request."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_serve, args=(listener, answer, stall_s))
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join(timeout=10)


def _serve(listener: socket.socket, answer: bytes, stall_s: float) -> None:
    connection, _ = listener.accept()
    answered = 0
    with connection:
        while connection.recv(4096):
            answered += 1
            if answered == 20:
                time.sleep(stall_s)
            connection.sendall(answer)


def test_requests_that_were_due_during_a_stall_count_as_slow() -> None:
    with server(stall_s=0.3) as endpoint:
        taken = probe.measure_seconds(endpoint, REQUESTS, rate=200, connections=1)
    assert len(taken) == 100
    assert sum(seconds > 0.02 for seconds in taken) > 40  # a closed loop would see a single one


def test_another_status_is_no_answer() -> None:
    refusal = ANSWER.replace(b"201", b"503")
    with server(refusal) as endpoint, pytest.raises(RuntimeError, match="503"):
        probe.measure_seconds(endpoint, REQUESTS, rate=200, connections=1)


def test_an_answer_in_parts_is_put_together() -> None:
    with server(ANSWER.replace(b"Length: 2", b"Length: 70000") + b" " * 69_998) as endpoint:
        assert len(probe.measure_seconds(endpoint, REQUESTS[:3], rate=200, connections=1)) == 3


@pytest.mark.parametrize(
    ("share", "value"),
    [
        pytest.param(0.5, 50, id="the middle"),
        pytest.param(0.99, 99, id="the 99th of a hundred"),
        pytest.param(1.0, 100, id="the last"),
    ],
)
def test_a_quantile_is_a_value_that_was_seen(share: float, value: int) -> None:
    assert probe.quantile([float(n) for n in range(100, 0, -1)], share) == value
