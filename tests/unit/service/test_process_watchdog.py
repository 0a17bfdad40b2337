"""A child that makes no progress is named once, and killed when it stays so; one that does is left alone."""

import logging
import signal

import pytest
from msgspec.structs import replace

from sartor.problems import ProcessReport, ProcessRole
from sartor.runtime.instance_watch import START_S, InstanceWatch
from sartor.service.child_process import ChildSupervisor, Role
from sartor.service.process_watchdog import KILL_AFTER_S, ProcessWatchdog
from sartor.testing.stores import MemoryStores


class Child(ChildSupervisor):
    """A child that is only signalled."""

    def __init__(self, pid: int) -> None:
        super().__init__(Role(name="learn", command=()))
        self._pid = pid
        self.signals: list[signal.Signals] = []

    @property
    def pid(self) -> int:
        return self._pid

    def replace_process(self) -> None:
        self._pid += 100

    def signal(self, number: signal.Signals, /) -> None:
        self.signals.append(number)


class Supervised:
    """Two children, of which one can be made to stall."""

    def __init__(self) -> None:
        self.now_s = 50.0
        self.stores = MemoryStores()
        self.learn, self.work = Child(1), Child(2)
        watch = InstanceWatch(self.stores.reports, monotonic_s=lambda: self.now_s)
        self.watchdog = ProcessWatchdog(watch, [self.learn, self.work], monotonic_s=lambda: self.now_s)
        self.posted = 0

    def post(self, role: ProcessRole, pid: int) -> None:
        self.posted += 1
        report = ProcessReport(role=role, pid=pid, host="here", started_us=pid, progressed_us=self.posted)
        self.stores.reports.post(report)

    def run(self, seconds: float, *, stalled: bool) -> None:
        for _ in range(round(seconds)):
            self.now_s += 1
            self.post("work", 2)
            if not stalled:
                self.post("learn", self.learn.pid)
            self.watchdog.look()


@pytest.fixture
def supervised() -> Supervised:
    made = Supervised()
    made.run(5, stalled=False)
    return made


def test_a_child_that_makes_progress_is_left_alone(
    supervised: Supervised, caplog: pytest.LogCaptureFixture
) -> None:
    supervised.run(3 * KILL_AFTER_S, stalled=False)
    assert supervised.learn.signals == []
    assert caplog.records == []


def test_a_stall_is_logged_once_and_its_end_too(
    supervised: Supervised, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    supervised.run(KILL_AFTER_S - 10, stalled=True)
    supervised.run(5, stalled=False)
    assert [record.levelname for record in caplog.records] == ["ERROR", "INFO"]
    assert "The learn process 1 has made no progress for 11 s" in caplog.text
    assert supervised.learn.signals == []


def test_one_that_stays_so_is_killed_and_each_one_after_it_has_twice_as_long(supervised: Supervised) -> None:
    supervised.run(KILL_AFTER_S + 1, stalled=True)
    assert supervised.learn.signals == [signal.SIGKILL]
    assert supervised.work.signals == []
    supervised.learn.replace_process()
    supervised.run(1, stalled=False)
    supervised.run(2 * KILL_AFTER_S - 5, stalled=True)
    assert len(supervised.learn.signals) == 1
    supervised.run(10, stalled=True)
    assert supervised.learn.signals[:2] == [signal.SIGKILL] * 2


def test_a_process_of_somebody_else_is_not_killed(supervised: Supervised) -> None:
    report = ProcessReport(role="api", pid=77, host="here", started_us=1, progressed_us=1)
    supervised.stores.reports.post(report)
    supervised.run(KILL_AFTER_S + 10, stalled=False)
    assert supervised.learn.signals == supervised.work.signals == []


def test_when_the_whole_machine_slept_nobody_is_killed(supervised: Supervised) -> None:
    supervised.now_s += 10 * KILL_AFTER_S
    supervised.watchdog.look()
    supervised.run(5, stalled=True)
    supervised.stores.reports.post(replace(supervised.stores.reports.all()[0], progressed_us=999_999))
    assert supervised.learn.signals == []


def test_a_child_that_hangs_before_its_first_report_is_named_and_killed(
    supervised: Supervised, caplog: pytest.LogCaptureFixture
) -> None:
    supervised.stores.reports.remove(supervised.stores.reports.all()[0])
    supervised.learn.replace_process()
    supervised.run(START_S, stalled=True)
    assert caplog.records == []
    supervised.run(5, stalled=True)
    assert [record.message[:60] for record in caplog.records] == [
        "The learn process 101 has made no progress for 31 s. If it w"
    ]
    supervised.run(KILL_AFTER_S - START_S, stalled=True)
    assert supervised.learn.signals == [signal.SIGKILL]
