"""Finds a time in a log: the number of the first entry at that time or later, in a few short reads.

The times of a log never run backwards, so each search is a bisection. A number without an entry counts as
late, since only entries at the end of a log can be missing.
"""

from bisect import bisect_left

from sartor.ports import EventLog, OutcomeLog

_LATE = 2**63 - 1


def first_outcome_since(outcomes: OutcomeLog, at_us: int, /) -> int:
    """The number of the first outcome that was settled at a time or later; one past the last if none was."""

    def settled_at(number: int) -> int:
        found = outcomes.outcomes(after=number - 1, limit=1)
        return found[0].outcome.settled_at_us if found else _LATE

    counts = outcomes.counts()
    first = counts.first_outcome
    return first + bisect_left(range(first, counts.last_outcome + 1), at_us, key=settled_at)


def first_decision_since(events: EventLog, at_us: int, /) -> int:
    """The number of the first decision that was committed at a time or later; one past the last if none was."""

    def committed_at(number: int) -> int:
        found = events.heads(after=number - 1, limit=1)
        return found[0].at_us if found else _LATE

    horizon = events.horizon()
    first = horizon.first_decision
    return first + bisect_left(range(first, horizon.decisions + 1), at_us, key=committed_at)


def first_observation_since(events: EventLog, at_us: int, /) -> int:
    """The number of the first observation that arrived at a time or later; one past the last if none did."""

    def arrived_at(number: int) -> int:
        found = events.observations(after=number - 1, limit=1)
        return found[0].at_us if found else _LATE

    horizon = events.horizon()
    first = horizon.first_observation
    return first + bisect_left(range(first, horizon.observations + 1), at_us, key=arrived_at)
