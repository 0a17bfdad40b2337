"""Housekeeping of the stores, away from the request path."""

import logging
from collections.abc import Sequence

from sartor.ports import Loop, Stores
from sartor.runtime.followed_loops import FollowedLoops
from sartor.runtime.for_each_loop import NOT_SEEN, LoopVisits, for_each_loop
from sartor.runtime.trusted_clock import TrustedClock

_log = logging.getLogger(__name__)


class Housekeeping:
    """Maintains the stores of every loop, and removes what deleted loops left behind."""

    def __init__(self, stores: Stores, /, *, clock: TrustedClock | None = None) -> None:
        """Nothing is done yet; ``clock``: by default that of the machine."""
        self._stores = stores
        self._clock = clock or TrustedClock(stores)
        self._loops = FollowedLoops(stores.catalog)
        self.visits = LoopVisits("housekeeping_failed", stores.catalog)
        """What failed last, by loop."""

    def run_once(self) -> None:
        """Visit every loop once; one that fails does not stop the others.

        Raises:
            StoreUnavailable: the catalog can't be read.
        """
        for_each_loop(self._loops.current(), self._maintain, visits=self.visits)

    def _maintain(self, loop: Loop) -> object:
        return None if self._stores.maintain(loop, sparing=True) else NOT_SEEN

    def purge(self) -> Sequence[str]:
        """Remove what deleted loops left behind, by a clock that can be trusted; returns their ids."""
        removed = self._stores.purge(now_us=self._clock.observe().trusted_us)
        for loop_id in removed:
            _log.info("A deleted loop was removed.", extra={"action": "loop_purged", "loop_id": loop_id})
        return removed
