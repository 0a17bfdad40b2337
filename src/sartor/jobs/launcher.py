"""Starts the children that compute jobs, from the work process or from a command that waits for one."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress

import msgspec

from sartor.errors import DataFolderInUse, JobNotFound
from sartor.evaluation.executor import LOCAL
from sartor.evaluation.spec import model_prefix
from sartor.jobs.child import MOST_ERROR_BYTES, JobArguments
from sartor.jobs.worker import JobWorker
from sartor.management import loops
from sartor.ports import Loop, LoopStores, Stores
from sartor.problems import Problem
from sartor.records import Job
from sartor.runtime import compose
from sartor.runtime.instance_lock import InstanceLock
from sartor.runtime.report_once import ReportOnce
from sartor.times import now_us

_ROUND_S = 0.25
_POLL_S = 0.2
_UNFINISHED = ("pending", "running")
_IDLE_S = 1.0


class ChildProcess:
    """A ``RunningJob``: a process with a group of its own."""

    def __init__(self, where: str, loop: Loop, job: Job, /, *, compute: str) -> None:
        """Start it.

        Args:
            where: the data folder.
            loop: whose job it is.
            job: as it was claimed.
            compute: where it computes; see ``executor.open_executor``.
        """
        child_end, self._held_open = os.pipe()
        self._error, error_end = os.pipe()
        arguments = JobArguments(
            where=where,
            loop_id=loop.loop_id,
            job_id=job.job_id,
            attempts=job.attempts,
            compute=compute,
            lifeline=child_end,
            error_pipe=error_end,
        )
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "sartor.jobs.child", msgspec.json.encode(arguments).decode()],
                stdin=subprocess.DEVNULL,
                pass_fds=(child_end, error_end),
                start_new_session=True,
            )
        finally:
            os.close(child_end)
            os.close(error_end)

    def exit_reason(self) -> str | None:
        """How it ended; None while it lives."""
        code = self._process.poll()
        if code is None:
            return None
        reason = self._read_reason()
        self._release()
        if code < 0:
            return f"it was killed by {signal.Signals(-code).name}"
        return f"it ended with code {code}" + (f" ({reason})" if reason else "")

    def _read_reason(self) -> str:
        """The error that a child which has ended wrote to its pipe; empty if it wrote none."""
        if self._error < 0:
            return ""
        os.set_blocking(self._error, False)
        try:
            return os.read(self._error, MOST_ERROR_BYTES).decode(errors="replace").rstrip(".")
        except BlockingIOError:  # a process that it started still holds the pipe
            return ""

    def kill(self) -> None:
        """Kill it and all that it started."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._release()

    def _release(self) -> None:
        if self._held_open >= 0:
            os.close(self._held_open)
            os.close(self._error)
            self._held_open = self._error = -1


FindProblems = Callable[[], list[Problem]]


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
def run_jobs(where: str, /, *, compute: str = LOCAL) -> Iterator[FindProblems]:
    """Run the jobs of all loops, in a thread with stores of its own, while the context is entered.

    Gives what finds the problems of the last round: queues that can't be read; none is fatal.
    """
    stop, problems = threading.Event(), list[Problem]()
    arguments = (where, compute, stop, problems)
    thread = threading.Thread(target=_run_worker, args=arguments, name="jobs", daemon=True)
    thread.start()
    try:
        yield problems.copy
    finally:
        stop.set()
        thread.join()


def _run_worker(where: str, compute: str, stop: threading.Event, problems: list[Problem]) -> None:
    report = ReportOnce("Job worker failed, retrying", action="jobs_wait")
    with compose.open_instance(where, must_exist=False) as stores:
        worker = start_worker(stores, where, compute=compute)
        while not stop.wait(_ROUND_S if worker.busy else _IDLE_S):
            try:
                worker.run_once(now_us=now_us())
            except Exception as error:  # whatever is wrong now, the next round tries again
                report.note_failure(error)
            else:
                report.note_success()
            problems[:] = [*report.find_problems(fatal=False), *worker.find_problems()]
        worker.stop()


def wait_for_job(
    stores: Stores,
    loop: Loop,
    job_id: str,
    /,
    *,
    where: str,
    compute: str = LOCAL,
    tell: Callable[[Job], None] = lambda _: None,
) -> Job:
    """Wait until a job has succeeded, failed or was canceled. A service computes it, or else this process.

    Args:
        stores: the instance's stores.
        loop: whose job it is.
        job_id: its id in the queue.
        where: the data folder.
        compute: where it is computed, if no service runs that would.
        tell: called with the job as it is, several times a second.

    Raises:
        JobNotFound: it was deleted.
    """
    with _start_own_worker(where, compute), loops.open_loop(stores, loop) as logs:
        while True:
            job = logs.jobs.find(job_id)
            if job is None:
                raise JobNotFound("The evaluation was deleted.")
            tell(job)
            if job.state not in _UNFINISHED:
                return job
            time.sleep(_POLL_S)


def _start_own_worker(where: str, compute: str) -> AbstractContextManager[object]:
    """A worker in this process, unless a service uses the folder."""
    try:
        with InstanceLock(compose.data_folder(where)).only_supervisor():
            return run_jobs(where, compute=compute)
    except DataFolderInUse:
        return nullcontext()
