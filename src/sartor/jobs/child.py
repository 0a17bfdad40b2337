"""The child that computes one job: ``python -m sartor.jobs.child`` and an assignment.

It lives in a process group of its own with all that it starts, yields to the service on a busy machine, and
ends when the process that started it does.
"""

import logging
import os
import sys

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from sartor.errors import CallerError, JobNotFound, LoopNotFound, SartorError
from sartor.evaluation.progress import progress_folder
from sartor.jobs.heartbeat import keep_alive
from sartor.jobs.kinds import KINDS, JobContext
from sartor.management import loops
from sartor.ports import Loop, LoopStores, Stores
from sartor.records import Job
from sartor.runtime import compose, log_format
from sartor.runtime.shutdown import watch_parent
from sartor.times import now_us

_log = logging.getLogger(__name__)
_NICE = 10

MOST_ERROR_BYTES = 4_096
"""How much of an error is told: what a pipe takes at once."""


class JobArguments(Struct, frozen=True, kw_only=True):
    """Which job, and where. ``attempts``: the count with which it was claimed.

    ``lifeline``: a pipe that ends with the process that started this one. ``error_pipe``: takes the message of
    the error for which this process ends without a result; -1 for none.
    """

    where: str
    loop_id: str
    job_id: str
    attempts: int
    compute: str
    lifeline: int
    error_pipe: int = -1


def main() -> None:
    """Compute the job that the command line names, as JSON."""
    assignment = msgspec.json.decode(sys.argv[1], type=JobArguments)
    log_format.start("job")
    watch_parent(assignment.lifeline, grace_s=0.5)
    os.nice(_NICE)
    try:
        with compose.open_instance(assignment.where) as stores:
            loop = _loop(stores, assignment.loop_id)
            with loops.open_loop(stores, loop) as logs:
                run_job(assignment, loop, logs)
    except SartorError as error:
        if assignment.error_pipe >= 0:
            os.write(assignment.error_pipe, error.message.encode()[:MOST_ERROR_BYTES])
        raise


def run_job(assignment: JobArguments, loop: Loop, logs: LoopStores, /) -> None:
    """Compute a job and write what came of it, unless somebody else holds it now.

    Raises:
        JobNotFound: it is gone, or another worker's.
        StoreUnavailable: the store failed; the job stays claimed and is begun again later.
    """
    job = _note_restart(_find_job(logs, assignment))
    with progress_folder() as progress:
        bench = JobContext(
            loop=loop,
            logs=logs,
            where=assignment.where,
            compute=assignment.compute,
            progress=progress,
        )
        with keep_alive(assignment.where, loop, job, progress):
            finished = _finished(bench, job)
    if not logs.jobs.update(replace(finished, finished_at_us=now_us())):
        _log.warning("The result of a job is not wanted any more.", extra=_about(loop, job))


def _finished(bench: JobContext, job: Job) -> Job:
    compute = KINDS.get(job.kind)
    if compute is None:
        return _failed(job, f"Nothing computes jobs of the kind {job.kind!r}.")
    try:
        result = compute(bench, job)
    except CallerError as error:
        return _failed(job, error.message)
    except SartorError:
        raise
    except Exception as error:
        _log.error("A job failed.", exc_info=error, extra=_about(bench.loop, job))
        return _failed(job, f"The computation failed: {type(error).__name__}: {error}")
    return replace(job, state="succeeded", progress=1.0, description="", result=result)


def _failed(job: Job, reason: str) -> Job:
    return replace(job, state="failed", description=reason)


def _about(loop: Loop, job: Job) -> dict[str, str]:
    return {"action": "job", "loop": loop.name, "job": job.job_id}


def _loop(stores: Stores, loop_id: str) -> Loop:
    for loop in stores.catalog.loops():
        if loop.loop_id == loop_id:
            return loop
    raise LoopNotFound(f"There is no loop with the id {loop_id!r} any more.")


def _note_restart(job: Job) -> Job:
    """A job that was claimed before begins from nothing, and its description says so."""
    if job.attempts == 1:
        return job
    description = job.description or "Begun again: the process that computed it is gone."
    return replace(job, progress=0.0, description=description)


def _find_job(logs: LoopStores, arguments: JobArguments) -> Job:
    job = logs.jobs.find(arguments.job_id)
    if job is None or (job.state, job.attempts) != ("running", arguments.attempts):
        raise JobNotFound(f"The job {arguments.job_id!r} is not this worker's any more.")
    return job


if __name__ == "__main__":
    main()
