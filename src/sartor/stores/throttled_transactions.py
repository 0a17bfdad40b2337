"""Long work in short transactions, with pauses, so that whoever else wants to write comes through.

Between two transactions that follow each other at once, one that waits for the lock finds it free only by
luck; so each is followed by a pause as long as itself.
"""

import time
from collections.abc import Callable, Sequence

LARGEST = 2_000
"""Rows of one transaction at most."""

_SMALLEST = 50
_LONG_S = 0.006


class ThrottledTransactions:
    """How many rows the next transaction may take: fewer after a long one, more after a short one."""

    def __init__(self) -> None:
        self.rows = 250

    def take(self, work: Callable[[int], int], /) -> int:
        """Do one step and pause. ``work`` gets the number of rows, and returns how many it took."""
        began_s = time.monotonic()
        done = work(self.rows)
        took_s = time.monotonic() - began_s
        if took_s > _LONG_S:
            self.rows = max(_SMALLEST, self.rows // 2)
        elif took_s < _LONG_S / 4:
            self.rows = min(LARGEST, self.rows * 2)
        time.sleep(took_s)
        return done

    def through(self, numbers: Sequence[int], work: Callable[[Sequence[int]], None], /) -> None:
        """Do all of them, some at each step."""
        rest = list(numbers)

        def step(rows: int) -> int:
            some, rest[:] = rest[:rows], rest[rows:]
            work(some)
            return len(some)

        while rest:
            self.take(step)
