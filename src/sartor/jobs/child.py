"""The child that computes one job: ``python -m sartor.jobs.child`` and its arguments as JSON.

It lives in a process group of its own with all that it starts, yields to the service on a busy machine, and
ends when the process that started it does.
"""

import logging
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from sartor.errors import CallerError, JobNotFound, LoopNotFound, SartorError
from sartor.evaluation import spec
from sartor.evaluation.feature_importance import run_importance
from sartor.evaluation.progress import progress_folder
from sartor.evaluation.run import run_evaluation
from sartor.evaluation.spec import EVALUATION, FEATURE_IMPORTANCE
from sartor.jobs.heartbeat import keep_alive
from sartor.management import loops
from sartor.ports import Loop, LoopStores, Stores
from sartor.records import Job
from sartor.runtime import compose, log_format
from sartor.runtime.shutdown import watch_parent
from sartor.times import now_us

_log = logging.getLogger(__name__)
_NICE = 10

MOST_ERROR_BYTES = 4_096
"""How much of an error message is sent: what a pipe takes at once."""


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


class JobContext(Struct, frozen=True, kw_only=True):
    """What a computation needs beside its job.

    Attributes:
        loop: whose job it is.
        logs: its stores.
        where: the data folder, for other processes.
        compute: where to compute; see ``executor.open_executor``.
        progress: the folder for the progress; see ``evaluation/progress.py``.
    """

    loop: Loop
    logs: LoopStores
    where: str
    compute: str
    progress: Path


def _evaluate(context: JobContext, job: Job) -> bytes:
    result = run_evaluation(
        context.logs,
        context.loop,
        spec.decode_job(job.spec, spec.EvaluationSpec),
        job_id=job.job_id,
        where=context.where,
        compute=context.compute,
        progress=context.progress,
    )
    return spec.encode_job(result)


def _measure_importance(context: JobContext, job: Job) -> bytes:
    result = run_importance(
        context.logs,
        context.loop,
        spec.decode_job(job.spec, spec.ImportanceSpec),
        where=context.where,
        compute=context.compute,
        progress=context.progress,
    )
    return spec.encode_job(result)


KINDS: Mapping[str, Callable[[JobContext, Job], bytes]] = {
    EVALUATION: _evaluate,
    FEATURE_IMPORTANCE: _measure_importance,
}
"""What computes the jobs of each kind; it raises a ``CallerError`` that says what is wrong with the job."""


def main() -> None:
    """Compute the job that the command line names, as JSON."""
    arguments = msgspec.json.decode(sys.argv[1], type=JobArguments)
    log_format.start("job")
    watch_parent(arguments.lifeline, grace_s=0.5)
    os.nice(_NICE)
    try:
        with compose.open_instance(arguments.where) as stores:
            loop = _find_loop(stores, arguments.loop_id)
            with loops.open_loop(stores, loop) as logs:
                run_job(arguments, loop, logs)
    except SartorError as error:
        if arguments.error_pipe >= 0:
            os.write(arguments.error_pipe, error.message.encode()[:MOST_ERROR_BYTES])
        raise


def run_job(arguments: JobArguments, loop: Loop, logs: LoopStores, /) -> None:
    """Compute a job and write its result, unless another worker holds it now.

    Raises:
        JobNotFound: it is gone, or another worker's.
        StoreUnavailable: the store failed; the job stays claimed and is begun again later.
    """
    job = _note_restart(_find_job(logs, arguments))
    with progress_folder() as progress:
        context = JobContext(
            loop=loop,
            logs=logs,
            where=arguments.where,
            compute=arguments.compute,
            progress=progress,
        )
        with keep_alive(arguments.where, loop, job, progress):
            finished = _compute(context, job)
    if not logs.jobs.update(replace(finished, finished_at_us=now_us())):
        _log.warning("The result of a job is not wanted any more.", extra=_log_fields(loop, job))


def _compute(context: JobContext, job: Job) -> Job:
    compute = KINDS.get(job.kind)
    if compute is None:
        return _failed(job, f"Nothing computes jobs of the kind {job.kind!r}.")
    try:
        result = compute(context, job)
    except CallerError as error:
        return _failed(job, error.message)
    except SartorError:
        raise
    except Exception as error:
        _log.error("A job failed.", exc_info=error, extra=_log_fields(context.loop, job))
        return _failed(job, f"The computation failed: {type(error).__name__}: {error}")
    return replace(job, state="succeeded", progress=1.0, description="", result=result)


def _failed(job: Job, reason: str) -> Job:
    return replace(job, state="failed", description=reason)


def _log_fields(loop: Loop, job: Job) -> dict[str, str]:
    return {"action": "job", "loop": loop.name, "job": job.job_id}


def _find_loop(stores: Stores, loop_id: str) -> Loop:
    loop = stores.catalog.find_by_id(loop_id)
    if loop is None:
        raise LoopNotFound(f"There is no loop with the id {loop_id!r} any more.")
    return loop


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
