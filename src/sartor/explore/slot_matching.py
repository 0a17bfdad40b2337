"""Finds which actions a slot may take so that every later slot can still be filled.

Exclusions can lead into a dead end: the only action that a later slot accepts may be drawn for an earlier
one. Each slot's baseline is a different action that it accepts, so there is a complete matching of slots to
actions at the start; one is maintained as actions are taken, along alternating paths (Berge 1957).
"""

from collections import deque
from collections.abc import Sequence


class SlotMatching:
    """The slots that are still to be filled, in order, and the actions that remain."""

    def __init__(self, *, accepted: Sequence[frozenset[int]], matching: Sequence[int]) -> None:
        """Nothing is taken yet.

        Args:
            accepted: for each slot the actions that may go there.
            matching: one of them for each slot, each a different one.
        """
        self._accepted = accepted
        self._matching = list(matching)
        self._slot = 0
        self._remaining = set(frozenset().union(*accepted))

    def find_offered(self) -> list[int]:
        """Returns the actions that the next slot may take, in order; at least one."""
        here = self._remaining & self._accepted[self._slot]
        matched = self._find_matched()
        if matched.keys().isdisjoint(here):
            return sorted(here)
        replacements = self._find_replacements(matched)
        return sorted(index for index in here if index not in matched or index in replacements)

    def take(self, index: int, /) -> None:
        """Put an offered action into the next slot."""
        matched = self._find_matched()
        slot = matched.get(index)
        replacements = {} if slot is None else self._find_replacements(matched)
        self._remaining.remove(index)
        while slot is not None:
            index = replacements[index]
            self._matching[slot] = index
            slot = matched.get(index)
        self._slot += 1

    def _find_matched(self) -> dict[int, int]:
        """The actions that are matched to later slots, and to which."""
        later = range(self._slot + 1, len(self._matching))
        return {self._matching[slot]: slot for slot in later}

    def _find_replacements(self, matched: dict[int, int]) -> dict[int, int]:
        """For each matched action that its slot could give up: what the slot takes instead."""
        replacements: dict[int, int] = {}
        spare = deque(self._remaining - matched.keys())
        fixed = {slot: index for index, slot in matched.items()}
        while spare and fixed:
            index = spare.popleft()
            for slot in [slot for slot in fixed if index in self._accepted[slot]]:
                freed = fixed.pop(slot)
                replacements[freed] = index
                spare.append(freed)
        return replacements
