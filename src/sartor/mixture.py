"""The mixture that is drawn from in Online: a floor under the engine's probabilities, and the control group.

With q the engine's probabilities of K actions, raised to at least floor / K, and c the share of the control
group, an action a is drawn with probability

    p(a) = c · 1[a is the baseline] + (1 - c) · q(a),

and p is what is logged. All functions are pure. A decision records the share and the floor that applied to
it, so that q can be found again: ``policy_probabilities``.
"""

import math
from collections.abc import Sequence

from msgspec import Struct

from sartor.ranking import one_hot
from sartor.records import Decision


class MixtureRules(Struct, frozen=True, kw_only=True):
    """What a loop mixes into the engine's probabilities.

    Attributes:
        control_share: share of the decisions that the baseline answers, in [0, 0.5].
        control_feature: the context feature whose value says who is in the control group, for good; named like
            ``feature_names.FeatureName`` (``user.id``). Empty: each decision is drawn on its own.
        floor: what all rankable actions together have at least, in equal parts, in [0, 0.5]: each of K actions
            has a probability of floor / K or more.
    """

    control_share: float = 0.0
    control_feature: str = ""
    floor: float = 0.0


NO_MIXTURE = MixtureRules()
"""Neither control group nor floor."""


def raise_to_floor(probabilities: Sequence[float], floor: float, /) -> list[float]:
    """Returns probabilities of which none is below ``floor`` / K, for K actions.

    Those below it are raised to it, the others are multiplied by the same factor; where that takes one of
    them below it, it is raised as well. So the order of actions stays; where all are above it nothing changes.

    Args:
        probabilities: of K actions, at least one; they sum to 1.
        floor: in [0, 0.5].
    """
    least = floor / len(probabilities)
    if min(probabilities) >= least:
        return list(probabilities)
    kept = [p for p in probabilities if p >= least]
    while True:
        factor = (1.0 - least * (len(probabilities) - len(kept))) / math.fsum(kept)
        # The largest always stays: the mean of what is kept is 1 / K or more. Who was dropped stays below the
        # floor, because each factor is smaller than the one before.
        still = [p for p in kept if p * factor >= least]
        if len(still) == len(kept):
            return [p * factor if p >= least and p * factor >= least else least for p in probabilities]
        kept = still


def mix_control(
    probabilities: Sequence[float], baseline: int, /, *, share: float, rest: float | None = None
) -> list[float]:
    """Returns share · 1[baseline] + rest · probabilities.

    Args:
        probabilities: of the actions, without control group; they sum to 1.
        baseline: the index of the baseline.
        share: the probability of the control group, given what was drawn before; in [0, 1].
        rest: 1 - ``share``, from a caller that knows it more exactly than this difference does.
    """
    rest = 1.0 - share if rest is None else rest
    mixed = [rest * probability for probability in probabilities]
    mixed[baseline] += share
    return mixed


def remove_control(
    probabilities: Sequence[float], baseline: int, /, *, share: float, rest: float | None = None
) -> list[float]:
    """Returns what ``mix_control`` was given, to rounding: (p - share · 1[baseline]) / rest.

    With a ``rest`` of 0 everything was the control group's, and the probabilities are returned as they are.
    """
    rest = 1.0 - share if rest is None else rest
    if not share or rest <= 0.0:
        return list(probabilities)
    found = [probability / rest for probability in probabilities]
    found[baseline] = 0.0
    # What the others leave is more exact than the difference of two numbers near to each other.
    found[baseline] = max(0.0, 1.0 - math.fsum(found))
    return found


def mix_as_recorded(probabilities: Sequence[float], decision: Decision, slot: int = 0, /) -> list[float]:
    """Returns what would have been drawn from, had an engine given these probabilities for a past decision.

    Args:
        probabilities: of the actions that the slot was offered, in the order of the request.
        decision: with the floor and the control group that applied to it.
        slot: the index of the slot, given the actions in the slots before it.
    """
    used = list(probabilities)
    if decision.floor:
        used = raise_to_floor(used, decision.floor)
    if not decision.control_share:
        return used
    share, offered = control_shares(decision)[slot], decision.offered(slot)
    baseline = decision.slots[slot].baseline if decision.slots else decision.baseline
    return mix_control(used, offered.index(baseline), share=share) if share else used


def conditional_probabilities(decision: Decision, slot: int = 0, /) -> list[float]:
    """Returns the probabilities of all actions with which a decision was drawn, given what was fixed before.

    They are those of the record, except where the value of a feature said whether the control group answers:
    then the baseline was certain, or the control group impossible.
    """
    if not decision.control_feature:
        return list(decision.slots[slot].probabilities if decision.slots else decision.probabilities)
    if not decision.in_control:
        return policy_probabilities(decision, slot)
    baseline = decision.slots[slot].baseline if decision.slots else decision.baseline
    return one_hot(baseline, len(decision.actions))


def control_shares(decision: Decision, /) -> list[float]:
    """Returns, for each slot, the probability that the decision is the control group's, given the slots before.

    By Bayes: after a baseline that had the probability p it is share / p, after another action 0. One number
    for a decision of one slot. 0 in all slots where there was no control group.
    """
    share = decision.control_share
    if not decision.slots:
        return [share]
    found = []
    for slot in decision.slots:
        found.append(share)
        share = min(1.0, share / slot.probabilities[slot.baseline]) if slot.chosen == slot.baseline else 0.0
    return found


def policy_probabilities(decision: Decision, slot: int = 0, /) -> list[float]:
    """Returns the probabilities of all actions without the control group: those of the engine, with the floor.

    Args:
        decision: in any mode; without a control group its probabilities are returned as they are.
        slot: the index of the slot, given the actions in the slots before it.
    """
    found = decision.slots[slot].probabilities if decision.slots else decision.probabilities
    baseline = decision.slots[slot].baseline if decision.slots else decision.baseline
    share = control_shares(decision)[slot] if decision.control_share else 0.0
    return remove_control(found, baseline, share=share)
