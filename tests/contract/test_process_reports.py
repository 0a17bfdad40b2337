"""What every store promises of the reports of processes."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from sartor.errors import StoreUnavailable
from sartor.ports import Stores
from sartor.problems import Problem, ProcessReport, ProcessRole
from sartor.stores.process_reports import FileProcessReports
from tests.contract.conftest import FullDisk

PROBLEM = Problem("The log can't be read.", "id-of-a", "a", "learning_failed", fatal=False)


def make_report(role: ProcessRole = "learn", *, pid: int = 0, host: str = "") -> ProcessReport:
    """A report of this process, unless it is said to be another one's."""
    return ProcessReport(
        role=role,
        pid=pid or os.getpid(),
        host=host or socket.gethostname(),
        started_us=1_700_000_000_000_000,
        progressed_us=1_700_000_000_000_001,
    )


def pid_of_ended_process() -> int:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return ended.pid


def test_nothing_is_reported_at_first(stores: Stores) -> None:
    assert list(stores.reports.all()) == []


def test_the_last_report_counts_with_all_its_members(stores: Stores) -> None:
    report = make_report()
    stores.reports.post(report)
    for changed in (
        replace(report, progressed_us=report.progressed_us + 1),
        replace(report, progressed_us=report.progressed_us - 50_000_000),
        replace(report, problems=(PROBLEM, PROBLEM), busy_with="a"),
        report,
    ):
        stores.reports.post(changed)
        assert list(stores.reports.all()) == [changed]


def test_each_process_has_its_report_until_it_removes_it(stores: Stores) -> None:
    api, learn, work = (make_report(role) for role in ("api", "learn", "work"))
    for report in (work, learn, api):
        stores.reports.post(report)
    assert list(stores.reports.all()) == [api, learn, work]
    stores.reports.remove(learn)
    stores.reports.remove(learn)
    assert list(stores.reports.all()) == [api, work]


def test_there_is_one_learn_process(stores: Stores) -> None:
    stores.reports.post(make_report(pid=os.getppid()))
    stores.reports.post(make_report())
    assert [report.pid for report in stores.reports.all()] == [os.getpid()]


def test_a_report_that_can_not_be_written_is_an_error_and_written_later(
    stores: Stores, full_disk: FullDisk
) -> None:
    report = make_report()
    stores.reports.post(report)
    changed = replace(report, problems=(PROBLEM,))
    with full_disk(), pytest.raises(StoreUnavailable):
        stores.reports.post(changed)
    stores.reports.post(changed)
    assert list(stores.reports.all()) == [changed]


def test_the_report_of_a_process_that_was_killed_is_not_among_them(tmp_path: Path) -> None:
    reports = FileProcessReports(tmp_path)
    killed = make_report("api", pid=pid_of_ended_process())
    reports.post(killed)
    reports.post(make_report("api"))
    assert [report.pid for report in reports.all()] == [os.getpid()]


def test_a_process_removes_what_killed_ones_left(tmp_path: Path) -> None:
    FileProcessReports(tmp_path).post(make_report("api", pid=pid_of_ended_process()))
    FileProcessReports(tmp_path).post(make_report("work"))
    assert [path.name for path in tmp_path.iterdir()] == [f"work-{os.getpid()}.json"]


def test_whether_a_process_of_another_machine_runs_is_not_decided_by_its_number(tmp_path: Path) -> None:
    reports = FileProcessReports(tmp_path)
    elsewhere = make_report("api", pid=pid_of_ended_process(), host="another-machine")
    reports.post(elsewhere)
    reports.post(make_report("work"))
    assert elsewhere in reports.all()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\x00"])
def test_a_report_that_is_damaged_hides_no_other(tmp_path: Path, content: bytes) -> None:
    reports = FileProcessReports(tmp_path)
    reports.post(make_report("work"))
    (tmp_path / "api-1.json").write_bytes(content)
    assert [report.role for report in reports.all()] == ["work"]


def test_while_only_time_passes_the_file_is_not_written_again(tmp_path: Path) -> None:
    reports, report = FileProcessReports(tmp_path), make_report("work")
    reports.post(report)
    (path,) = tmp_path.iterdir()
    before = path.stat().st_ino
    reports.post(replace(report, progressed_us=report.progressed_us + 1_000_000))
    assert path.stat().st_ino == before
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_that_somebody_removed_is_written_again(tmp_path: Path) -> None:
    reports, report = FileProcessReports(tmp_path), make_report("work")
    reports.post(report)
    next(tmp_path.iterdir()).unlink()
    with pytest.raises(StoreUnavailable):
        reports.post(replace(report, progressed_us=report.progressed_us + 1_000_000))
    reports.post(report)
    assert list(reports.all()) == [report]
