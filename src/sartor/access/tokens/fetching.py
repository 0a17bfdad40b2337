"""Fetches a JSON document of an issuer within a time that holds for all of it, and a size.

A time limit for each read is none for the whole: who sends a byte now and then is within it for hours. So a
timer cuts the connection, whatever it is busy with: the handshake of TLS, the head or the body.
"""

import socket
import threading
from contextlib import suppress
from typing import Any

import msgspec
import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

MOST_BYTES = 1_048_576
"""How large a document may be."""

_PART_BYTES = 65_536


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


def fetch_json(url: str, deadline: Deadline, /) -> dict[str, Any]:
    """Fetch a JSON object. A redirect is not followed.

    Raises:
        requests.RequestException: it does not answer with one in time.
        urllib3.exceptions.HTTPError: its answer breaks off.
        msgspec.DecodeError: its answer is no JSON object.
        ValueError: its answer is too large.
    """
    with requests.Session() as session:
        adapter = _WatchedAdapter(deadline)
        for scheme in ("https://", "http://"):
            session.mount(scheme, adapter)
        # Unpacked, a small answer could be of any size.
        headers = {"Accept-Encoding": "identity"}
        try:
            with session.get(
                url, timeout=deadline.after_s, allow_redirects=False, stream=True, headers=headers
            ) as answer:
                answer.raise_for_status()
                body = _read_body(answer)
        finally:
            deadline.check()
    return msgspec.json.decode(body, type=dict[str, Any])


def _read_body(answer: requests.Response) -> bytes:
    body = b""
    for part in answer.raw.stream(_PART_BYTES, decode_content=False):
        body += part
        if len(body) > MOST_BYTES:
            raise ValueError("The answer is too large.")
    return body


class _WatchedAdapter(HTTPAdapter):
    """Opens connections that a deadline watches, also through a proxy."""

    def __init__(self, deadline: Deadline) -> None:
        self._pools = _create_pools(deadline)
        super().__init__()

    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        super().init_poolmanager(*args, **more)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, *args: Any, **more: Any) -> Any:
        manager = super().proxy_manager_for(*args, **more)
        manager.pool_classes_by_scheme = self._pools
        return manager


def _create_pools(deadline: Deadline) -> dict[str, type[HTTPConnectionPool]]:
    class WatchedConnection(HTTPConnection):
        # The one place where the socket is there before the handshake of TLS.
        def _new_conn(self) -> socket.socket:
            connected = super()._new_conn()
            deadline.watch(connected)
            return connected

    class WatchedTlsConnection(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            connected = super()._new_conn()
            deadline.watch(connected)
            return connected

    class WatchedPool(HTTPConnectionPool):
        ConnectionCls = WatchedConnection

    class WatchedTlsPool(HTTPSConnectionPool):
        ConnectionCls = WatchedTlsConnection

    return {"http": WatchedPool, "https": WatchedTlsPool}
