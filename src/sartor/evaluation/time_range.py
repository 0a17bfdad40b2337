"""Which outcomes an evaluation reads: determined once, so that every part of it reads the same."""

from collections.abc import Iterator

from msgspec import Struct

from sartor.estimators.interval import Bounds
from sartor.estimators.policy_estimate import reward_bounds
from sartor.joined_outcomes import read_joined_outcomes
from sartor.log_search import first_outcome_since
from sartor.ports import LoopStores
from sartor.records import LoggedDecision, Outcome
from sartor.times import DAY_US, SECOND_US

_BLOCK = 5_000
_BINS = 120
"""The largest number of bins that a chart over time has."""

_LENGTHS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400)


class OutcomeRange(Struct, frozen=True, kw_only=True):
    """The outcomes ``first`` … ``last``, of decisions that were made from ``start_us`` to before ``end_us``.

    ``lowest`` and ``highest``: the range in which their rewards lie. ``bin_us``: the length of the bins into
    which charts divide their time. ``set_aside``: how many of them have a reward out of range, and don't count.
    """

    start_us: int
    end_us: int
    first: int
    last: int
    lowest: float
    highest: float
    revision: int
    bin_us: int
    set_aside: int = 0

    @property
    def bounds(self) -> Bounds:
        """The range of rewards to assume."""
        return reward_bounds(self.lowest, self.highest)

    @property
    def outcomes(self) -> int:
        """How many outcomes are read at most."""
        return max(0, self.last - self.first + 1)

    def share_up_to(self, seq: int, /) -> float:
        """Returns the share of the range, 0 to 1, up to and including an outcome."""
        return (seq - self.first + 1) / self.outcomes


def find_outcome_range(logs: LoopStores, /, *, start_us: int, end_us: int) -> OutcomeRange:
    """Finds the outcomes that can belong to decisions in this time; reads them all, without their decisions."""
    counts = logs.outcomes.counts()
    # No decision is settled before it is made.
    first = first_outcome_since(logs.outcomes, start_us)
    lowest, highest, set_aside = 0.0, 0.0, 0
    after = first - 1
    while after < counts.last_outcome and (block := logs.outcomes.outcomes(after=after, limit=_BLOCK)):
        for logged in block:
            if not logged.outcome.is_in_range:
                set_aside += 1
                continue
            rewards = logged.outcome.slot_rewards or (logged.outcome.reward,)
            lowest, highest = min(lowest, *rewards), max(highest, *rewards)
        after = block[-1].seq
    return OutcomeRange(
        start_us=start_us,
        end_us=end_us,
        first=first,
        last=counts.last_outcome,
        lowest=lowest,
        highest=highest,
        revision=counts.revision,
        bin_us=_choose_bin_us(logs, first, counts.last_outcome, start_us, end_us),
        set_aside=set_aside,
    )


def _choose_bin_us(logs: LoopStores, first: int, last: int, start_us: int, end_us: int) -> int:
    """Returns the shortest length of which ``_BINS`` cover the log, or the time where that is shorter."""
    decided = sorted(_decided_at_us(logs, seq) for seq in (first, last) if seq >= 1)
    if not decided:
        return _LENGTHS_S[0] * SECOND_US
    time_us = min(end_us, decided[-1]) - max(start_us, decided[0])
    fitting = (length * SECOND_US for length in _LENGTHS_S if length * SECOND_US * _BINS >= time_us)
    return next(fitting, -(-time_us // _BINS // DAY_US) * DAY_US)


def _decided_at_us(logs: LoopStores, outcome: int) -> int:
    logged = logs.outcomes.outcomes(after=outcome - 1, limit=1)
    if not logged:
        return 0
    decisions = logs.events.decisions(after=logged[0].outcome.decision_seq - 1, limit=1)
    return decisions[0].at_us if decisions else 0


class SettledDecision(Struct, frozen=True):
    """A decision in the range with its learnable outcome, and the outcome's number."""

    seq: int
    decision: LoggedDecision
    outcome: Outcome


def read_settled(logs: LoopStores, outcomes: OutcomeRange, /) -> Iterator[SettledDecision]:
    """Yields the settled decisions of a range in the order of learning; other outcomes are skipped.

    So are those with a reward out of range.
    """
    for joined in read_joined_outcomes(
        logs.events, logs.outcomes, after=outcomes.first - 1, limit=outcomes.outcomes, learnable_only=True
    ):
        decision = joined.decision
        if decision is None or not joined.outcome.is_in_range:
            continue
        if outcomes.start_us <= decision.at_us < outcomes.end_us:
            yield SettledDecision(joined.seq, decision, joined.outcome)
