"""Starting the children that compute jobs, from the work process or from a command that waits."""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import msgspec

from sartor.errors import SartorError
from sartor.evaluation.executor import LOCAL
from sartor.evaluation.spec import model_prefix
from sartor.jobs.child import MOST_ERROR_BYTES, JobArguments
from sartor.jobs.worker import JobWorker
from sartor.ports import Loop, LoopStores, Stores
from sartor.records import Job
from sartor.runtime import compose

_log = logging.getLogger(__name__)
_ROUND_S = 0.25
_IDLE_S = 1.0


class ChildProcess:
    """A ``Labour``: a process with a group of its own."""

    def __init__(self, where: str, loop: Loop, job: Job, /, *, compute: str) -> None:
        """Start it.

        Args:
            where: the data folder.
            loop: whose job it is.
            job: as it was claimed.
            compute: where it computes; see ``compute.computing``.
        """
        ends, self._held = os.pipe()
        self._error, tells = os.pipe()
        assignment = JobArguments(
            where=where,
            loop_id=loop.loop_id,
            job_id=job.job_id,
            attempts=job.attempts,
            compute=compute,
            lifeline=ends,
            error_pipe=tells,
        )
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "sartor.jobs.child", msgspec.json.encode(assignment).decode()],
                stdin=subprocess.DEVNULL,
                pass_fds=(ends, tells),
                start_new_session=True,
            )
        finally:
            os.close(ends)
            os.close(tells)

    def exit_reason(self) -> str | None:
        """How it ended; None while it lives."""
        code = self._process.poll()
        if code is None:
            return None
        reason = self._reason()
        self._release()
        if code < 0:
            return f"it was killed by {signal.Signals(-code).name}"
        return f"it ended with code {code}" + (f" ({reason})" if reason else "")

    def _reason(self) -> str:
        """The error that a child which has ended wrote to its pipe; empty if it wrote none."""
        if self._error < 0:
            return ""
        os.set_blocking(self._error, False)
        try:
            return os.read(self._error, MOST_ERROR_BYTES).decode(errors="replace").rstrip(".")
        except BlockingIOError:  # a process that it started still holds the pipe
            return ""

    def kill(self) -> None:
        """End it and all that it started."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._release()

    def _release(self) -> None:
        if self._held >= 0:
            os.close(self._held)
            os.close(self._error)
            self._held = self._error = -1


def start_worker(stores: Stores, where: str, /, *, compute: str = LOCAL) -> JobWorker:
    """A job worker whose children work on this data folder."""
    return JobWorker(
        stores, lambda loop, job: ChildProcess(where, loop, job, compute=compute), forget=_forget_models
    )


def _forget_models(logs: LoopStores, job: Job) -> None:
    prefix = model_prefix(job.job_id)
    for name in logs.blobs.names():
        if name.startswith(prefix):
            logs.blobs.delete(name)


@contextmanager
def run_jobs(where: str, /, *, compute: str = LOCAL) -> Iterator[None]:
    """Get the jobs of all loops done, in a thread with stores of its own, for as long as this is entered."""
    stop = threading.Event()
    thread = threading.Thread(target=_labour, args=(where, compute, stop), name="jobs", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _labour(where: str, compute: str, stop: threading.Event) -> None:
    complaint = ""
    with compose.open_instance(where, must_exist=False) as stores:
        boss = start_worker(stores, where, compute=compute)
        while not stop.wait(_ROUND_S if boss.busy else _IDLE_S):
            try:
                boss.run_once(now_us=time.time_ns() // 1_000)
                complaint = ""
            except Exception as error:  # whatever is wrong now, jobs come again
                complaint = _told(error, complaint)
        boss.stop()


def _told(error: Exception, before: str) -> str:
    message = f"{type(error).__name__}: {error}"
    if message != before:
        trace = None if isinstance(error, SartorError) else error
        _log.warning("Jobs wait: %s", message, extra={"action": "jobs_wait"}, exc_info=trace)
    return message
