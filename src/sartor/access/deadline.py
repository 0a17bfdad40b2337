"""A time limit for all of a request to another service.

A time limit for each read is none for the whole: who sends a byte now and then is within it for hours. So a
timer cuts the connection, whatever it is busy with: the handshake of TLS, the head or the body.
"""

import socket
import threading
from contextlib import suppress

import requests


class Deadline:
    """A time after which connections are cut; a context, at whose end the timer is stopped."""

    def __init__(self, after_s: float, /) -> None:
        """``after_s``: seconds from the beginning of the context."""
        self.after_s = after_s
        self.is_over = False
        self._timer = threading.Timer(after_s, self._cut)
        self._timer.daemon = True
        self._lock = threading.Lock()
        self._watched: list[socket.socket] = []

    def __enter__(self) -> "Deadline":
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        with self._lock:
            for one in self._watched:
                one.close()
            self._watched.clear()

    def watch(self, connected: socket.socket, /) -> None:
        """Cut this connection when the time is over; at once if it is."""
        with self._lock:
            # A copy of the descriptor: TLS takes the socket itself away.
            self._watched.append(connected.dup())
        if self.is_over:
            self._cut()

    def check(self) -> None:
        """Check that there is time left: what was cut can look like a body that ended.

        Raises:
            requests.Timeout: there is none.
        """
        if self.is_over:
            raise requests.Timeout(f"It took longer than {self.after_s:g} s.")

    def _cut(self) -> None:
        self.is_over = True
        with self._lock:
            for one in self._watched:
                with suppress(OSError):  # the other side was faster
                    one.shutdown(socket.SHUT_RDWR)
