"""The work process: background tasks that no request waits for."""

import time
from collections.abc import Callable, Sequence
from functools import partial

from sartor.access.destinations import AllowedDestinations
from sartor.management import erasure
from sartor.ports import Stores
from sartor.problems import Problem
from sartor.runtime.followed_loops import FollowedLoops
from sartor.runtime.for_each_loop import LoopVisits
from sartor.runtime.kept_stores import KeptLoopStores
from sartor.runtime.progress_reporter import ProgressReporter
from sartor.runtime.report_once import ReportOnce
from sartor.runtime.shutdown import StopSignal
from sartor.runtime.trusted_clock import TrustedClock
from sartor.service.housekeeping import Housekeeping
from sartor.service.retention_schedule import RetentionSchedule
from sartor.transfer import export
from sartor.transfer.mirror_threads import MirrorThreads
from sartor.transfer.open_location import open_mirror

_ROUND_S = 1.0
_PURGE_S = 5.0
_RETRY_S = 2.0
_DEFAULT_DESTINATIONS = AllowedDestinations()


class BackgroundTask:
    """A task that is called again and again; a failure is logged once and stops nothing else."""

    def __init__(
        self,
        subject: str,
        run: Callable[[], object],
        /,
        *,
        every_s: float = 0.0,
        visits: Sequence[LoopVisits] = (),
    ) -> None:
        """Not called yet.

        Args:
            subject: what it does, for the log.
            run: does it once.
            every_s: seconds from one call to the next, and before the first.
            visits: what it knows of the loops that it visits.
        """
        self._subject = subject
        self._visits = visits
        self._run = run
        self._every_s = every_s
        self._due_s = time.monotonic() + every_s
        self._report = ReportOnce(subject, action="housekeeping_failed")

    def run_if_due(self) -> None:
        """Call it, unless it was called a short while ago."""
        if time.monotonic() < self._due_s:
            return
        try:
            self._run()
        except Exception as error:  # whatever is wrong with one task, the others go on
            self._report.note_failure(error)
        else:
            self._report.note_success()
        self._due_s = time.monotonic() + self._every_s

    def find_problems(self) -> list[Problem]:
        """Why it failed last, for the process or for single loops; what it does is never fatal."""
        found = self._report.find_problems(fatal=False)
        for visits in self._visits:
            found += visits.find_problems(f"{self._subject} failed", fatal=False)
        return found


def run(
    stores: Stores,
    stop_signal: StopSignal,
    /,
    *,
    allowed: AllowedDestinations = _DEFAULT_DESTINATIONS,
    find_job_problems: Callable[[], Sequence[Problem]] = tuple,
) -> None:
    """Run the background tasks until the stop signal is set.

    Args:
        stores: the stores of the instance.
        stop_signal: ends it.
        allowed: where callers may have logs copied.
        find_job_problems: finds what is wrong with the jobs, which another thread of this process runs.
    """
    reporter = ProgressReporter(stores.reports, "work")
    tasks, clock = _create_tasks(stores, reporter, allowed), TrustedClock(stores)
    reporter.start()
    while not stop_signal.is_set:
        for task in tasks:
            task.run_if_due()
            reporter.note_progress()
        reporter.note_progress(
            lambda: [
                *clock.find_problems(),
                *(problem for task in tasks for problem in task.find_problems()),
                *find_job_problems(),
            ]
        )
        stop_signal.wait(_ROUND_S)
    reporter.close()


def _create_tasks(
    stores: Stores, reporter: ProgressReporter, allowed: AllowedDestinations
) -> list[BackgroundTask]:
    loops, kept = FollowedLoops(stores.catalog), KeptLoopStores(stores)
    housekeeping, retention = Housekeeping(stores), RetentionSchedule(stores)
    mirrors = MirrorThreads(stores, partial(open_mirror, allowed=allowed), export.read_joined_log)
    forgetting = LoopVisits("models_not_forgotten", stores.catalog)
    retries = LoopVisits("erasure_not_retried", stores.catalog)
    for visits in (housekeeping.visits, forgetting, retries):  # those of this thread
        visits.on_visit = reporter.note_progress
    return [
        BackgroundTask("Housekeeping", housekeeping.run_once, visits=[housekeeping.visits]),
        BackgroundTask("Log mirroring", lambda: mirrors.run_once(loops.current()), visits=mirrors.visits),
        BackgroundTask("Retention", lambda: retention.run_once(loops.current()), visits=[retention.visits]),
        BackgroundTask("Removal of deleted loops", housekeeping.purge, every_s=_PURGE_S),
        BackgroundTask(
            "Erasure of what was still open",
            lambda: erasure.retry_everywhere(stores, kept, loops.current(), visits=retries),
            every_s=_RETRY_S,
            visits=[retries],
        ),
        BackgroundTask(
            "Removal of models that learned what was erased",
            lambda: erasure.forget_everywhere(kept, loops.current(), visits=forgetting),
            every_s=_PURGE_S,
            visits=[forgetting],
        ),
    ]
