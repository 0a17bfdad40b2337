"""A process reports what it does and what is wrong, even while its work hangs."""

import threading
import time
from collections.abc import Callable

import pytest

from sartor.problems import Problem, ProcessReport
from sartor.runtime import progress_reporter
from sartor.runtime.progress_reporter import ProgressReporter
from sartor.testing.fakes import Clock
from sartor.testing.stores import MemoryStores

PROBLEM = Problem("Something is wrong.")


@pytest.fixture
def stores() -> MemoryStores:
    return MemoryStores()


def wait_for(stores: MemoryStores, is_so: Callable[[ProcessReport], bool]) -> ProcessReport:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        if found := [report for report in stores.reports.all() if is_so(report)]:
            return found[0]
        time.sleep(0.01)
    pytest.fail(f"never reported: {stores.reports.all()}")


def test_progress_and_problems_are_posted(stores: MemoryStores, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress_reporter, "_EVERY_S", 0.01)
    clock = Clock()
    reporter = ProgressReporter(stores.reports, "work", now_us=clock)
    reporter.start()
    clock.advance(1)
    reporter.note_progress(lambda: [PROBLEM])
    report = wait_for(stores, lambda report: report.problems != ())
    assert (report.role, report.problems) == ("work", (PROBLEM,))
    assert report.progressed_us - report.started_us == 1_000_000
    reporter.close()
    assert list(stores.reports.all()) == []


def test_work_that_hangs_is_reported_with_its_loop(
    stores: MemoryStores, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress_reporter, "_EVERY_S", 0.01)
    reporter = ProgressReporter(stores.reports, "learn")
    reporter.start()
    goes_on = threading.Event()

    def hang() -> None:
        reporter.note_start("a")
        goes_on.wait(30)
        reporter.note_progress()

    thread = threading.Thread(target=hang)
    thread.start()
    stuck = wait_for(stores, lambda report: report.busy_with == "a")
    goes_on.set()
    thread.join()
    over = wait_for(stores, lambda report: report.busy_with == "")
    assert over.progressed_us > stuck.progressed_us
    reporter.close()


def test_problems_are_looked_for_once_a_second_at_most(stores: MemoryStores) -> None:
    reporter = ProgressReporter(stores.reports, "api")
    calls = 0

    def find_problems() -> list[Problem]:
        nonlocal calls
        calls += 1
        return []

    for _ in range(1000):
        reporter.note_progress(find_problems)
    assert calls < 1000


def test_a_report_that_can_not_be_posted_ends_nothing(stores: MemoryStores) -> None:
    reporter = ProgressReporter(stores.reports, "api")
    stores.disk.failing = True
    reporter.post()
    stores.disk.failing = False
    reporter.post()
    assert len(stores.reports.all()) == 1
