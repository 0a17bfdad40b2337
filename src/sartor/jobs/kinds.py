"""What is computed for which kind of job."""

from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec import Struct

from sartor.evaluation import spec
from sartor.evaluation.feature_importance import run_importance
from sartor.evaluation.run import run_evaluation
from sartor.evaluation.spec import EVALUATION, FEATURE_IMPORTANCE
from sartor.ports import Loop, LoopStores
from sartor.records import Job


class JobContext(Struct, frozen=True, kw_only=True):
    """With what a job is computed: the loop and its stores, where the data is, where to compute.

    ``progress``: a folder in which parts of the computation tell how far they are.
    """

    loop: Loop
    logs: LoopStores
    where: str
    compute: str
    progress: Path


def _evaluation(bench: JobContext, job: Job) -> bytes:
    result = run_evaluation(
        bench.logs,
        bench.loop,
        spec.decode_evaluation_spec(job.spec),
        job_id=job.job_id,
        where=bench.where,
        compute=bench.compute,
        progress=bench.progress,
    )
    return spec.encode_job(result)


def _importance(bench: JobContext, job: Job) -> bytes:
    result = run_importance(
        bench.logs,
        bench.loop,
        spec.decode_importance_spec(job.spec),
        where=bench.where,
        compute=bench.compute,
        progress=bench.progress,
    )
    return spec.encode_job(result)


KINDS: Mapping[str, Callable[[JobContext, Job], bytes]] = {
    EVALUATION: _evaluation,
    FEATURE_IMPORTANCE: _importance,
}
"""Takes the means and the job, gives the result; raises a ``CallerError`` that says what is wrong."""
