"""``sartor doctor`` finds what is damaged, and says what processes report; ``--repair`` asks and mends."""

import io
import json
import os
import socket
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeAlias

import pytest

from sartor import times
from sartor.management import loops
from sartor.problems import Problem, ProcessReport
from sartor.runtime import compose
from sartor.runtime.instance_lock import InstanceLock
from sartor.testing.builders import make_decision, make_job
from tests.unit.cli.conftest import Result, Sartor


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    data = tmp_path / "data"
    with compose.open_instance(str(data), must_exist=False) as stores:
        for name in ("a", "b"):
            loop = loops.create_loop(stores, name)
            with closing(stores.open(loop)) as logs:
                logs.events.append([make_decision("e")])
                logs.jobs.put(make_job("job"))
    return data


Doctor: TypeAlias = Callable[..., Result]


@pytest.fixture
def doctor(sartor: Sartor, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Doctor:
    """Runs the command on the folder, with an answer to what it asks."""

    def run(*flags: str, answer: str = "") -> Result:
        monkeypatch.setattr(sys, "stdin", io.StringIO(answer))
        return sartor("doctor", "--data", str(folder), *flags)

    return run


def break_jobs(folder: Path, name: str = "a") -> Path:
    path = folder / "loops" / name / "jobs.sqlite"
    path.write_bytes(b"noise" * 1000)
    return path


def test_damage_is_found_with_what_could_be_done(doctor: Doctor, folder: Path) -> None:
    break_jobs(folder)
    result = doctor()
    assert result.code == 1
    assert "a/jobs.sqlite is damaged" in result.out
    assert "sartor doctor --repair would: Begin an empty queue" in result.out
    assert result.out.endswith("Not healthy.\n")


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 1)])
def test_a_repair_asks(doctor: Doctor, folder: Path, answer: str, code: int) -> None:
    broken = break_jobs(folder)
    result = doctor("--repair", answer=answer)
    assert result.code == code
    assert broken.exists() is (code == 1)
    with compose.open_instance(str(folder)) as stores:
        actions = [one.entry.action for one in stores.audit.entries(limit=99)]
    assert actions.count("repair") == (1 if code == 0 else 0)


def test_yes_asks_nothing_and_json_says_what_was_done(doctor: Doctor, folder: Path) -> None:
    break_jobs(folder)
    result = doctor("--repair", "--yes", "--json")
    told = json.loads(result.out)
    assert (result.code, told["healthy"]) == (0, True)
    (done,) = told["repairs"]
    assert (done["loop"], done["left"]) == ("a", "")
    assert done["done"].startswith("The queue begins empty; what was there is in a/damaged/")


def test_a_repair_beside_the_service_is_refused(doctor: Doctor, folder: Path) -> None:
    broken = break_jobs(folder)
    with InstanceLock(folder).only_supervisor():
        assert "uses the data folder" in doctor("--repair", "--yes").err
    with InstanceLock(folder).only_learner(patience_s=0):
        assert "uses the data folder" in doctor("--repair", "--yes").err
    assert broken.read_bytes().startswith(b"noise")


def post(folder: Path, *problems: Problem, idle_s: float = 0.0) -> None:
    report = ProcessReport(
        role="learn",
        pid=os.getpid(),
        host=socket.gethostname(),
        started_us=0,
        progressed_us=times.now_us() - round(idle_s * 1e6),
        problems=problems,
    )
    with compose.open_instance(str(folder)) as stores:
        stores.reports.post(report)


def test_a_repair_beside_a_process_that_runs_by_itself_is_refused(doctor: Doctor, folder: Path) -> None:
    broken = break_jobs(folder)
    post(folder)
    assert "stop it first" in doctor("--repair", "--yes").err
    assert broken.read_bytes().startswith(b"noise")


def test_what_processes_report_is_told(doctor: Doctor, folder: Path) -> None:
    post(folder, Problem("Settling failed.", "id", "a"), Problem("The mirror failed.", "id", "b", fatal=False))
    result = doctor()
    assert result.code == 1
    assert "note: Loop 'b': The mirror failed." in result.out
    assert "PROBLEM: Loop 'a': Settling failed." in result.out


def test_a_process_without_progress_is_told(doctor: Doctor, folder: Path) -> None:
    post(folder, idle_s=42)
    result = doctor()
    assert result.code == 1
    assert f"PROBLEM: The learn process {os.getpid()} has made no progress for 4" in result.out


def test_a_sound_folder_is_healthy(doctor: Doctor, folder: Path) -> None:
    assert doctor().out.endswith("Healthy.\n")
    assert doctor("--repair", "--yes").code == 0
