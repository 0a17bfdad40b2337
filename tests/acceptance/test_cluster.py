"""An evaluation on the workers of a Dask cluster is the evaluation on this machine, bit for bit."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sartor.errors import InvalidSetting
from sartor.evaluation import executor
from sartor.evaluation.executor import open_executor
from sartor.evaluation.run import run_evaluation
from sartor.evaluation.spec import EvaluationSpec, PolicySpec
from sartor.lab.fill_log import fill_log
from sartor.lab.registry import open_world
from sartor.management import loops
from sartor.runtime import compose

distributed: Any = pytest.importorskip(
    "distributed", reason="computing on a cluster is NOT tested: pip install 'sartor[dask]'"
)

SPEC = EvaluationSpec(
    name="four",
    start_us=0,
    end_us=2**53,
    policies=tuple(
        PolicySpec(name=f"epsilon-{share}", arguments=f"--cb_explore_adf --epsilon {share} -q ::")
        for share in (0.05, 0.1, 0.2, 0.4)
    ),
)


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """Two workers, each a process of its own; where their scheduler is."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None
    ) as found:
        yield found.scheduler_address.removeprefix("tcp://")


def whereabouts(_: int) -> int:
    return os.getpid()


def test_the_work_is_done_by_both_workers(cluster: str) -> None:
    with open_executor(f"dask://{cluster}") as place:
        assert place.workers == 2
        pids = set(place.map(whereabouts, list(range(20))))
    assert os.getpid() not in pids
    assert len(pids) == 2


def test_the_result_is_the_same_as_here(cluster: str, tmp_path: Path) -> None:
    where = str(tmp_path / "data")
    with compose.open_instance(where, must_exist=False) as stores:
        loop = loops.create_loop(stores, "default")
        with loops.open_loop(stores, loop) as logs:
            fill_log(logs, open_world("tutorial"), None, loop_id=loop.loop_id, turns=500)
            there = run_evaluation(
                logs, loop, SPEC, job_id="evaluation/x", where=where, compute=f"dask://{cluster}"
            )
            here = run_evaluation(logs, loop, SPEC, job_id="evaluation/x", where=where)
    assert there == here
    assert [one.total.events for one in there.policies] == [500] * 7


def test_a_scheduler_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executor, "CONNECT_TIMEOUT_S", 0.5)
    with pytest.raises(InvalidSetting, match=r"127\.0\.0\.1:9"), open_executor("dask://127.0.0.1:9"):
        pass
