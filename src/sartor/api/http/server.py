"""The server: uvicorn with httptools on uvloop, its connections bounded in number and in time."""

import asyncio
import contextlib
import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence

import uvicorn

from sartor import open_files
from sartor.access.asgi import ASGIApp
from sartor.api.http.connection import HttpConnection
from sartor.api.http.connection_limits import KEEP_ALIVE_S, ConnectionLimits, Timeouts
from sartor.api.http.tls import Certificates
from sartor.settings import Limits

STOP_WITHIN_S = 3
"""How long requests in work may take to end when the server stops."""

_CHECK_EVERY_S = 1.0

_log = logging.getLogger(__name__)


class Server(uvicorn.Server):
    """One server; setting ``should_exit`` stops it from any thread, and so do SIGTERM and SIGINT."""

    def __init__(
        self,
        app: ASGIApp,
        /,
        *,
        limits: Limits,
        on_tick: Callable[[], None] = lambda: None,
        timeouts: Timeouts | None = None,
        max_connections: int | None = None,
        tls: Certificates | None = None,
    ) -> None:
        """Prepare a server.

        Args:
            app: the application.
            limits: bounds of a body.
            on_tick: called on the event loop about ten times a second; what it raises is logged.
            timeouts: what one connection may take.
            max_connections: how many may be open; by default as many as the process may have files.
            tls: speak TLS with this certificate; None: plain HTTP.
        """
        self._connection_limits = ConnectionLimits(
            timeouts or Timeouts(body_s=limits.body_timeout_s, body_bytes=limits.body_bytes),
            max_connections=max_connections or open_files.divide(open_files.raise_limit()).clients,
        )
        self._on_tick = on_tick
        self._checked_s = 0.0
        self._tls = tls
        super().__init__(_build_config(app, self._connection_limits, tls))

    async def on_tick(self, counter: int) -> bool:
        """Called by uvicorn ten times a second."""
        now_s = asyncio.get_running_loop().time()
        if now_s - self._checked_s >= min(_CHECK_EVERY_S, self._connection_limits.timeouts.body_s / 4):
            self._checked_s = now_s
            self._connection_limits.check_all(now_s)
        try:
            if self._tls is not None:
                self._tls.refresh()
            self._on_tick()
        except Exception:
            _log.exception("The periodic work of the server failed.", extra={"action": "tick_failed"})
        return await super().on_tick(counter)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop at SIGTERM and SIGINT, and return normally: uvicorn would raise the signal again."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)


def run(server: Server, sockets: Sequence[socket.socket], /) -> None:
    """Serve these listening sockets on a new event loop (uvloop where there is one) until stopped."""
    with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
        runner.run(server.serve(sockets=list(sockets)))


def _build_config(
    app: ASGIApp, connection_limits: ConnectionLimits, tls: Certificates | None
) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        ssl_context_factory=None if tls is None else lambda *_: tls.context,
        http=type("LimitedConnection", (HttpConnection,), {"limits": connection_limits}),
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=STOP_WITHIN_S,
    )
