"""Long work in short transactions, with pauses, so that other writers get the lock.

Between two transactions that follow each other immediately, a process that waits for the lock finds it free
only by chance; so each is followed by a pause of the same length.
"""

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

_Row = TypeVar("_Row")

LARGEST = 2_000
"""Most rows of one transaction."""

_SMALLEST = 50
_LONG_S = 0.006


class ThrottledTransactions:
    """Chooses how many rows each transaction takes: fewer after a long one, more after a short one."""

    def __init__(self) -> None:
        self.rows = 250

    def run(self, work: Callable[[int], int], /) -> int:
        """Runs one transaction and pauses. ``work`` gets the number of rows; returns how many it took."""
        start_s = time.monotonic()
        done = work(self.rows)
        took_s = time.monotonic() - start_s
        if took_s > _LONG_S:
            self.rows = max(_SMALLEST, self.rows // 2)
        elif took_s < _LONG_S / 4:
            self.rows = min(LARGEST, self.rows * 2)
        time.sleep(took_s)
        return done

    def run_all(self, every: Sequence[_Row], work: Callable[[Sequence[_Row]], None], /) -> None:
        """Runs ``work`` on every row, some of them in each transaction."""
        rest = list(every)

        def step(rows: int) -> int:
            some, rest[:] = rest[:rows], rest[rows:]
            work(some)
            return len(some)

        while rest:
            self.run(step)
