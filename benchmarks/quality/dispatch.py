"""Plays runs in processes: engines in this environment, other libraries in theirs."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import TypeAlias

import msgspec

from benchmarks.quality.environment import make_environment
from benchmarks.quality.peers import PEERS
from benchmarks.quality.play import StreamResult
from benchmarks.quality.runs import ROOT, PlannedRun

Keep: TypeAlias = Callable[[PlannedRun, StreamResult], None]

_RUNS_OF_A_PROCESS = 12


def play_all(runs: Sequence[PlannedRun], keep: Keep, /, *, processes: int) -> None:
    """Play runs, and keep each result as soon as it is there.

    Args:
        runs: what to play.
        keep: called with one result at a time.
        processes: how many processes play at the same time; each uses one thread.

    Raises:
        subprocess.CalledProcessError: a process ended early; what it had played is kept.
    """
    tasks = []
    for learner in dict.fromkeys(run.learner for run in runs):
        python = make_environment() if learner in PEERS else Path(sys.executable)
        mine = [run for run in runs if run.learner == learner]
        parts = range(0, len(mine), _RUNS_OF_A_PROCESS)
        tasks += [(python, mine[first : first + _RUNS_OF_A_PROCESS]) for first in parts]
    lock, started, done = Lock(), time.monotonic(), 0

    def play_part(task: tuple[Path, Sequence[PlannedRun]]) -> None:
        nonlocal done
        for run, result in zip(task[1], _read_results(*task), strict=True):
            with lock:
                keep(run, result)
                done += 1
                minutes = (time.monotonic() - started) / 60
                sys.stderr.write(f"{minutes:5.1f} min {done}/{len(runs)}: {run.learner} in {run.world}\n")

    with ThreadPoolExecutor(processes) as pool:
        list(pool.map(play_part, tasks))


def _read_results(python: Path, runs: Sequence[PlannedRun]) -> Iterator[StreamResult]:
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    command = [str(python), "-m", "benchmarks.quality.worker"]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env=os.environ | one_thread | {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"\n".join(map(msgspec.json.encode, runs)))  # a few lines: less than a pipe holds
        process.stdin.close()
        for line in process.stdout:
            yield msgspec.json.decode(line, type=StreamResult)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
