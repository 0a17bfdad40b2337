"""One child of the supervisor: started, watched, started again when it dies, stopped."""

import asyncio
import contextlib
import logging
import os
import signal
import time

from msgspec import Struct

from sartor.problems import ProcessRole

_log = logging.getLogger(__name__)
_STEADY_S = 10.0
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 5.0


class Role(Struct, frozen=True, kw_only=True):
    """What a child is: a name for the log, the command, and the descriptors that it inherits."""

    name: ProcessRole
    command: tuple[str, ...]
    descriptors: tuple[int, ...] = ()


class ChildSupervisor:
    """Keeps one process of a role running. A crashed child is replaced at once, then after growing pauses."""

    def __init__(self, role: Role) -> None:
        self._role = role
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = asyncio.Event()

    @property
    def role(self) -> ProcessRole:
        """What it does."""
        return self._role.name

    @property
    def pid(self) -> int | None:
        """The number of the process that runs; None: none does."""
        process = self._process
        return None if process is None or process.returncode is not None else process.pid

    async def run(self) -> None:
        """Run until ``stop``; returns when the last process has ended."""
        pause_s = 0.0
        while not self._stopping.is_set():
            started = time.monotonic()
            cause = await self._run()
            if time.monotonic() - started >= _STEADY_S:
                pause_s = 0.0
            if not self._stopping.is_set():
                self._log_restart(cause, pause_s)
                await self._pause(pause_s)
            pause_s = min(_LONGEST_PAUSE_S, max(_FIRST_PAUSE_S, 2 * pause_s))

    async def _run(self) -> str:
        try:
            self._process = await self._start()
        except OSError as error:
            return str(error)
        if self._stopping.is_set():
            self.signal(signal.SIGTERM)
        return _describe_exit(await self._process.wait())

    async def _start(self) -> asyncio.subprocess.Process:
        # A group of its own: Ctrl-C in a terminal reaches only the supervisor, which stops the rest in order.
        return await asyncio.create_subprocess_exec(
            *self._role.command,
            stdin=asyncio.subprocess.DEVNULL,
            pass_fds=self._role.descriptors,
            process_group=0,
        )

    def _log_restart(self, cause: str, pause_s: float) -> None:
        extra = {"action": "child_restarted", "role": self._role.name, "pause_s": pause_s}
        _log.warning("The %s process ended (%s) and is started again.", self._role.name, cause, extra=extra)

    async def _pause(self, pause_s: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), timeout=pause_s)

    def stop(self) -> None:
        """Ask it to end, and don't start it again."""
        self._stopping.set()
        self.signal(signal.SIGTERM)

    def signal(self, number: signal.Signals, /) -> None:
        """Send a signal to the process, if there is one."""
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, number)


def _describe_exit(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    return f"signal {signal.Signals(-code).name}"
