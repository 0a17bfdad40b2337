"""The api process: answers requests on one listening socket until it is asked to stop."""

import os
import socket
import threading
from pathlib import Path

from sartor.access.served_loops import Desks
from sartor.access.shared_counters import Board
from sartor.api.app import application
from sartor.api.http.server import Server
from sartor.api.http.server import run as serve
from sartor.ports import EngineFactory, Stores
from sartor.runtime import log_format
from sartor.service.administration import Administration
from sartor.service.control.counterpart import Counterpart
from sartor.service.loop_table_sync import Counter
from sartor.service.server_options import Entrance
from sartor.settings import Limits


def run(
    stores: Stores,
    factory: EngineFactory,
    listener: socket.socket,
    /,
    *,
    apart: Stores,
    folder: Path,
    entrance: Entrance,
    ready: int | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT; requests in work are answered first.

    Args:
        stores: what the instance keeps.
        factory: makes the engines that rank.
        apart: the same stores opened once more, for the threads of the administration.
        listener: a listening socket; it may be shared with other processes.
        folder: the data folder; what the api processes of the instance share for a second is in there.
        entrance: what stands before the application.
        ready: a pipe that hears of it when requests are answered.
    """
    limits = Limits()
    desks = Desks()
    board = Board(folder / "rates")
    counter = Counter(stores, factory, desks, limit=limits.buffered_events, tally_of=board.tally)
    counter.tick()
    lock = threading.Lock()
    app = application(
        desks,
        admin=Administration(apart, lock=lock),
        door=Counterpart(apart, "the service", lock=lock),
        owner_key=entrance.owner_key.encode(),
        bearers=entrance.bearers,
        limits=limits,
        probe=counter.troubles,
    )
    app = entrance.before(app, desks, apart, tell=log_format.lines)
    tick = _Tick(counter, ready)
    server = Server(app, limits=limits, on_tick=tick, tls=entrance.certificates)
    try:
        serve(server, [listener])
    finally:
        counter.close()
        board.close()


class _Tick:
    """What happens ten times a second: the first time, the supervisor hears that requests are answered."""

    def __init__(self, counter: Counter, ready: int | None) -> None:
        self._counter = counter
        self._ready = ready

    def __call__(self) -> None:
        if self._ready is not None:
            os.write(self._ready, b"+")
            self._ready = None
        self._counter.tick()
