"""Which actions a slot may take so that none of the slots after it is left with nothing.

Exclusions can lead into a dead end: the only action that a later slot accepts may be drawn for an earlier
one. Each slot's baseline is another action that it accepts, so there is a complete filling at the beginning;
one is kept as actions are taken, along the alternating paths of bipartite matching (Berge 1957).
"""

from collections import deque
from collections.abc import Sequence


class SlotMatching:
    """The slots that are still to be filled, in order, and the actions that are left."""

    def __init__(self, *, accepted: Sequence[frozenset[int]], filling: Sequence[int]) -> None:
        """Nothing is taken yet.

        Args:
            accepted: for each slot the actions that may go there.
            filling: for each slot one of them, each another.
        """
        self._accepted = accepted
        self._filling = list(filling)
        self._slot = 0
        self._left = set(frozenset().union(*accepted))

    def offered(self) -> list[int]:
        """What the next slot may take, in the order of the actions; never nothing."""
        here = self._left & self._accepted[self._slot]
        held = self._held()
        if held.keys().isdisjoint(here):
            return sorted(here)
        ways = self._ways(held)
        return sorted(index for index in here if index not in held or index in ways)

    def take(self, index: int, /) -> None:
        """Put an action that was offered into the next slot."""
        held = self._held()
        slot = held.get(index)
        ways = {} if slot is None else self._ways(held)
        self._left.remove(index)
        while slot is not None:
            index = ways[index]
            self._filling[slot] = index
            slot = held.get(index)
        self._slot += 1

    def _held(self) -> dict[int, int]:
        """The actions that the filling has in later slots, and in which."""
        later = range(self._slot + 1, len(self._filling))
        return {self._filling[slot]: slot for slot in later}

    def _ways(self, held: dict[int, int]) -> dict[int, int]:
        """For each held action that its slot could do without: what the slot takes instead."""
        ways: dict[int, int] = {}
        spare = deque(self._left - held.keys())
        stuck = {slot: index for index, slot in held.items()}
        while spare and stuck:
            index = spare.popleft()
            for slot in [slot for slot in stuck if index in self._accepted[slot]]:
                freed = stuck.pop(slot)
                ways[freed] = index
                spare.append(freed)
        return ways
