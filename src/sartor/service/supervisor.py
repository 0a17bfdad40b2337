"""The supervisor: starts the processes of an instance, restarts those that crash, and stops them all."""

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Sequence

from sartor.problems import ProcessReports
from sartor.runtime.instance_watch import InstanceWatch
from sartor.service.child_process import ChildSupervisor, Role
from sartor.service.process_watchdog import ProcessWatchdog
from sartor.settings import ServeSettings

_log = logging.getLogger(__name__)
_STOP_TIMEOUT_S = 4.0


def list_roles(settings: ServeSettings, *, listener: int, lifeline: int, ready: int) -> list[Role]:
    """The child processes of an instance. The numbers are descriptors that they inherit."""
    inherited = ("--listener", listener, "--lifeline", lifeline, "--ready", ready)
    api = _to_command("api", settings, *_list_flags(settings), *inherited)
    learn = _to_command("learn", settings, "--lifeline", lifeline)
    allowed = ("--allowed-destinations", settings.allowed_destinations)
    work = _to_command("work", settings, "--compute", settings.compute, *allowed, "--lifeline", lifeline)
    return [
        *(
            Role(name="api", command=api, descriptors=(listener, lifeline, ready))
            for _ in range(settings.api_processes)
        ),
        Role(name="learn", command=learn, descriptors=(lifeline,)),
        Role(name="work", command=work, descriptors=(lifeline,)),
    ]


def _to_command(name: str, settings: ServeSettings, *more: str | int) -> tuple[str, ...]:
    where = ("--data", settings.data, "--durability", settings.durability, "--log-format", settings.log_format)
    return (sys.executable, "-m", "sartor", name, *where, *map(str, more))


def _list_flags(settings: ServeSettings) -> Iterator[str]:
    yield from ("--allowed-destinations", settings.allowed_destinations)
    yield from ("--waiting-jobs", str(settings.waiting_jobs))
    named = {
        "--tls-cert": settings.tls_cert,
        "--tls-key": settings.tls_key,
        "--tokens": settings.tokens,
        "--trusted-proxies": settings.trusted_proxies,
        "--forwarded-header": settings.forwarded_header,
    }
    for flag, value in named.items():
        if value is not None:
            yield from (flag, value)
    if settings.diagnostics:
        yield "--diagnostics"


def supervise(
    settings: ServeSettings,
    listener: socket.socket,
    /,
    *,
    reports: ProcessReports,
    on_ready: Callable[[], None],
) -> None:
    """Run the instance until SIGTERM, SIGINT or SIGHUP.

    Args:
        settings: how the instance runs.
        listener: the listening socket; it stays open as long as the supervisor runs.
        reports: what the processes say about themselves.
        on_ready: called once, when the first api process answers requests.
    """
    lifeline, lifeline_end = os.pipe()
    ready, ready_end = os.pipe()
    try:
        children = [
            ChildSupervisor(role)
            for role in list_roles(settings, listener=listener.fileno(), lifeline=lifeline, ready=ready_end)
        ]
        watchdog = ProcessWatchdog(InstanceWatch(reports), children)
        asyncio.run(_ChildWatch(children, watchdog).run(ready, on_ready))
    finally:
        for descriptor in (lifeline, lifeline_end, ready, ready_end):
            os.close(descriptor)


class _ChildWatch:
    def __init__(self, children: Sequence[ChildSupervisor], watchdog: ProcessWatchdog) -> None:
        self._children = children
        self._watchdog = watchdog
        self._stop = asyncio.Event()

    async def run(self, ready: int, on_ready: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(number, self._handle_stop)
        loop.add_reader(ready, self._handle_ready, ready, on_ready)
        running = [asyncio.create_task(child.run()) for child in self._children]
        watching = asyncio.create_task(self._watchdog.run())
        await self._stop.wait()
        watching.cancel()  # what stops makes no progress
        loop.remove_reader(ready)
        await self._stop_children(running)

    def _handle_ready(self, ready: int, on_ready: Callable[[], None]) -> None:
        asyncio.get_running_loop().remove_reader(ready)
        on_ready()

    def _handle_stop(self) -> None:
        if self._stop.is_set():
            _log.warning("Stopping at once.", extra={"action": "killing"})
            self._signal_all(signal.SIGKILL)
        self._stop.set()

    def _signal_all(self, number: signal.Signals) -> None:
        for child in self._children:
            child.signal(number)

    async def _stop_children(self, running: Sequence["asyncio.Task[None]"]) -> None:
        _log.info("Stopping.", extra={"action": "stopping"})
        for child in self._children:
            child.stop()
        _, late = await asyncio.wait(running, timeout=_STOP_TIMEOUT_S)
        if late:
            extra = {"action": "killing", "count": len(late)}
            _log.warning("Some processes did not stop in time.", extra=extra)
            self._signal_all(signal.SIGKILL)
        await asyncio.gather(*running)
