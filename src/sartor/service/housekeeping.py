"""House-keeping of the stores, away from the request path."""

import logging
from collections.abc import Sequence

from sartor.errors import SartorError
from sartor.ports import Loop, Stores

_log = logging.getLogger(__name__)


class Housekeeping:
    """Tidies the stores of every loop, and removes what deleted loops left behind."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self._failing: set[str] = set()
        self._rounds = 0

    def run_once(self) -> int:
        """Visit every loop once; one that fails does not stop the others.

        Returns:
            How many loops were tidied.

        Raises:
            StoreUnavailable: the catalog can't be read.
        """
        loops = list(self._stores.catalog.loops())
        # Each time another one first: what may be done to one loop a round must come to all of them.
        first = self._rounds % max(1, len(loops))
        self._rounds += 1
        return sum(self._tidied(loop) for loop in loops[first:] + loops[:first])

    def _tidied(self, loop: Loop) -> bool:
        try:
            self._stores.maintain(loop, sparing=True)
        except SartorError as error:
            self._tell(loop.name, error)
            return False
        self._failing.discard(loop.name)
        return True

    def _tell(self, name: str, error: SartorError) -> None:
        # Each round would say the same: once per trouble is enough.
        if name not in self._failing:
            extra = {"action": "tidy_failed", "loop": name}
            _log.warning("The store of a loop could not be tidied: %s", error.message, extra=extra)
        self._failing.add(name)

    def purge(self) -> Sequence[str]:
        """Remove what deleted loops left behind; returns their ids."""
        gone = self._stores.purge()
        for loop_id in gone:
            _log.info("A deleted loop was removed.", extra={"action": "loop_purged", "loop_id": loop_id})
        return gone
