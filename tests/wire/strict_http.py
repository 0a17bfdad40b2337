"""A client that reads responses as RFC 9112 says, to the byte, and forgives nothing."""

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from msgspec import Struct

_STATUS_LINE = re.compile(rb"HTTP/1\.1 ([1-5][0-9][0-9]) [\x20-\x7e]*")
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+): ?([\x20-\x7e]*)")


class StrictResponse(Struct, frozen=True):
    """One response; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def closes(self) -> bool:
        """Whether it says that the connection ends with it."""
        return self.headers.get("connection", "").lower() == "close"


class StrictClient:
    """One connection. Whatever is not exactly a response fails the test."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self._received = b""

    def send(self, *parts: bytes) -> None:
        self.socket.sendall(b"".join(parts))

    def read(self, method: str) -> StrictResponse:
        """Read the response to a request with this method, and not a byte more."""
        while True:
            head = self._take_head()
            status_line, *lines = head.split(b"\r\n")
            match = _STATUS_LINE.fullmatch(status_line)
            assert match, f"no status line: {status_line[:100]!r}"
            status, headers = int(match[1]), _parse_headers(lines)
            if status >= 200:
                break
            assert not lines, "an interim response with headers"
        assert "transfer-encoding" not in headers
        if status in (204, 304):
            assert "content-length" not in headers, "RFC 9110, 8.6"
            return StrictResponse(status, headers, b"")
        length = headers["content-length"]
        assert re.fullmatch("0|[1-9][0-9]*", length)
        return StrictResponse(status, headers, b"" if method == "HEAD" else self._take(int(length)))

    def peek(self) -> bytes:
        """The first bytes of what was sent and not read yet, up to the status; waits for them."""
        assert self._received == b""
        return self.socket.recv(12, socket.MSG_PEEK)

    def expect_end(self) -> None:
        """The server closes the connection, and has sent nothing else."""
        assert self._received == b"", f"left over: {self._received[:100]!r}"
        assert self.socket.recv(1) == b"", "more was sent"

    def _take_head(self) -> bytes:
        while b"\r\n\r\n" not in self._received:
            self._receive()
        head, _, self._received = self._received.partition(b"\r\n\r\n")
        return head

    def _take(self, length: int) -> bytes:
        while len(self._received) < length:
            self._receive()
        taken, self._received = self._received[:length], self._received[length:]
        return taken

    def _receive(self) -> None:
        part = self.socket.recv(65_536)
        assert part, f"closed in the middle, after {self._received[:100]!r}"
        self._received += part


def _parse_headers(lines: list[bytes]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in lines:
        match = _HEADER.fullmatch(line)
        assert match, f"no header: {line[:100]!r}"
        name = match[1].decode().lower()
        assert name not in headers, f"{name} was sent twice"
        headers[name] = match[2].decode()
    return headers


@contextmanager
def connect(endpoint: str, *, buffer: int | None = None) -> Iterator[StrictClient]:
    """Open a connection to an endpoint. ``buffer``: how many bytes the system keeps of what is not read."""
    address = urlsplit(endpoint)
    with socket.socket() as connection:
        connection.settimeout(20)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if buffer is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        connection.connect((str(address.hostname), address.port or 0))
        yield StrictClient(connection)
