"""Claims jobs from the queues of all loops, one at a time, and runs each in a child that can be killed.

While a child lives, it alone writes its job; when it is dead, the job worker does. A job whose child died, or
whose worker vanished with its machine, is claimed again and starts anew: a result is written once, by the
child that still holds the job. Loops take turns: the one whose job was started last comes last, however many
of its jobs wait.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from sartor.errors import SartorError
from sartor.ports import Loop, LoopStores, Stores
from sartor.problems import Problem
from sartor.records import Job
from sartor.runtime.followed_loops import FollowedLoops
from sartor.runtime.for_each_loop import LoopVisits
from sartor.runtime.kept_stores import KeptLoopStores

_log = logging.getLogger(__name__)

LEASE_US = 10_000_000
"""How long a child may go without renewing its claim before another worker takes the job."""

MOST_ATTEMPTS = 5
_PAUSE_US = 1_000_000


class RunningJob(Protocol):
    """A child that computes a job."""

    def exit_reason(self) -> str | None:
        """How it ended, in words; None while it lives."""

    def kill(self) -> None:
        """Kill it and whatever it started, at once."""


Start = Callable[[Loop, Job], RunningJob]

_Result = TypeVar("_Result")


class _ClaimedJob(Struct, frozen=True):
    loop: Loop
    job: Job
    running_job: RunningJob


class JobWorker:
    """Starts children for jobs and watches them. Call ``run_once`` a few times a second."""

    def __init__(
        self, stores: Stores, start: Start, /, *, forget: Callable[[LoopStores, Job], None] = lambda *_: None
    ) -> None:
        """Claim nothing yet.

        Args:
            stores: where the queues are; used in the thread that calls ``run_once``.
            start: starts a child for a job.
            forget: removes what a job left behind that was canceled or deleted while it ran.
        """
        self._loops = FollowedLoops(stores.catalog)
        self._kept = KeptLoopStores(stores)
        self._start = start
        self._forget = forget
        self._task: _ClaimedJob | None = None
        self._visits = LoopVisits("jobs_not_claimed", stores.catalog)
        self._started = 0
        self._last_turns: dict[str, int] = {}

    def find_problems(self) -> list[Problem]:
        """Which queues could not be read last; their loops serve and learn all the same."""
        return self._visits.find_problems("Evaluations and other jobs are not started", fatal=False)

    @property
    def busy(self) -> bool:
        """Whether a child is running."""
        return self._task is not None

    def run_once(self, *, now_us: int) -> None:
        """Check on the child, or claim the next job. A loop whose queue can't be read is logged and skipped.

        The job of a loop that was deleted is given up.

        Raises:
            StoreUnavailable: the catalog, or the queue of the running job, can't be read; call again.
        """
        if self._task is not None:
            self._watch(self._task, now_us)
        if self._task is None:
            self._claim_next(now_us)

    def _watch(self, task: _ClaimedJob, now_us: int) -> None:
        cause = task.running_job.exit_reason()
        if cause is not None:
            self._task = None
            self._settle(task, cause, again_us=now_us + task.job.attempts * _PAUSE_US)
        elif not self._is_wanted(task):
            task.running_job.kill()
            self._task = None
            self._call_unless_gone(task.loop, lambda logs: self._forget(logs, task.job))

    def _is_wanted(self, task: _ClaimedJob) -> bool:
        found = self._call_unless_gone(task.loop, lambda logs: logs.jobs.find(task.job.job_id))
        return found is not None and found.state != "canceled"

    def _settle(self, task: _ClaimedJob, cause: str, *, again_us: int) -> None:
        """Give back the job of a child that ended without finishing it."""
        found = self._call_unless_gone(task.loop, lambda logs: logs.jobs.find(task.job.job_id))
        if found is None or found.state == "canceled":
            self._call_unless_gone(task.loop, lambda logs: self._forget(logs, task.job))
        elif found.state == "running" and found.attempts == task.job.attempts:
            self._call_unless_gone(
                task.loop, lambda logs: logs.jobs.update(_give_back(found, cause, again_us=again_us))
            )

    def _claim_next(self, now_us: int) -> None:
        def claim(loop: Loop) -> bool:
            job = self._kept.call(loop, lambda logs: logs.jobs.claim(now_us=now_us, lease_us=LEASE_US))
            if job is None:
                return False
            self._note_turn(loop)
            extra = {"action": "job_started", "loop": loop.name, "job": job.job_id}
            _log.info("A job is started.", extra=extra)
            self._task = _ClaimedJob(loop, job, self._start(loop, job))
            return True

        for loop_id in self._loops.follow().gone:
            self._kept.drop(loop_id)
            self._last_turns.pop(loop_id, None)
        loops = self._loops.all()
        self._visits.forget_all_but(loops)
        for loop in self._order(loops):
            if self._visits.visit(loop, claim):
                return

    def _order(self, loops: Sequence[Loop]) -> list[Loop]:
        """The loops as they have their turns: the one whose job was started last comes last.

        Those without a job so far come first, each round beginning with another of them.
        """
        return sorted(self._visits.order(loops), key=lambda loop: self._last_turns.get(loop.loop_id, 0))

    def _note_turn(self, loop: Loop) -> None:
        self._started += 1
        self._last_turns[loop.loop_id] = self._started

    def _call_unless_gone(self, loop: Loop, act: Callable[[LoopStores], _Result]) -> _Result | None:
        """Call a function with the stores of a loop; None: the loop was deleted."""
        try:
            return self._kept.call(loop, act)
        except Exception as error:
            if self._visits.is_gone(loop, error):
                return None
            raise

    def stop(self) -> None:
        """Kill the child, if there is one, and give its job back, so that it begins anew at the next start."""
        task, self._task = self._task, None
        if task is not None:
            task.running_job.kill()
            try:
                self._settle(task, "the service was stopped", again_us=0)
            except SartorError as error:
                _log.warning("A job could not be given back: %s", error.message, extra={"action": "job_kept"})
        self._kept.close()


def _give_back(job: Job, cause: str, *, again_us: int) -> Job:
    """The job as it may be claimed again, or, when that was done often enough, as failed."""
    if job.attempts < MOST_ATTEMPTS:
        return replace(job, lease_until_us=again_us, progress=0.0, description=f"Begun again: {cause}.")
    reason = f"The computation was begun {job.attempts} times and never finished; the last time {cause}."
    return replace(job, state="failed", description=reason)
