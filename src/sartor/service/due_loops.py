"""Which loops are due, found without a look at all the others: an instance may have thousands that are not."""

from heapq import heappop, heappush


class DueLoops:
    """Times at which loops are due, by id. A loop that became due stays so until it is scheduled again."""

    def __init__(self) -> None:
        self._times: list[tuple[float, str]] = []
        self._due_s: dict[str, float] = {}
        self._ready: set[str] = set()

    def schedule(self, loop_id: str, due_s: float, /) -> None:
        """A loop is due at this time, and not before."""
        self._ready.discard(loop_id)
        if self._due_s.get(loop_id) != due_s:
            self._due_s[loop_id] = due_s
            heappush(self._times, (due_s, loop_id))

    def drop(self, loop_id: str, /) -> None:
        """A loop is gone."""
        self._ready.discard(loop_id)
        self._due_s.pop(loop_id, None)

    def find(self, now_s: float, /) -> set[str]:
        """Returns the loops that are due. Costs what became due since the last call."""
        while self._times and self._times[0][0] <= now_s:
            due_s, loop_id = heappop(self._times)
            if self._due_s.get(loop_id) == due_s:  # or else it was scheduled anew, or is gone
                del self._due_s[loop_id]
                self._ready.add(loop_id)
        return self._ready

    def next_s(self) -> float:
        """Returns when the next loop is due: infinity for none, and a time in the past for one that is."""
        if self._ready:
            return 0.0
        return self._times[0][0] if self._times else float("inf")
