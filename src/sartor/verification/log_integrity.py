"""Checks a loop's log: numbers without gaps, and one outcome for each decision that is settled.

It works beside a running instance: the outcomes that are checked were there before the end of the log was read,
and where retention removed something meanwhile, the numbers are read again before a gap is reported.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

from sartor.numbers import REWARD_RANGE
from sartor.ports import LoopStores, OutcomeCounts
from sartor.records import Cursor, Horizon, LoggedOutcome

_BATCH = 5_000
_MOST_SHOWN = 5


class _Numbered(Protocol):
    @property
    def seq(self) -> int: ...


_N = TypeVar("_N", bound=_Numbered, covariant=True)


class _BatchReader(Protocol[_N]):
    def __call__(self, *, after: int, limit: int) -> Sequence[_N]: ...


_First = Callable[[], int]
"""Returns the first number of a log now; retention may remove its beginning at any time."""


class LogIntegrityCheck:
    """The totals of one loop and the problems found in them. It needs a byte of memory for each event."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self._problems: dict[str, list[int]] = {}
        self._settled = bytearray()
        self._joined = bytearray()
        self._first_decision = 1
        self._set_aside: list[int] = []

    @property
    def notes(self) -> tuple[str, ...]:
        """What is in order but counts nowhere, as sentences."""
        if not self._set_aside:
            return ()
        kind = f"Outcomes that are set aside, because a reward is {REWARD_RANGE}"
        return (_to_sentence(kind, self._set_aside),)

    def run(self, logs: LoopStores, /) -> list[str]:
        """Check everything; returns the problems as sentences.

        Raises:
            StoreUnavailable: the log can't be read.
            Corrupt: it is damaged.
        """
        counts = logs.outcomes.counts()
        horizon = logs.events.horizon()
        self._first_decision = horizon.first_decision
        self._settled = bytearray(horizon.decisions + 1)
        self._joined = bytearray(horizon.observations + 1)
        self._check_numbers("decisions", logs.events.decisions, _first_decision(logs), last=horizon.decisions)
        self._check_numbers(
            "observations", logs.events.observations, _first_observation(logs), last=horizon.observations
        )
        learnable = self._check_outcomes(logs, last=counts.last_outcome)
        now = logs.outcomes.counts()
        self._check_cursor(counts.cursor, horizon, forgotten=now.forgotten)
        if (now.first_outcome, now.revision) == (counts.first_outcome, counts.revision):
            self._check_learnable(learnable, counts)
        self._set_counts(horizon, counts, forgotten=now.forgotten)
        return [_to_sentence(kind, numbers) for kind, numbers in self._problems.items()]

    def _note_problem(self, kind: str, number: int) -> None:
        self._problems.setdefault(kind, []).append(number)

    def _check_numbers(self, kind: str, read: _BatchReader[_Numbered], first: _First, /, *, last: int) -> None:
        for _ in self._read_numbered(kind, read, first, last=last):
            pass

    def _check_outcomes(self, logs: LoopStores, *, last: int) -> int:
        learnable = 0
        for logged in self._read_numbered("outcomes", logs.outcomes.outcomes, _first_outcome(logs), last=last):
            learnable += logged.outcome.learnable
            self._check_outcome(logged)
        return learnable

    def _read_numbered(self, kind: str, read: _BatchReader[_N], first: _First, /, *, last: int) -> Iterator[_N]:
        """Yields the entries up to number ``last``, in order; notes gaps."""
        expected = first()
        for one in _read_up_to(read, last=last):
            if one.seq != expected and one.seq > first():
                self._note_problem(f"Gaps in the numbers of the {kind}, before", one.seq)
            expected = one.seq + 1
            yield one
        if expected != last + 1 and last >= first():
            self._note_problem(f"The {kind} end before the last number that was given, at", expected - 1)

    def _check_outcome(self, logged: LoggedOutcome) -> None:
        if not logged.outcome.is_in_range:
            self._set_aside.append(logged.seq)
        number = logged.outcome.decision_seq
        if not self._first_decision <= number < len(self._settled):
            self._note_problem("Outcomes without a decision", logged.seq)
        elif self._settled[number]:
            self._note_problem("Decisions with more than one outcome", number)
        else:
            self._settled[number] = 1
        for one in logged.outcome.joined:
            if one.seq:  # those that came with an imported decision have no number
                self._check_joined(one.seq, logged.seq)

    def _check_joined(self, number: int, outcome: int) -> None:
        if not 0 < number < len(self._joined):
            self._note_problem("Outcomes with an observation that is not there", outcome)
        elif self._joined[number]:
            self._note_problem("Observations that count for two decisions", number)
        else:
            self._joined[number] = 1

    def _check_cursor(self, cursor: Cursor, horizon: Horizon, *, forgotten: int) -> None:
        if cursor.decisions > horizon.decisions or cursor.observations > horizon.observations:
            self._note_problem("Settling is ahead of the log, at decision", cursor.decisions)
        for number in range(forgotten + 1, min(cursor.decisions, horizon.decisions) + 1):
            if not self._settled[number]:
                self._note_problem("Decisions that were passed over without an outcome", number)

    def _check_learnable(self, learnable: int, counts: OutcomeCounts) -> None:
        if learnable != counts.learnable:
            self._note_problem("The count of learnable outcomes is wrong; counted", learnable)

    def _set_counts(self, horizon: Horizon, counts: OutcomeCounts, *, forgotten: int) -> None:
        orphans = self._problems.get("Outcomes without a decision", ())
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


def _read_up_to(read: _BatchReader[_N], *, last: int) -> Iterator[_N]:
    """Yields the entries up to number ``last``, in order."""
    after = 0
    while after < last and (batch := read(after=after, limit=_BATCH)):
        yield from (one for one in batch if one.seq <= last)
        after = batch[-1].seq


def _to_sentence(kind: str, numbers: Sequence[int]) -> str:
    shown = ", ".join(map(str, numbers[:_MOST_SHOWN]))
    more = f" and {len(numbers) - _MOST_SHOWN} more" if len(numbers) > _MOST_SHOWN else ""
    return f"{kind}: {shown}{more}."
