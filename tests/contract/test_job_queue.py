"""What every job queue promises."""

import pytest
from msgspec.structs import replace

from sartor.errors import JobExists, JobNotFound, QueueFull, StoreUnavailable
from sartor.ports import JobQueue, Loop, Stores
from sartor.records import LONGEST_LEASE_US, Job
from sartor.testing.builders import make_job
from tests.contract.conftest import FullDisk

LEASE_US = 30_000_000


def claim(jobs: JobQueue, *, now_us: int = 1_000) -> Job | None:
    return jobs.claim(now_us=now_us, lease_us=LEASE_US)


def claimed(jobs: JobQueue, *, now_us: int = 1_000) -> Job:
    job = claim(jobs, now_us=now_us)
    assert job is not None
    return job


def test_an_empty_queue_holds_nothing(jobs: JobQueue) -> None:
    assert claim(jobs) is None
    assert not jobs.jobs()
    assert jobs.find("a") is None
    assert not jobs.update(make_job("a"))
    with pytest.raises(JobNotFound):
        jobs.delete("a")


def test_a_job_comes_back_as_it_was_put(jobs: JobQueue) -> None:
    job = Job(
        job_id="été",
        kind="evaluation",
        spec=b'{"a":1}',
        created_at_us=7,
        description="Wörter",
        state="succeeded",
        progress=0.5,
        result=bytes(range(256)) * 400,
        started_at_us=8,
        finished_at_us=9,
        lease_until_us=10,
        attempts=3,
    )
    jobs.put(job)
    assert list(jobs.jobs()) == [job]


def test_an_id_is_put_once(jobs: JobQueue) -> None:
    jobs.put(make_job("a", kind="evaluation"))
    with pytest.raises(JobExists):
        jobs.put(make_job("a", kind="import"))
    assert [job.kind for job in jobs.jobs()] == ["evaluation"]


def test_jobs_are_listed_and_claimed_oldest_first(jobs: JobQueue) -> None:
    for name in "cab":
        jobs.put(make_job(name))
    assert [job.job_id for job in jobs.jobs()] == ["c", "a", "b"]
    assert [claimed(jobs).job_id for _ in range(3)] == ["c", "a", "b"]
    assert claim(jobs) is None


def test_a_job_is_found_by_its_id(jobs: JobQueue) -> None:
    for name in "ab":
        jobs.put(make_job(name))
    job = claimed(jobs)
    assert jobs.find("a") == job
    assert jobs.find("b") == make_job("b")
    assert jobs.find("c") is None
    jobs.delete("a")
    assert jobs.find("a") is None


def test_jobs_are_listed_by_kind(jobs: JobQueue) -> None:
    for name, kind in (("a", "evaluation"), ("b", "import"), ("c", "evaluation")):
        jobs.put(make_job(name, kind=kind))
    assert [job.job_id for job in jobs.jobs(kind="evaluation")] == ["a", "c"]
    assert not jobs.jobs(kind="export")


def test_a_lease_that_was_taken_before_the_clock_was_set_back_is_over(jobs: JobQueue) -> None:
    jobs.put(make_job("a"))
    claimed(jobs, now_us=LONGEST_LEASE_US + 1_000)
    assert claim(jobs, now_us=LEASE_US + 1_000) is None
    assert claimed(jobs, now_us=LEASE_US - 1).attempts == 2


def test_a_claimed_job_runs_under_a_lease(jobs: JobQueue) -> None:
    jobs.put(make_job("a"))
    job = claimed(jobs, now_us=5_000)
    assert (job.state, job.attempts, job.started_at_us) == ("running", 1, 5_000)
    assert job.lease_until_us == 5_000 + LEASE_US
    assert list(jobs.jobs()) == [job]


def test_a_job_whose_lease_ran_out_is_claimed_again(jobs: JobQueue) -> None:
    jobs.put(make_job("a"))
    jobs.put(make_job("b"))
    first = claimed(jobs)
    assert claimed(jobs).job_id == "b"
    assert claim(jobs, now_us=first.lease_until_us - 1) is None
    again = claimed(jobs, now_us=first.lease_until_us)
    assert (again.job_id, again.attempts, again.started_at_us) == ("a", 2, first.started_at_us)


