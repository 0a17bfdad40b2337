"""Measures latency at a given rate in an open loop, so that a slow answer does not delay the next request.

A closed loop (wrk) sends the next request only after an answer; a stall of the server then costs one slow
request instead of all those that should have been sent meanwhile ("coordinated omission"). Here requests are
due at fixed times; each latency is measured from the time at which its request was due, even if it could only
be sent later. Delays of the probe itself are included: the reported latency is never too low.
"""

import gc
import math
import select
import socket
import time
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

from benchmarks import machine
from benchmarks.workload import MARK

STALL_S = 10.0


class Latency(NamedTuple):
    """Two quantiles in milliseconds, and the number of requests."""

    p50_ms: float
    p99_ms: float
    requests: int

    def __str__(self) -> str:
        return f"{self.p50_ms:.2f} / {self.p99_ms:.2f} ms"


def quantile(values: Sequence[float], share: float, /) -> float:
    """The smallest value with at least this share of the values at or below it."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)]


def build_rank_requests(
    bodies: Sequence[str], /, *, keys: Sequence[str], count: int, prefix: str
) -> list[bytes]:
    """Build complete HTTP requests: bodies and keys in turn, each with its own event id."""
    return [
        _build_request(bodies[i % len(bodies)].replace(MARK, f"{prefix}{i:010d}"), keys[i % len(keys)])
        for i in range(count)
    ]


def _build_request(body: str, key: str) -> bytes:
    lines = (
        "POST /personalizer/v1.0/rank HTTP/1.1",
        "Host: 127.0.0.1",
        f"Ocp-Apim-Subscription-Key: {key}",
        "Content-Type: application/json",
        f"Content-Length: {len(body.encode())}",
    )
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def measure_latency(endpoint: str, requests: Sequence[bytes], /, *, rate: float) -> Latency:
    """Returns quantiles of ``measure_seconds``, run on the load generator's core."""
    with machine.run_on_core(machine.LOAD_CORE):
        taken = measure_seconds(endpoint, requests, rate=rate)
    return Latency(quantile(taken, 0.5) * 1e3, quantile(taken, 0.99) * 1e3, len(taken))


def measure_seconds(
    endpoint: str, requests: Sequence[bytes], /, *, rate: float, connections: int = 64
) -> list[float]:
    """Send ``rate`` requests per second; returns the seconds from each one's due time to its answer.

    Raises:
        RuntimeError: an answer was not 201, or none came for some seconds.
    """
    gc.collect()
    gc.disable()
    sender = _ScheduledSender(endpoint, connections)
    try:
        return sender.run(requests, 1.0 / rate)
    finally:
        gc.enable()
        sender.close()


class _ScheduledSender:
    """Sends requests at fixed times over several connections; one without a pending request is idle."""

    def __init__(self, endpoint: str, connections: int) -> None:
        address = urlsplit(endpoint)
        self._poll = select.epoll()
        self._sockets: dict[int, socket.socket] = {}
        self._due: dict[int, float] = {}
        self._parts: dict[int, bytes] = {}
        for _ in range(connections):
            one = socket.create_connection((address.hostname, address.port), timeout=5)
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._sockets[one.fileno()] = one
            self._poll.register(one.fileno(), select.EPOLLIN)
        self._idle = list(self._sockets)

    def run(self, requests: Sequence[bytes], gap_s: float) -> list[float]:
        """Send all; returns the seconds that each took."""
        taken: list[float] = []
        sent, start = 0, time.perf_counter() + 0.05
        last_answer = start
        while len(taken) < len(requests):
            now = time.perf_counter()
            while sent < len(requests) and self._idle and start + sent * gap_s <= now:
                self._send(requests[sent], start + sent * gap_s)
                sent += 1
            # A timeout of 0: the clock of epoll has a grain of a millisecond, too coarse to sleep on.
            for number, _ in self._poll.poll(0):
                taken += self._receive(number)
                last_answer = now
            if now - last_answer > STALL_S:
                raise RuntimeError(f"No answer for {STALL_S} s; {len(taken)} of {len(requests)} came.")
        return taken

    def close(self) -> None:
        """Close the connections."""
        self._poll.close()
        for one in self._sockets.values():
            one.close()

    def _send(self, request: bytes, due: float) -> None:
        number = self._idle.pop()
        self._due[number] = due
        self._sockets[number].sendall(request)

    def _receive(self, number: int) -> list[float]:
        answer = self._parts.pop(number, b"") + self._sockets[number].recv(1 << 17)
        if not _is_whole(answer):
            self._parts[number] = answer
            return []
        if answer[9:12] != b"201":
            raise RuntimeError(f"Not an answer to a rank: {answer[:200]!r}")
        self._idle.append(number)
        return [time.perf_counter() - self._due.pop(number)]


def _is_whole(answer: bytes) -> bool:
    if not answer:
        raise RuntimeError("The server closed a connection.")
    head, end, body = answer.partition(b"\r\n\r\n")
    if not end:
        return False
    length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
    return len(body) >= int(length)
