"""The queue in a file: made when needed, and fair to two workers at once."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sartor.errors import Corrupt, StoreUnavailable
from sartor.stores.connection import SqliteConnection
from sartor.stores.jobs import SqliteJobs
from sartor.testing.builders import make_job


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[SqliteJobs]:
    queue = SqliteJobs(tmp_path, loop_id="loop")
    yield queue
    queue.close()


def test_looking_for_a_job_makes_no_file(jobs: SqliteJobs, tmp_path: Path) -> None:
    assert jobs.claim(now_us=1, lease_us=1) is None
    assert not jobs.jobs()
    assert not jobs.update(make_job())
    assert list(tmp_path.iterdir()) == []


def test_two_workers_at_once_take_every_job_once(jobs: SqliteJobs, tmp_path: Path) -> None:
    for number in range(60):
        jobs.put(make_job(f"job-{number}"))
    taken: list[str] = []

    def work() -> None:
        queue = SqliteJobs(tmp_path, loop_id="loop")
        while (job := queue.claim(now_us=1, lease_us=1_000)) is not None:
            taken.append(job.job_id)
        queue.close()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(taken) == sorted(f"job-{number}" for number in range(60))


def test_a_queue_of_another_loop_is_not_touched(jobs: SqliteJobs, tmp_path: Path) -> None:
    jobs.put(make_job())
    other = SqliteJobs(tmp_path, loop_id="other")
    with pytest.raises(StoreUnavailable, match="another loop"):
        other.claim(now_us=1, lease_us=1)
    other.close()


def test_a_body_that_is_no_job_is_corrupt(jobs: SqliteJobs, tmp_path: Path) -> None:
    jobs.put(make_job())
    database = SqliteConnection(tmp_path / "jobs.sqlite", "jobs", owner="loop")
    with database.transaction() as raw:
        raw.execute("UPDATE jobs SET body = x'ff'")
    database.close()
    with pytest.raises(Corrupt, match="A job can't be read"):
        jobs.jobs()


def test_finding_a_job_reads_no_other(jobs: SqliteJobs, tmp_path: Path) -> None:
    jobs.put(make_job("a"))
    jobs.put(make_job("b"))
    database = SqliteConnection(tmp_path / "jobs.sqlite", "jobs", owner="loop")
    with database.transaction() as raw:
        raw.execute("UPDATE jobs SET body = x'ff' WHERE job_id = 'a'")
    database.close()
    assert jobs.find("b") == make_job("b")
