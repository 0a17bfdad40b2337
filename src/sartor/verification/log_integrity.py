"""Counting a loop's log and outcomes: are the numbers whole, and does every outcome belong to something?

A running instance does no harm: the outcomes that are looked at were there before the log's end was read, and
where retention took something meanwhile, its numbers are read again before anything is said to be missing.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

from sartor.ports import LoopStores, OutcomeCounts
from sartor.records import Cursor, Horizon, LoggedOutcome

_BATCH = 5_000
_MOST_TOLD = 5


class _Numbered(Protocol):
    @property
    def seq(self) -> int: ...


_N = TypeVar("_N", bound=_Numbered, covariant=True)


class _BatchReader(Protocol[_N]):
    def __call__(self, *, after: int, limit: int) -> Sequence[_N]: ...


_First = Callable[[], int]
"""Tells with which number a log begins now; retention may take its beginning at any time."""


class LogIntegrityCheck:
    """The totals of one loop, and what is wrong with them. It needs a byte of memory for each event."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self._complaints: dict[str, list[int]] = {}
        self._settled = bytearray()
        self._joined = bytearray()
        self._first_decision = 1

    def run(self, logs: LoopStores, /) -> list[str]:
        """Count everything; returns the complaints.

        Raises:
            StoreUnavailable: the log can't be read.
            Corrupt: it can be read, and is not what this service writes.
        """
        counts = logs.outcomes.counts()
        horizon = logs.events.horizon()
        self._first_decision = horizon.first_decision
        self._settled = bytearray(horizon.decisions + 1)
        self._joined = bytearray(horizon.observations + 1)
        self._walk("decisions", logs.events.decisions, _first_decision(logs), last=horizon.decisions)
        self._walk(
            "observations", logs.events.observations, _first_observation(logs), last=horizon.observations
        )
        learnable = self._outcomes(logs, last=counts.last_outcome)
        now = logs.outcomes.counts()
        self._check_cursor(counts.cursor, horizon, forgotten=now.forgotten)
        if (now.first_outcome, now.revision) == (counts.first_outcome, counts.revision):
            self._check_learnable(learnable, counts)
        self._total(horizon, counts, forgotten=now.forgotten)
        return [_sentence(kind, numbers) for kind, numbers in self._complaints.items()]

    def _complain(self, kind: str, number: int) -> None:
        self._complaints.setdefault(kind, []).append(number)

    def _walk(self, kind: str, read: _BatchReader[_Numbered], first: _First, /, *, last: int) -> None:
        for _ in self._numbered(kind, read, first, last=last):
            pass

    def _outcomes(self, logs: LoopStores, *, last: int) -> int:
        learnable = 0
        for logged in self._numbered("outcomes", logs.outcomes.outcomes, _first_outcome(logs), last=last):
            learnable += logged.outcome.learnable
            self._visit(logged)
        return learnable

    def _numbered(self, kind: str, read: _BatchReader[_N], first: _First, /, *, last: int) -> Iterator[_N]:
        """All that is numbered up to ``last``, in order; complains of gaps."""
        expected = first()
        for one in _through(read, last=last):
            if one.seq != expected and one.seq > first():
                self._complain(f"Gaps in the numbers of the {kind}, before", one.seq)
            expected = one.seq + 1
            yield one
        if expected != last + 1 and last >= first():
            self._complain(f"The {kind} end before the last number that was given, at", expected - 1)

    def _visit(self, logged: LoggedOutcome) -> None:
        number = logged.outcome.decision_seq
        if not self._first_decision <= number < len(self._settled):
            self._complain("Outcomes without a decision", logged.seq)
        elif self._settled[number]:
            self._complain("Decisions with more than one outcome", number)
        else:
            self._settled[number] = 1
        for one in logged.outcome.joined:
            if one.seq:  # those that came with an imported decision have no number
                self._visit_joined(one.seq, logged.seq)

    def _visit_joined(self, number: int, outcome: int) -> None:
        if not 0 < number < len(self._joined):
            self._complain("Outcomes with an observation that is not there", outcome)
        elif self._joined[number]:
            self._complain("Observations that count for two decisions", number)
        else:
            self._joined[number] = 1

    def _check_cursor(self, cursor: Cursor, horizon: Horizon, *, forgotten: int) -> None:
        if cursor.decisions > horizon.decisions or cursor.observations > horizon.observations:
            self._complain("Settling is ahead of the log, at decision", cursor.decisions)
        for number in range(forgotten + 1, min(cursor.decisions, horizon.decisions) + 1):
            if not self._settled[number]:
                self._complain("Decisions that were passed over without an outcome", number)

    def _check_learnable(self, learnable: int, counts: OutcomeCounts) -> None:
        if learnable != counts.learnable:
            self._complain("The count of learnable outcomes is wrong; counted", learnable)

    def _total(self, horizon: Horizon, counts: OutcomeCounts, *, forgotten: int) -> None:
        orphans = self._complaints.get("Outcomes without a decision", ())
        self.counts = {
            "decisions": horizon.decisions - horizon.first_decision + 1,
            "observations": horizon.observations - horizon.first_observation + 1,
            "outcomes": counts.outcomes,
            "learnable": counts.learnable,
            "open": self._settled[forgotten + 1 :].count(0),
            "late": counts.late,
            "dangling": counts.dangling,
            "orphans": len(orphans),
        }


def _first_decision(logs: LoopStores) -> _First:
    return lambda: logs.events.horizon().first_decision


def _first_observation(logs: LoopStores) -> _First:
    return lambda: logs.events.horizon().first_observation


def _first_outcome(logs: LoopStores) -> _First:
    return lambda: logs.outcomes.counts().first_outcome


def _through(read: _BatchReader[_N], *, last: int) -> Iterator[_N]:
    """All that is numbered up to ``last``, in order."""
    after = 0
    while after < last and (batch := read(after=after, limit=_BATCH)):
        yield from (one for one in batch if one.seq <= last)
        after = batch[-1].seq


def _sentence(kind: str, numbers: Sequence[int]) -> str:
    told = ", ".join(map(str, numbers[:_MOST_TOLD]))
    more = f" and {len(numbers) - _MOST_TOLD} more" if len(numbers) > _MOST_TOLD else ""
    return f"{kind}: {told}{more}."
