"""The job worker: one job at a time, given back when a child dies, dropped when nobody wants it any more."""

import logging

import pytest
from msgspec.structs import replace

from sartor.errors import Corrupt, StoreUnavailable
from sartor.jobs.worker import LEASE_US, MOST_ATTEMPTS, JobWorker
from sartor.ports import Loop, LoopStores
from sartor.records import Job
from sartor.testing.builders import make_job, make_loop
from sartor.testing.jobs import MemoryJobs
from sartor.testing.stores import MemoryStores

NOW_US = 1_700_000_000_000_000


class Child:
    """A running job that lives until the test says otherwise."""

    def __init__(self, loop: Loop, job: Job) -> None:
        self.loop = loop
        self.job = job
        self.cause: str | None = None
        self.killed = False

    def exit_reason(self) -> str | None:
        return self.cause

    def kill(self) -> None:
        self.killed = True


class Site:
    """An instance with two loops, a job worker and the children that it started."""

    def __init__(self) -> None:
        self.stores = MemoryStores()
        self.loops = [make_loop("first"), make_loop("second")]
        for loop in self.loops:
            self.stores.catalog.create(loop)
        self.children: list[Child] = []
        self.forgotten: list[str] = []
        self.job_worker = JobWorker(self.stores, self._start, forget=self._forget)
        self.now_us = NOW_US

    def _start(self, loop: Loop, job: Job) -> Child:
        self.children.append(Child(loop, job))
        return self.children[-1]

    def _forget(self, logs: LoopStores, job: Job) -> None:
        self.forgotten.append(job.job_id)

    def put(self, job_id: str, *, loop: int = 0) -> None:
        self.stores.open(self.loops[loop]).jobs.put(make_job(job_id))

    def job(self, job_id: str, *, loop: int = 0) -> Job:
        return next(one for one in self.stores.open(self.loops[loop]).jobs.jobs() if one.job_id == job_id)

    def round(self, *, later_s: float = 1.0) -> None:
        self.now_us += round(later_s * 1_000_000)
        self.job_worker.run_once(now_us=self.now_us)


@pytest.fixture
def site() -> Site:
    return Site()


def test_jobs_are_done_one_at_a_time_of_all_loops(site: Site) -> None:
    site.put("a")
    site.put("b", loop=1)
    site.round()
    site.round()
    assert [child.job.job_id for child in site.children] == ["a"]
    assert (site.job("a").state, site.job("a").lease_until_us) == ("running", NOW_US + 1_000_000 + LEASE_US)
    done = replace(site.job("a"), state="succeeded", result=b"{}")
    assert site.stores.open(site.loops[0]).jobs.update(done)
    site.children[0].cause = "it ended with code 0"
    site.round()
    assert [child.job.job_id for child in site.children] == ["a", "b"]
    assert site.children[1].loop == site.loops[1]
    assert site.job("a") == done, "what the child wrote stays"


def test_without_jobs_nothing_is_started(site: Site) -> None:
    site.round()
    assert not site.job_worker.busy
    assert site.children == []


def test_a_job_whose_child_died_is_begun_again_after_a_pause(site: Site) -> None:
    site.put("a")
    site.round()
    site.children[0].cause = "it was killed by SIGKILL"
    site.round()
    assert len(site.children) == 1
    assert site.job("a").description == "Begun again: it was killed by SIGKILL."
    site.round(later_s=3)
    assert [child.job.attempts for child in site.children] == [1, 2]


def test_a_job_that_never_gets_done_fails_in_the_end(site: Site) -> None:
    site.put("a")
    for _ in range(MOST_ATTEMPTS):
        site.round(later_s=60)
        site.children[-1].cause = "it ended with code 1"
        site.round()
    site.round(later_s=60)
    job = site.job("a")
    assert (job.state, len(site.children)) == ("failed", MOST_ATTEMPTS)
    assert "begun 5 times and never finished; the last time it ended with code 1" in job.description


@pytest.mark.parametrize("how", ["canceled", "deleted"])
def test_a_job_that_nobody_wants_is_stopped_and_forgotten(site: Site, how: str) -> None:
    site.put("a")
    site.put("b")
    site.round()
    queue = site.stores.open(site.loops[0]).jobs
    if how == "deleted":
        queue.delete("a")
    else:
        queue.update(replace(site.job("a"), state="canceled"))
    site.round()
    assert site.children[0].killed
    assert site.forgotten == ["a"]
    assert [child.job.job_id for child in site.children] == ["a", "b"]


def test_a_child_that_ends_because_its_job_is_gone_leaves_nothing(site: Site) -> None:
    site.put("a")
    site.round()
    site.stores.open(site.loops[0]).jobs.delete("a")
    site.children[0].cause = "it was killed by SIGKILL"
    site.round()
    assert site.forgotten == ["a"]


def test_a_job_that_another_worker_took_is_left_to_it(site: Site) -> None:
    site.put("a")
    site.round()
    queue = site.stores.open(site.loops[0]).jobs
    taken = queue.claim(now_us=site.now_us + 2 * LEASE_US, lease_us=LEASE_US)
    assert taken is not None
    site.children[0].cause = "it ended with code 1"
    site.round()
    assert site.job("a") == taken
    assert site.forgotten == []


def test_stopping_gives_the_job_back_at_once(site: Site) -> None:
    site.put("a")
    site.round()
    site.job_worker.stop()
    assert site.children[0].killed
    again = JobWorker(site.stores, site._start)
    again.run_once(now_us=site.now_us)
    assert [child.job.attempts for child in site.children] == [1, 2]


