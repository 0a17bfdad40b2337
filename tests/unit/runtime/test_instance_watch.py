"""Processes that make no progress are noticed, and those that do are left alone, whatever the clocks say."""

import pytest
from msgspec.structs import replace

from sartor.problems import Problem, ProcessReport, ProcessRole
from sartor.runtime.instance_watch import STALLED_S, START_S, InstanceWatch
from sartor.testing.stores import MemoryStores


class Instance:
    """Processes that report, or don't, and a watch on them."""

    def __init__(self, *, expected: tuple[ProcessRole, ...] = ()) -> None:
        self.now_s = 1000.0
        self.stores = MemoryStores()
        self.watch = InstanceWatch(self.stores.reports, expected=expected, monotonic_s=lambda: self.now_s)
        self.reports: dict[str, ProcessReport] = {}

    def add(self, role: ProcessRole, *, pid: int) -> None:
        report = ProcessReport(role=role, pid=pid, host="here", started_us=1, progressed_us=1)
        self.reports[role] = report
        self.stores.reports.post(report)

    def progress(self, role: ProcessRole, *, by_us: int = 1_000_000) -> None:
        report = self.reports[role]
        self.reports[role] = replace(report, progressed_us=report.progressed_us + by_us)
        self.stores.reports.post(self.reports[role])

    def run(self, seconds: float, *progressing: ProcessRole, by_us: int = 1_000_000) -> list[Problem]:
        for _ in range(round(seconds)):
            self.now_s += 1
            for role in progressing:
                self.progress(role, by_us=by_us)
            self.watch.look()
        return self.watch.find_problems()


@pytest.fixture
def instance() -> Instance:
    made = Instance()
    made.add("api", pid=1)
    made.add("learn", pid=2)
    made.add("work", pid=3)
    made.watch.look()
    return made


def test_progress_is_no_problem(instance: Instance) -> None:
    assert instance.run(60, "api", "learn", "work") == []


@pytest.mark.parametrize("by_us", [-1, 40 * 86_400_000_000, -40 * 86_400_000_000])
def test_a_clock_that_is_set_is_no_stall(instance: Instance, by_us: int) -> None:
    assert instance.run(20, "api", "learn", "work", by_us=by_us) == []


@pytest.mark.parametrize("stalled", ["learn", "work"])
def test_a_process_that_stalls_is_named_and_forgiven(instance: Instance, stalled: ProcessRole) -> None:
    others = [role for role in ("api", "learn", "work") if role != stalled]
    assert instance.run(STALLED_S, *others) == []  # type: ignore[arg-type]
    (problem,) = instance.run(2, *others)  # type: ignore[arg-type]
    assert problem.message.startswith(f"The {stalled} process has made no progress for 12 s.")
    assert (problem.action, problem.fatal, problem.loop_id) == ("process_stalled", True, "")
    assert instance.run(1, "api", "learn", "work") == []


def test_a_stuck_process_says_in_which_loop(instance: Instance) -> None:
    instance.reports["learn"] = replace(instance.reports["learn"], busy_with="shop")
    instance.stores.reports.post(instance.reports["learn"])
    (problem,) = instance.run(12, "api", "work")
    assert "for 12 s, at the loop 'shop'" in problem.message


def test_one_api_process_that_stalls_keeps_the_instance_from_nothing(instance: Instance) -> None:
    (problem,) = instance.run(12, "learn", "work")
    assert problem.message.startswith("The api process 1 has made no progress")
    assert not problem.fatal


def test_a_process_that_died_and_does_not_come_back_is_missed(instance: Instance) -> None:
    instance.stores.reports.remove(instance.reports.pop("learn"))
    (problem,) = instance.run(12, "api", "work")
    assert problem.message.startswith("The learn process has made no progress")
    instance.add("learn", pid=4)
    assert instance.run(1, "api", "work", "learn") == []


def test_a_process_of_a_role_that_never_ran_is_missed_only_where_it_is_expected() -> None:
    alone, supervised = Instance(), Instance(expected=("learn", "work"))
    for instance in (alone, supervised):
        instance.add("api", pid=1)
        assert instance.run(START_S - 1, "api") == []
    assert alone.run(5, "api") == []
    assert [problem.action for problem in supervised.run(5, "api")] == ["process_stalled"] * 2


def test_a_watcher_that_was_stopped_itself_accuses_nobody(instance: Instance) -> None:
    instance.now_s += 3600
    instance.watch.look()
    assert instance.watch.find_problems() == []
    assert [problem.action for problem in instance.run(12, "api")] == ["process_stalled"] * 2


def test_reports_that_can_not_be_read_accuse_nobody(instance: Instance) -> None:
    instance.stores.disk.failing = True
    (problem,) = instance.run(20)
    assert (problem.action, problem.fatal) == ("reports_not_read", False)
