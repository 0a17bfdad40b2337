"""Waiting for a job: a running service computes it, or, where none runs, this process does."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from sartor.errors import DataFolderInUse, JobNotFound
from sartor.evaluation.executor import LOCAL
from sartor.jobs.launcher import run_jobs
from sartor.management import loops
from sartor.ports import Loop, Stores
from sartor.records import Job
from sartor.runtime import compose
from sartor.runtime.instance_lock import InstanceLock

_LOOK_S = 0.2
_OPEN = ("pending", "running")


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
    """Wait until a job is done with, whatever came of it.

    Args:
        stores: the instance's stores.
        loop: whose job it is.
        job_id: its id in the queue.
        where: the data folder.
        compute: where it is computed, if no service runs that would.
        tell: is told the job as it is, now and then.

    Raises:
        JobNotFound: it was deleted.
    """
    with _workers(where, compute), loops.open_loop(stores, loop) as logs:
        while True:
            job = logs.jobs.find(job_id)
            if job is None:
                raise JobNotFound("The evaluation was deleted.")
            tell(job)
            if job.state not in _OPEN:
                return job
            time.sleep(_LOOK_S)


def _workers(where: str, compute: str) -> AbstractContextManager[None]:
    """Workers of our own, unless a service has the folder."""
    try:
        with InstanceLock(compose.data_folder(where)).only_supervisor():
            return run_jobs(where, compute=compute)
    except DataFolderInUse:
        return nullcontext()