def test_stopping_without_a_job_does_nothing(site: Site) -> None:
    site.job_worker.stop()
    assert site.children == []


def test_a_lease_that_ran_out_is_claimed_by_the_next_worker(site: Site) -> None:
    site.put("a")
    site.round()
    other = JobWorker(site.stores, site._start)
    other.run_once(now_us=site.now_us + LEASE_US - 1)
    assert len(site.children) == 1
    other.run_once(now_us=site.now_us + LEASE_US)
    assert len(site.children) == 2


@pytest.mark.parametrize("broken", [0, 1])
def test_a_loop_that_can_not_be_opened_keeps_no_job_of_another_waiting(site: Site, broken: int) -> None:
    site.stores.broken = {site.loops[broken].name}
    site.put("a", loop=1 - broken)
    site.round()
    site.round()
    assert [child.job.job_id for child in site.children] == ["a"]
    site.stores.broken = set()
    site.put("b", loop=broken)
    site.children[0].cause = "it ended with code 0"
    site.round()
    site.round()
    assert "b" in [child.job.job_id for child in site.children]


def test_loops_with_long_queues_take_turns(site: Site) -> None:
    for number in range(3):
        site.put(f"a{number}")
        site.put(f"b{number}", loop=1)
    for _ in range(6):
        site.round(later_s=0)
        child = site.children[-1]
        site.stores.open(child.loop).jobs.update(replace(child.job, state="succeeded"))
        child.cause = "it ended with code 0"
    assert sorted(child.job.job_id for child in site.children) == ["a0", "a1", "a2", "b0", "b1", "b2"]
    assert len({child.loop.name for child in site.children[:2]}) == 2


def test_watching_a_job_reads_no_other(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.put("a")
    site.round()

    def refuse(self: MemoryJobs, *, kind: str | None = None) -> list[Job]:
        raise AssertionError("all jobs are read, with their results")

    monkeypatch.setattr(MemoryJobs, "jobs", refuse)
    site.round()
    site.children[0].cause = "it ended with code 1"
    site.round()
    assert not site.job_worker.busy
    monkeypatch.undo()
    assert site.job("a").description == "Begun again: it ended with code 1."


def finish(site: Site) -> None:
    """The job that runs is done."""
    child = site.children[-1]
    assert child.cause is None
    site.stores.open(child.loop).jobs.update(replace(child.job, state="succeeded"))
    child.cause = "it ended with code 0"


@pytest.mark.parametrize("crowded", [0, 1])
@pytest.mark.parametrize("idle_rounds", [0, 1, 2, 3])
def test_a_single_job_is_the_next_however_many_of_another_loop_wait(
    site: Site, crowded: int, idle_rounds: int
) -> None:
    for _ in range(idle_rounds):
        site.round()
    for number in range(20):
        site.put(f"crowd-{number}", loop=crowded)
    for _ in range(3):
        site.round()
        finish(site)
    site.round()
    site.put("single", loop=1 - crowded)
    finish(site)
    site.round()
    assert site.children[-1].job.job_id == "single"
    finish(site)
    site.round()
    assert site.children[-1].loop == site.loops[crowded], "then the crowd goes on"


def test_turns_are_those_of_loops_not_of_names(site: Site) -> None:
    for loop in [make_loop(f"loop-{number}") for number in range(5)]:
        site.stores.catalog.create(loop)
        site.loops.append(loop)
    for place in range(len(site.loops)):
        for number in range(3):
            site.put(f"{place}-{number}", loop=place)
    for _ in range(3 * len(site.loops)):
        site.round()
        finish(site)
    names = [child.loop.name for child in site.children]
    count = len(site.loops)
    assert all(len(set(names[at : at + count])) == count for at in range(0, len(names), count))


def test_a_loop_whose_children_always_die_does_not_go_first(site: Site) -> None:
    site.put("dies")
    site.round()
    site.children[-1].cause = "it was killed by SIGKILL"
    site.put("waits", loop=1)
    site.round(later_s=60)
    assert site.children[-1].job.job_id == "waits"


@pytest.mark.parametrize("has_ended", [False, True])
def test_the_job_of_a_loop_that_is_deleted_is_given_up(
    site: Site, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, has_ended: bool
) -> None:
    def fail(*_: object) -> None:
        raise StoreUnavailable("first/jobs.sqlite can't be opened: No such file or directory.")

    site.put("a")
    site.put("b", loop=1)
    site.round()
    site.stores.catalog.delete("first")
    monkeypatch.setattr(site.stores.open(site.loops[0]).jobs, "find", fail)
    monkeypatch.setattr(site.stores.open(site.loops[0]).jobs, "jobs", fail)
    site.children[0].cause = "it ended with code 1" if has_ended else None
    site.round()
    assert site.children[0].killed is not has_ended
    assert [child.job.job_id for child in site.children] == ["a", "b"]
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_a_queue_that_can_not_be_read_is_a_problem_of_its_loop_that_is_not_fatal(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: object) -> None:
        raise Corrupt("first/jobs.sqlite is damaged.")

    monkeypatch.setattr(site.stores.open(site.loops[0]).jobs, "claim", fail)
    site.round()
    (problem,) = site.job_worker.find_problems()
    assert (problem.loop, problem.fatal, problem.action) == ("first", False, "jobs_not_claimed")
    assert problem.message == "Evaluations and other jobs are not started: first/jobs.sqlite is damaged."
