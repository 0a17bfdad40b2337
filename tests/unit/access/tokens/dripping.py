"""A server that is slow in every way that a server can be: it sends what it has a byte at a time."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"

WAYS = {
    "no answer": (b"", b""),
    "its status line": (b"", _HEAD + b"\r\n"),
    "its headers": (_HEAD, b"x-more: " + b"x" * 9_999),
    "its body": (_HEAD + b"content-length: 9999\r\n\r\n", b" " * 9_999),
    "a body without length": (_HEAD + b"\r\n", b"{}" + b" " * 9_999),
    "chunks": (_HEAD + b"transfer-encoding: chunked\r\n\r\n", b"1\r\n \r\n" * 9_999),
    "interim answers": (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 9_999),
    "the handshake of TLS": (b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc", b"\x03" * 9_999),
}
"""What is sent at once, and what then drips."""


@contextmanager
def dripping(way: str, *, every_s: float) -> Iterator[tuple[str, list[socket.socket]]]:
    """Serve in one of the ways; gives ``HOST:PORT``, and the connections that were taken so far."""
    at_once, drops = WAYS[way]
    listener = socket.create_server(("127.0.0.1", 0))
    ended, taken = threading.Event(), list[socket.socket]()

    def drip(connection: socket.socket) -> None:
        with suppress(OSError):
            connection.sendall(at_once)
            for place in range(len(drops)):
                if ended.wait(every_s):
                    break
                connection.sendall(drops[place : place + 1])
            ended.wait()
        connection.close()

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                taken.append(connection)
                threading.Thread(target=drip, args=(connection,), daemon=True).start()

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}", taken
    finally:
        ended.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join()
