"""The api process: answers requests on one listening socket until it is asked to stop."""

import os
import socket
from pathlib import Path

from sartor.access.served_loops import LoopTable
from sartor.access.shared_counters import SharedCounters
from sartor.api.app import create_app
from sartor.api.http.server import Server
from sartor.api.http.server import run as serve
from sartor.ports import EngineFactory, Stores
from sartor.runtime import log_format
from sartor.runtime.instance_watch import InstanceWatch
from sartor.runtime.progress_reporter import ProgressReporter
from sartor.service.instance_health import InstanceHealth
from sartor.service.loop_table_sync import LoopTableSync
from sartor.service.server_options import ServerOptions
from sartor.settings import Limits

_OPENING_S = 0.03
"""For how long loops that are not open yet are opened at a time, ten times a second, while requests wait."""


def run(
    stores: Stores,
    factory: EngineFactory,
    listener: socket.socket,
    /,
    *,
    apart: Stores,
    folder: Path,
    options: ServerOptions,
    ready: int | None = None,
    is_supervised: bool = False,
) -> None:
    """Serve until SIGTERM or SIGINT; requests in progress are answered first.

    Args:
        stores: the stores of the instance.
        factory: makes the engines that rank.
        apart: the same stores opened once more, for the threads of the administration.
        listener: a listening socket; it may be shared with other processes.
        folder: the data folder, for the counters that the api processes share, and for large bodies.
        options: TLS, tokens, proxies and the request log.
        ready: a pipe that gets a byte as soon as requests are answered.
        is_supervised: whether somebody starts the learn and the work process too.
    """
    limits = Limits(waiting_jobs=options.waiting_jobs)
    loop_table = LoopTable()
    counters = SharedCounters(folder / "rates")
    loop_table_sync = LoopTableSync(
        stores, factory, loop_table, limit=limits.buffered_events, counter_of=counters.counter_of
    )
    loop_table_sync.sync()
    loop_table.catch_up = loop_table_sync.catch_up
    watch = InstanceWatch(apart.reports, expected=("learn", "work") if is_supervised else ())
    health = InstanceHealth(loop_table_sync, watch, check_writable=stores.check_writable)
    app = create_app(
        loop_table,
        stores=apart,
        owner_key=options.owner_key.encode(),
        token_verifier=options.token_verifier,
        allowed_destinations=options.allowed_destinations,
        limits=limits,
        folder=folder,
        probe=health.state,
    )
    app = options.wrap(app, loop_table, apart, open_log=log_format.line_writer)
    reporter = ProgressReporter(apart.reports, "api")
    tick = _Tick(loop_table_sync, ready, reporter, health)
    server = Server(app, limits=limits, on_tick=tick, tls=options.certificates)
    reporter.start()
    try:
        serve(server, [listener])
    finally:
        reporter.close()
        loop_table_sync.close()
        counters.close()


class _Tick:
    """Runs ten times a second; the first time it notifies the supervisor that requests are answered."""

    def __init__(
        self,
        loop_table_sync: LoopTableSync,
        ready: int | None,
        reporter: ProgressReporter,
        health: InstanceHealth,
    ) -> None:
        self._health = health
        self._loop_table_sync = loop_table_sync
        self._ready = ready
        self._reporter = reporter

    def __call__(self) -> None:
        if self._ready is not None:
            os.write(self._ready, b"+")
            self._ready = None
        self._loop_table_sync.sync(opening_s=_OPENING_S)
        self._reporter.note_progress(self._health.look)
