"""An HTTP/1.1 client that keeps its connection and believes nothing: any deviation is a ``ProtocolError``."""

import contextlib
import json
import re
import socket
from typing import NamedTuple

from benchmarks.fuzz.request_kinds import Request

_TIMEOUT_S = 60.0
_STATUS_LINE = re.compile(rb"HTTP/1\.1 ([1-5]\d\d) [\t -~]*")
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+): ?([\t -~\x80-\xff]*)")
_BODILESS = (204, 304)
_LONGEST_HEAD = 65_536


class ProtocolError(Exception):
    """What came is not HTTP as it must be, or nothing came."""


class Answer(NamedTuple):
    """A parsed answer; header names in small letters. ``closes``: the connection ends with it."""

    status: int
    headers: dict[str, str]
    body: bytes
    closes: bool


class StrictClient:
    """One connection, opened again after the server said that it closes it."""

    def __init__(self, host: str, port: int, /) -> None:
        self._address = (host, port)
        self._socket: socket.socket | None = None
        self._buffer = b""
        self.connections = 0

    def send(self, request: Request, /) -> Answer:
        """Send a request and parse what is answered.

        Raises:
            ProtocolError: the answer is not one, there is none, or something follows it.
        """
        connection = self._open()
        try:
            connection.sendall(request.encode())
            answer = self._read_answer(connection, has_body=request.method != "HEAD")
        except OSError as error:
            self.close()
            raise ProtocolError(f"no answer: {error!r}") from error
        except ProtocolError:
            self.close()
            raise
        self._check_silence(connection, answer)
        if answer.closes:
            self.close()
        check_error(request, answer)
        return answer

    def close(self) -> None:
        """Close the connection; the next request opens another one."""
        if self._socket is not None:
            self._socket.close()
        self._socket, self._buffer = None, b""

    def _open(self) -> socket.socket:
        if self._socket is None:
            self._socket = socket.create_connection(self._address, timeout=_TIMEOUT_S)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections += 1
        return self._socket

    def _read_answer(self, connection: socket.socket, *, has_body: bool) -> Answer:
        head = self._read_head(connection)
        first, *lines = head.split(b"\r\n")
        matched = _STATUS_LINE.fullmatch(first)
        if matched is None:
            raise ProtocolError(f"no status line: {first[:100]!r}")
        status, headers = int(matched[1]), _parse_headers(lines)
        length = _body_length(status, headers)
        body = self._read_exactly(connection, length) if has_body else b""
        return Answer(status, headers, body, headers.get("connection", "").lower() == "close")

    def _read_head(self, connection: socket.socket) -> bytes:
        while b"\r\n\r\n" not in self._buffer:
            if len(self._buffer) > _LONGEST_HEAD:
                raise ProtocolError("the head has no end")
            self._receive(connection)
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        return head

    def _read_exactly(self, connection: socket.socket, length: int) -> bytes:
        while len(self._buffer) < length:
            self._receive(connection)
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        return body

    def _receive(self, connection: socket.socket) -> None:
        received = connection.recv(262_144)
        if not received:
            raise ProtocolError(f"closed within an answer, after {self._buffer[:100]!r}")
        self._buffer += received

    def _check_silence(self, connection: socket.socket, answer: Answer) -> None:
        """Nothing may follow an answer before the next request, but the end of the connection."""
        connection.setblocking(False)
        try:
            with contextlib.suppress(BlockingIOError, ConnectionResetError):
                followed = connection.recv(1024)
                self._buffer += followed
                if not followed and not answer.closes:
                    self.close()
                    raise ProtocolError("closed without saying so")
        finally:
            if self._socket is not None:
                connection.settimeout(_TIMEOUT_S)
        if self._buffer:
            followed = self._buffer
            self.close()
            raise ProtocolError(f"something follows the answer: {followed[:100]!r}")


def _parse_headers(lines: list[bytes]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in lines:
        matched = _HEADER.fullmatch(line)
        if matched is None:
            raise ProtocolError(f"no header: {line[:100]!r}")
        name = matched[1].decode().lower()
        if name in headers:
            raise ProtocolError(f"the header {name} came twice")
        headers[name] = matched[2].decode("latin-1")
    return headers


def _body_length(status: int, headers: dict[str, str]) -> int:
    if "transfer-encoding" in headers:
        raise ProtocolError("a transfer-encoding that nobody asked for")
    length = headers.get("content-length")
    if status in _BODILESS:
        if length not in (None, "0"):
            raise ProtocolError(f"{status} with a content-length of {length}")
        return 0
    if length is None or not length.isascii() or not length.isdigit():
        raise ProtocolError(f"{status} with a content-length of {length!r}")
    return int(length)


def check_error(request: Request, answer: Answer, /) -> None:
    """Check that JSON is JSON, and that an error has the one shape of errors.

    Raises:
        ProtocolError: it has another.
    """
    if request.method == "HEAD" or not answer.body:
        return
    is_json = answer.headers.get("content-type", "").startswith("application/json")
    try:
        body = json.loads(answer.body) if is_json else None
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"{answer.status} whose JSON is none: {error}") from error
    if answer.status < 400:
        return
    error_ = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error_, dict) or not error_.get("message"):
        raise ProtocolError(f"{answer.status} in another shape: {answer.body[:100]!r}")
    if error_.get("code") != answer.headers.get("x-ms-error-code"):
        raise ProtocolError(f"{answer.status} whose code and header differ: {answer.body[:100]!r}")
