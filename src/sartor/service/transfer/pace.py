"""How much is written at once: much where nobody waits, little and with pauses beside a service."""

import time
from collections.abc import Callable

_LARGEST = 2_000
_SMALLEST = 20
_LONG_S = 0.008


class Pace:
    """Counts lines into batches. Beside a service each write is short, and followed by a pause as long."""

    def __init__(self, *, alone: bool) -> None:
        self._alone = alone
        self.lines = _LARGEST if alone else 100

    def keep(self, work: Callable[[], None], /) -> None:
        """Do a batch of ``lines`` lines."""
        began_s = time.monotonic()
        work()
        took_s = time.monotonic() - began_s
        if not self._alone:
            halved, doubled = max(_SMALLEST, self.lines // 2), min(_LARGEST, self.lines * 2)
            self.lines = halved if took_s > _LONG_S else doubled
            time.sleep(took_s)
