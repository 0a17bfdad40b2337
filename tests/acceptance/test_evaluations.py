"""Evaluations beside a running service: computed through kills, and dropped when nobody wants them."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from sartor.evaluation import jobs
from sartor.evaluation.spec import EVALUATION, job_id, model_prefix
from sartor.lab.fill_log import fill_log
from sartor.lab.registry import open_world
from sartor.management import loops
from sartor.records import Job
from sartor.runtime import compose
from tests.acceptance.service import Service, eventually

TURNS = 1_500
RIVALS = (
    "--policy",
    "square=--cb_explore_adf --squarecb --cb_type mtr -q ::",
    "--policy",
    "linear=--cb_explore_adf --epsilon 0.1 --cb_type mtr",
)


@pytest.fixture
def played(service: Service) -> Service:
    """A service on a folder whose loop has a log already."""
    with compose.open_instance(str(service.folder), must_exist=False) as stores:
        loop = loops.create_loop(stores, "default")
        with loops.open_loop(stores, loop) as logs:
            world = open_world("tutorial")
            fill_log(logs, world, None, loop_id=loop.loop_id, turns=TURNS)
    return service.start()


def children(folder: Path) -> list[int]:
    """The processes that compute a job of this folder; what they start is in their groups."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if b"sartor.jobs.child" in words and str(folder).encode() in b" ".join(words):
            found.append(int(path.parent.name))
    return found


def job(service: Service, name: str) -> Job:
    with compose.open_instance(str(service.folder)) as stores:
        loop = loops.find_loop(stores, "default")
        with loops.open_loop(stores, loop) as logs:
            return jobs.find_job(logs, EVALUATION, name)


def ask(service: Service, name: str) -> None:
    service.run("evaluate", "default", "--no-wait", "--id", name, *RIVALS)


def is_under_way(service: Service, name: str, *, attempts: int = 1) -> Callable[[], bool]:
    def condition() -> bool:
        found = job(service, name)
        return found.attempts == attempts and found.state == "running" and bool(children(service.folder))

    return condition


@pytest.mark.timeout(120)
def test_evaluations_survive_kills_and_are_dropped_when_unwanted(played: Service) -> None:
    ask(played, "killed")
    eventually(is_under_way(played, "killed"), "a child is at work", within_s=30)
    (child,) = children(played.folder)
    os.killpg(child, signal.SIGKILL)
    eventually(is_under_way(played, "killed", attempts=2), "it is begun again", within_s=30)
    played.kill_supervisor()
    eventually(lambda: not children(played.folder), "the child dies with the service", within_s=15)
    played.start()
    eventually(lambda: job(played, "killed").state == "succeeded", "it is computed at last", within_s=60)
    report = played.json("evaluate", "default", "--show", "killed")["report"]
    assert report["decisions"] == TURNS
    assert {one["name"] for one in report["table"]} == {"Online", "Baseline", "Random", "square", "linear"}

    ask(played, "unwanted")
    eventually(is_under_way(played, "unwanted"), "a child is at work", within_s=30)
    with compose.open_instance(str(played.folder)) as stores:
        loop = loops.find_loop(stores, "default")
        with loops.open_loop(stores, loop) as logs:
            jobs.delete_job(logs, EVALUATION, "unwanted")
            eventually(lambda: not children(played.folder), "a deleted one is stopped")
            prefix = model_prefix(job_id(EVALUATION, "unwanted"))
            assert [name for name in logs.blobs.names() if name.startswith(prefix)] == []

    assert played.json("score", "default")["events"] == TURNS
    played.run("apply", "default", "killed", "square")
    assert "--squarecb" in played.run("loop", "show", "default").stdout
