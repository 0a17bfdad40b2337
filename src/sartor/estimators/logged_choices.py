"""What was done: a settled decision as scoring sees it, whatever mode the loop was in."""

from collections.abc import Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from sartor.records import Decision, Outcome, Slot


class LoggedChoice(Struct, frozen=True, kw_only=True):
    """One choice among the actions that could be ranked, in the order of the request.

    ``ids``: their ids. ``probabilities``: the probability with which each was going to be done; they sum to 1.
    ``chosen`` and ``baseline`` are places in ``ids``. ``slot``: the slot's id in a multi-slot decision.
    """

    reward: float
    ids: tuple[str, ...]
    probabilities: tuple[float, ...]
    chosen: int
    baseline: int = 0
    slot: str = ""
    dropped: float = 0.0
    """The probabilities with which a decision like this was left out of the log, in [0, 1)."""

    @property
    def rows(self) -> float:
        """How many decisions it stands for."""
        return 1.0 / (1.0 - self.dropped) if self.dropped else 1.0

    @property
    def propensity(self) -> float:
        """The probability of what was done, in (0, 1]."""
        return self.probabilities[self.chosen]


def as_shown(decision: Decision, /) -> Decision:
    """The decision as it was shown to the application.

    In Apprentice mode the record holds the model's draw, while the application showed its own first action
    (contract, section 2.6): a reward speaks of that one, which was certain.
    """
    if decision.mode == "Online":
        return decision
    return _baseline_slots(decision) if decision.slots else _baseline_first(decision)


def _baseline_first(decision: Decision) -> Decision:
    baseline = decision.baseline
    return replace(
        decision,
        mode="Online",
        chosen=baseline,
        probabilities=_certain(baseline, len(decision.actions)),
        ranking=_first(baseline, decision.ranking),
    )


def _baseline_slots(decision: Decision) -> Decision:
    slots = tuple(
        replace(
            slot,
            chosen=slot.baseline,
            probabilities=_certain(slot.baseline, len(decision.actions)),
            ranking=_first(slot.baseline, slot.ranking),
        )
        for slot in decision.slots
    )
    first = slots[0]
    return replace(
        decision,
        mode="Online",
        slots=slots,
        chosen=first.chosen,
        probabilities=first.probabilities,
        ranking=first.ranking,
    )


def _certain(index: int, count: int) -> tuple[float, ...]:
    return tuple(float(place == index) for place in range(count))


def _first(index: int, ranking: Sequence[int]) -> tuple[int, ...]:
    return (index, *(other for other in ranking if other != index))


def logged_choices(decision: Decision, outcome: Outcome, /) -> tuple[LoggedChoice, ...]:
    """What was done and what it paid: one choice, or one for each slot, in order."""
    shown = as_shown(decision)
    if shown.slots:
        return tuple(_of_slots(shown, outcome))
    rankable = shown.rankable
    return (
        LoggedChoice(
            reward=outcome.reward,
            ids=tuple([shown.actions[index].id for index in rankable]),
            probabilities=tuple([shown.probabilities[index] for index in rankable]),
            chosen=shown.chosen if not shown.excluded else rankable.index(shown.chosen),
            dropped=shown.dropped,
        ),
    )


def _of_slots(decision: Decision, outcome: Outcome) -> Iterator[LoggedChoice]:
    rewards = outcome.slot_rewards or (outcome.reward,)
    for number, (slot, reward) in enumerate(zip(decision.slots, rewards, strict=False)):
        left = decision.offered(number)
        yield LoggedChoice(
            reward=reward,
            ids=tuple([decision.actions[index].id for index in left]),
            probabilities=tuple([slot.probabilities[index] for index in left]),
            chosen=left.index(slot.chosen),
            baseline=_baseline_place(slot, left),
            slot=slot.id,
            dropped=decision.dropped,
        )


def _baseline_place(slot: Slot, left: Sequence[int]) -> int:
    """The slot's own baseline, or, where an earlier slot took it, the first action that is left."""
    return left.index(slot.baseline) if slot.baseline in left else 0