def test_a_worker_keeps_its_lease_by_updating(jobs: JobQueue) -> None:
    jobs.put(make_job("a"))
    job = claimed(jobs)
    longer = replace(job, progress=0.25, lease_until_us=job.lease_until_us + 5)
    assert jobs.update(longer)
    assert claim(jobs, now_us=job.lease_until_us) is None
    assert list(jobs.jobs()) == [longer]


def test_a_worker_that_lost_its_job_can_not_write_to_it(jobs: JobQueue) -> None:
    jobs.put(make_job("a"))
    slow = claimed(jobs)
    taken = claimed(jobs, now_us=slow.lease_until_us)
    assert not jobs.update(replace(slow, state="succeeded"))
    assert list(jobs.jobs()) == [taken]
    assert jobs.update(replace(taken, state="succeeded"))


@pytest.mark.parametrize("state", ["succeeded", "failed", "canceled"])
def test_a_job_that_ended_is_not_claimed(jobs: JobQueue, state: str) -> None:
    jobs.put(make_job("a"))
    job = claimed(jobs)
    assert jobs.update(replace(job, state=state, result=b"{}" * 50_000, finished_at_us=9))
    assert claim(jobs, now_us=job.lease_until_us + 1) is None
    assert jobs.jobs()[0].result == b"{}" * 50_000


def test_a_canceled_job_takes_no_result(jobs: JobQueue) -> None:
    jobs.put(make_job("a"))
    job = claimed(jobs)
    assert jobs.update(replace(job, state="canceled"))
    assert not jobs.update(replace(job, state="succeeded", result=b"{}"))
    assert [(stored.state, stored.result) for stored in jobs.jobs()] == [("canceled", b"")]


def test_a_deleted_job_takes_no_result(jobs: JobQueue) -> None:
    jobs.put(make_job("a"))
    job = claimed(jobs)
    jobs.delete("a")
    assert not jobs.update(replace(job, state="succeeded"))
    assert not jobs.jobs()
    with pytest.raises(JobNotFound):
        jobs.delete("a")
    jobs.put(make_job("a"))
    assert claimed(jobs).attempts == 1


def test_two_openings_claim_every_job_once(stores: Stores, loop: Loop, jobs: JobQueue) -> None:
    other = stores.open(loop)
    for number in range(6):
        jobs.put(make_job(f"job-{number}"))
    taken = [claimed(queue).job_id for _ in range(3) for queue in (jobs, other.jobs)]
    assert taken == [f"job-{number}" for number in range(6)]
    assert claim(other.jobs) is None
    other.close()


def test_a_full_disk_takes_no_job(jobs: JobQueue, full_disk: FullDisk) -> None:
    jobs.put(make_job("a"))
    with full_disk(), pytest.raises(StoreUnavailable):
        jobs.put(make_job("b"))
    with full_disk(), pytest.raises(StoreUnavailable):
        claim(jobs)
    assert [job.state for job in jobs.jobs()] == ["pending"]
    assert claimed(jobs).attempts == 1


def test_no_more_wait_than_may(jobs: JobQueue) -> None:
    assert jobs.count_waiting() == 0
    for number in range(3):
        jobs.put(make_job(str(number)), most_waiting=3)
    assert jobs.count_waiting() == 3
    with pytest.raises(QueueFull):
        jobs.put(make_job("too many"), most_waiting=3)
    with pytest.raises(JobExists):
        jobs.put(make_job("0"), most_waiting=3)
    assert [job.job_id for job in jobs.jobs()] == ["0", "1", "2"]
    claimed(jobs)
    assert jobs.count_waiting() == 2
    jobs.put(make_job("as one runs"), most_waiting=3)
    jobs.put(make_job("without a bound"))
    assert jobs.count_waiting() == 4
    jobs.put(replace(make_job("done"), state="succeeded"), most_waiting=5)
    jobs.delete("1")
    assert jobs.count_waiting() == 3
