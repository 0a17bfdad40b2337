"""Measures how long ``sartor serve`` takes until it is ready."""

import statistics
from pathlib import Path

from benchmarks import server
from benchmarks.report import Row

ROUNDS = 5


def measure(folder: Path, /) -> list[Row]:
    """Returns the slowest of several starts, on a new folder and on a used one."""
    new = [_measure_ready_s(folder / f"start-{i}") for i in range(ROUNDS)]
    old = [_measure_ready_s(folder / "start-0") for _ in range(ROUNDS)]
    return [
        Row(
            what="`sartor serve` from start to ready",
            value=max(new + old),
            text=f"{max(new + old):.2f} s",
            at_most=2.0,
            goal="≤ 2 s",
            note=f"The slowest of {2 * ROUNDS} starts, asked on `/health/ready`; median "
            f"{statistics.median(new):.2f} s on a new folder, {statistics.median(old):.2f} s on one in use.",
        )
    ]


def _measure_ready_s(data: Path) -> float:
    with server.run_service(data) as service:
        return service.ready_s
