"""The rules by which a decision becomes an outcome (contract, sections 2.4 and 2.5). No store has its own.

The reward window begins at the decision and ends ``rewardWaitTime`` later. An observation belongs to a
decision if it came inside the window, or less than two minutes before it: a reward may overtake its rank.
A deferred decision is learned only if it was activated by an observation that belongs to it; a reward does
not activate. Rewards of several slots are for one slot each, and are aggregated slot by slot; an activation is
for all of them. A reward out of range, from before there was a range, is passed over.

An observation that belongs to no decision is unmatched: late if a decision that it is about was made before it
arrived, dangling otherwise.
"""

from collections.abc import Sequence
from datetime import timedelta

from msgspec import Struct

from sartor.log.aggregate import aggregate
from sartor.numbers import bound_reward, is_reward
from sartor.records import DecisionHeader, JoinedObservation
from sartor.settings import LoopSettings

BEFORE_US = 120_000_000
"""How long before its decision an observation may arrive: less than this."""

_MICROSECOND = timedelta(microseconds=1)


class SettledReward(Struct, frozen=True, kw_only=True):
    """The reward of a settled decision. ``due_us``: when it became certain, however late it was settled.

    ``joined`` are the observations up to then, in order of arrival; those that came later change nothing.
    ``slot_rewards``: one for each slot of a multi-slot decision, in order; ``reward`` is then the first.
    """

    reward: float
    learnable: bool
    joined: tuple[JoinedObservation, ...]
    due_us: int
    slot_rewards: tuple[float, ...] = ()


def wait_us(settings: LoopSettings, /) -> int:
    """The length of the reward window, in microseconds."""
    return settings.reward_wait_time // _MICROSECOND


def belongs_to(head: DecisionHeader, at_us: int, /, *, wait_us: int) -> bool:
    """Whether an observation of the same event id that arrived at ``at_us`` belongs to the decision."""
    return -BEFORE_US < at_us - head.at_us < wait_us


def is_about(head: DecisionHeader, one: JoinedObservation, /) -> bool:
    """Whether an observation can be about the decision at all: a reward names a slot that it has, or none."""
    if one.reward is None:
        return True
    return one.slot in head.slots if head.slots else one.slot is None


def is_late(head: DecisionHeader, one: JoinedObservation, /) -> bool:
    """Whether an unmatched observation of the same event id is late for the decision, which came before it."""
    return head.at_us <= one.at_us and is_about(head, one)


def settles_early(settings: LoopSettings, /) -> bool:
    """Whether the first reward settles a decision, without waiting for the end of the window."""
    return settings.learn_when == "reward" and settings.reward_aggregation == "earliest"


def settle(
    head: DecisionHeader, joined: Sequence[JoinedObservation], /, *, now_us: int, settings: LoopSettings
) -> SettledReward | None:
    """Settle a decision; None: it can't be settled yet.

    Args:
        head: the decision.
        joined: the observations that belong to it, in order of arrival; all that arrived before ``now_us``.
        now_us: the time up to which the log is known.
        settings: those in force now.
    """
    if settles_early(settings):
        count = _count_decisive(head, joined)
        if count:
            due_us = max(head.at_us, joined[count - 1].at_us)
            return _aggregate_rewards(head, joined[:count], settings, due_us=due_us)
    due_us = head.at_us + wait_us(settings)
    return _aggregate_rewards(head, joined, settings, due_us=due_us) if now_us >= due_us else None


def _count_decisive(head: DecisionHeader, joined: Sequence[JoinedObservation]) -> int:
    """How many observations make the decision active and rewarded in every slot; 0: they do not."""
    active, open_ = not head.deferred, set(head.slots or (None,))
    for count, one in enumerate(joined, 1):
        if one.reward is None:
            active = True
        elif is_reward(one.reward):
            open_.discard(one.slot)
        if active and not open_:
            return count
    return 0


def _aggregate_rewards(
    head: DecisionHeader, joined: Sequence[JoinedObservation], settings: LoopSettings, *, due_us: int
) -> SettledReward:
    active = not head.deferred or any(one.reward is None for one in joined)
    rewards = [_slot_reward(joined, slot, settings) for slot in head.slots or (None,)]
    return SettledReward(
        reward=rewards[0],
        learnable=active,
        joined=tuple(joined),
        due_us=due_us,
        slot_rewards=tuple(rewards) if head.slots else (),
    )


def _slot_reward(joined: Sequence[JoinedObservation], slot: str | None, settings: LoopSettings) -> float:
    rewards = [
        one.reward for one in joined if one.reward is not None and one.slot == slot and is_reward(one.reward)
    ]
    if not rewards:
        return settings.default_reward + 0.0
    return bound_reward(aggregate(rewards, how=settings.reward_aggregation))
