"""The child: what it writes for each way in which a job can end."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from sartor.errors import JobNotFound
from sartor.evaluation.progress import FEATURES, PartProgress, start_stage
from sartor.evaluation.spec import (
    EVALUATION,
    FEATURE_IMPORTANCE,
    EvaluationResult,
    EvaluationSpec,
    ImportanceResult,
    ImportanceSpec,
    decode_job,
    encode_job,
    job_id,
)
from sartor.jobs import heartbeat
from sartor.jobs.child import KINDS, JobArguments, JobContext, run_job
from sartor.management import loops
from sartor.ports import LoopStores
from sartor.records import Job
from sartor.stores.stores import SqliteStores, open_stores
from sartor.testing.builders import make_loop
from sartor.testing.fakes import Clock
from tests.unit.evaluation.small_logs import SQUARE, fill


class Site:
    """A folder with a loop that has a log."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        clock = Clock()
        self.stores: SqliteStores = open_stores(folder, clock_us=clock)
        self.stores.catalog.create(make_loop(arguments=SQUARE))
        self.loop = loops.find_loop(self.stores, "default")
        self.logs: LoopStores = self.stores.open(self.loop)
        fill(self.logs, self.loop, clock, turns=200)

    def claimed(self, kind: str, spec: bytes) -> Job:
        self.logs.jobs.put(Job(job_id=job_id(kind, "one"), kind=kind, spec=spec, created_at_us=1))
        job = self.logs.jobs.claim(now_us=time.time_ns() // 1_000, lease_us=60_000_000)
        assert job is not None
        return job

    def carry_out(self, job: Job) -> Job:
        assignment = JobArguments(
            where=str(self.folder),
            loop_id=self.loop.loop_id,
            job_id=job.job_id,
            attempts=job.attempts,
            compute="local",
            lifeline=-1,
        )
        run_job(assignment, self.loop, self.logs)
        return self.logs.jobs.jobs()[0]

    def wait_for(self, read: Callable[[Job], int], *, changes: int) -> Job:
        """The job after a value of it has changed so many times."""
        values: list[int] = []
        deadline_s = time.monotonic() + 10
        while len(values) <= changes:
            assert time.monotonic() < deadline_s
            (job,) = self.logs.jobs.jobs()
            if read(job) not in values:
                values.append(read(job))
            time.sleep(0.002)
        return job


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path / "data")
    yield made
    made.logs.close()
    made.stores.close()


def test_an_evaluation_is_computed(site: Site) -> None:
    spec = encode_job(EvaluationSpec(name="e", start_us=0, end_us=2**53))
    job = site.carry_out(site.claimed(EVALUATION, spec))
    assert (job.state, job.progress, job.description) == ("succeeded", 1.0, "")
    assert job.finished_at_us > job.started_at_us > 0
    assert decode_job(job.result, EvaluationResult).policies[0].total.events == 200


def test_importances_are_computed(site: Site) -> None:
    spec = encode_job(ImportanceSpec(name="i", start_us=0, end_us=2**53))
    job = site.carry_out(site.claimed(FEATURE_IMPORTANCE, spec))
    assert job.state == "succeeded"
    assert decode_job(job.result, ImportanceResult).scores


@pytest.mark.parametrize(
    ("kind", "spec", "words"),
    [
        pytest.param(
            EVALUATION,
            encode_job(EvaluationSpec(name="e", start_us=0, end_us=1)),
            "There is no decision in this range of time.",
            id="nothing to evaluate",
        ),
        pytest.param("mystery", b"{}", "Nothing computes jobs of the kind 'mystery'.", id="an unknown kind"),
    ],
)
def test_what_can_not_be_computed_fails_with_the_reason(site: Site, kind: str, spec: bytes, words: str) -> None:
    job = site.carry_out(site.claimed(kind, spec))
    assert (job.state, job.description, job.result) == ("failed", words, b"")


def test_a_defect_fails_the_job_and_not_the_service(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> bytes:
        raise ZeroDivisionError("oh")

    monkeypatch.setitem(KINDS, EVALUATION, broken)
    job = site.carry_out(site.claimed(EVALUATION, b"{}"))
    assert (job.state, job.description) == ("failed", "The computation failed: ZeroDivisionError: oh")


def test_a_job_that_another_worker_took_is_not_touched(site: Site) -> None:
    job = site.claimed(EVALUATION, b"{}")
    with pytest.raises(JobNotFound):
        site.carry_out(replace(job, attempts=job.attempts + 1))
    assert site.logs.jobs.jobs()[0] == job


def test_a_result_is_not_written_over_what_another_worker_holds(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    job = site.claimed(EVALUATION, b"{}")

    def slow(*_: object) -> bytes:
        taken = site.logs.jobs.claim(now_us=job.lease_until_us, lease_us=60_000_000)
        assert taken is not None
        return b"{}"

    monkeypatch.setitem(KINDS, EVALUATION, slow)
    found = site.carry_out(job)
    assert (found.state, found.attempts, found.result) == ("running", 2, b"")
    assert "not wanted any more" in caplog.text


def test_the_progress_of_a_job_never_goes_back(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "_EVERY_S", 0.02)
    job = site.claimed(EVALUATION, b"{}")
    shown: list[float] = []

    def compute(context: JobContext, _: Job) -> bytes:
        for share in (0.5, 0.25, 0.75):
            (file,) = start_stage(context.progress, FEATURES, parts=1)
            PartProgress(file).write(share)
            shown.append(site.wait_for(lambda found: found.lease_until_us, changes=2).progress)
        return b"{}"

    monkeypatch.setitem(KINDS, EVALUATION, compute)
    assert site.carry_out(job).progress == 1.0
    assert shown == pytest.approx([0.5, 0.5, 0.75])


def test_a_job_that_is_begun_anew_says_so_and_begins_at_0(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    silent = site.claimed(EVALUATION, b"{}")
    assert site.logs.jobs.update(replace(silent, progress=0.7))
    job = site.logs.jobs.claim(now_us=silent.lease_until_us, lease_us=60_000_000)
    assert job is not None
    shown: list[Job] = []

    def compute(*_: object) -> bytes:
        shown.append(site.wait_for(lambda found: found.lease_until_us, changes=1))
        return b"{}"

    monkeypatch.setitem(KINDS, EVALUATION, compute)
    assert site.carry_out(job).state == "succeeded"
    assert (shown[0].progress, shown[0].description) == (
        0.0,
        "Begun again: the process that computed it is gone.",
    )
