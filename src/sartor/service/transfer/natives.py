"""Lines that tell of decisions which this loop has made itself: its own export, or its mirror."""

from sartor.ports import LoopStores
from sartor.records import Imported


class Natives:
    """The decisions of a loop that were not imported."""

    def __init__(self, logs: LoopStores, /, *, since_us: int) -> None:
        """Nothing is read yet. ``since_us``: when the loop was made; what is older it can't have decided."""
        self._logs = logs
        self._since_us = since_us

    def has(self, line: Imported, /) -> bool:
        """Whether the decision of a line was made here, and settled. It costs a look-up."""
        return line.made_at_us >= self._since_us and any(
            decision.at_us == line.made_at_us and not decision.imported
            for logged in self._logs.outcomes.outcomes_of(line.decision.event_id)
            for decision in self._logs.events.decisions(after=logged.outcome.decision_seq - 1, limit=1)
        )
