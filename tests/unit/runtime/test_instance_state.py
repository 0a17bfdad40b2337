"""What follows from problems: ready, degraded or unready."""

import pytest

from sartor.problems import Problem
from sartor.runtime.instance_state import InstanceState, Status

A = Problem("The log of a is damaged.", "id-of-a", "a")
B = Problem("The log of b is damaged.", "id-of-b", "b")
MIRROR = Problem("The mirror of a failed.", "id-of-a", "a", fatal=False)
DISK = Problem("The disk is full.")
REPORTS = Problem("A report is late.", fatal=False)


@pytest.mark.parametrize(
    ("problems", "loops", "status", "with_problems"),
    [
        ((), 0, "ready", 0),
        ((), 2, "ready", 0),
        ((A,), 2, "degraded", 1),
        ((A, A), 2, "degraded", 1),
        ((A, B), 2, "unready", 2),
        ((A,), 1, "unready", 1),
        ((MIRROR,), 1, "degraded", 1),
        ((MIRROR, B), 2, "degraded", 2),
        ((DISK,), 2, "unready", 0),
        ((REPORTS,), 2, "degraded", 0),
    ],
)
def test_the_status(problems: tuple[Problem, ...], loops: int, status: Status, with_problems: int) -> None:
    state = InstanceState(problems=problems, loops=loops)
    assert (state.status, state.loops_with_problems) == (status, with_problems)


def test_the_problems_of_a_loop() -> None:
    state = InstanceState(problems=(A, B, MIRROR, DISK), loops=3)
    assert state.of_loop("a") == [A, MIRROR]
    assert state.of_loop("c") == []
