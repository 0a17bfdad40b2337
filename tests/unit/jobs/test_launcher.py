"""Children as real processes: the reason why one ended reaches the worker."""

import time
from collections.abc import Callable
from pathlib import Path

from sartor.evaluation.spec import EVALUATION, EvaluationSpec, encode_job, job_id
from sartor.jobs.launcher import start_worker
from sartor.management import loops
from sartor.records import Job
from sartor.runtime import compose
from sartor.times import now_us


def until(found: Callable[[], Job], condition: Callable[[Job], bool]) -> Job:
    """The job as soon as it is as it should be."""
    deadline_s = time.monotonic() + 30
    while not condition(job := found()):
        assert time.monotonic() < deadline_s, job
        time.sleep(0.02)
    return job


def test_a_job_that_is_begun_again_tells_the_error_of_the_child(tmp_path: Path) -> None:
    with compose.open_instance(str(tmp_path / "data"), must_exist=False) as stores:
        loop = loops.create_loop(stores, "default")
        with loops.open_loop(stores, loop) as logs:
            logs.outcomes.counts()
            spec = encode_job(EvaluationSpec(name="e", start_us=0, end_us=2**53))
            logs.jobs.put(Job(job_id=job_id(EVALUATION, "one"), kind=EVALUATION, spec=spec, created_at_us=1))
        (damaged,) = (tmp_path / "data").rglob("outcomes.sqlite")
        damaged.write_bytes(b"no database" * 1_000)
        worker = start_worker(stores, str(tmp_path / "data"))

        def found() -> Job:
            worker.run_once(now_us=now_us())
            with loops.open_loop(stores, loop) as logs:
                return logs.jobs.jobs()[0]

        try:
            job = until(found, lambda job: bool(job.description))
        finally:
            worker.stop()
    assert job.description.startswith("Begun again: it ended with code 1 (")
    reason = "outcomes.sqlite is damaged, or no database of this service: file is not a database"
    assert reason in job.description
