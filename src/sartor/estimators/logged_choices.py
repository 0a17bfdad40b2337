"""The logged choices of a settled decision, one for each slot, as the application showed them."""

from collections.abc import Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from sartor.mixture import control_shares, remove_control
from sartor.ranking import one_hot
from sartor.records import Decision, Outcome, Slot


class LoggedChoice(Struct, frozen=True, kw_only=True):
    """One choice among the actions that could be ranked, in the order of the request.

    ``ids``: their ids. ``probabilities``: the probability with which each was chosen; they sum to 1.
    ``chosen`` and ``baseline`` are indices into ``ids``. ``slot``: the slot's id in a multi-slot decision.
    """

    reward: float
    ids: tuple[str, ...]
    probabilities: tuple[float, ...]
    chosen: int
    baseline: int = 0
    slot: str = ""
    dropped: float = 0.0
    """The probability with which a decision like this was left out of the log, in [0, 1)."""
    control: float = 0.0
    """The probability, 0 to 1, that the control group answered: part of that of the baseline."""

    @property
    def rows(self) -> float:
        """The number of decisions it stands for."""
        return 1.0 / (1.0 - self.dropped) if self.dropped else 1.0

    @property
    def propensity(self) -> float:
        """The probability of the chosen action, in (0, 1]."""
        return self.probabilities[self.chosen]

    @property
    def policy(self) -> tuple[float, ...]:
        """The probabilities of the policy without the control group."""
        if not self.control:
            return self.probabilities
        return tuple(remove_control(self.probabilities, self.baseline, share=self.control))


def as_shown(decision: Decision, /) -> Decision:
    """Returns the decision as the application showed it.

    In Apprentice mode the record holds the model's draw, while the application showed its own first action
    (contract, section 2.6): the reward is that of the first action, which was certain.
    """
    if decision.mode == "Online":
        return decision
    return _show_baselines(decision) if decision.slots else _show_baseline(decision)


def _show_baseline(decision: Decision) -> Decision:
    baseline = decision.baseline
    return replace(
        decision,
        mode="Online",
        chosen=baseline,
        probabilities=tuple(one_hot(baseline, len(decision.actions))),
        ranking=_move_to_front(baseline, decision.ranking),
    )


def _show_baselines(decision: Decision) -> Decision:
    slots = tuple(
        replace(
            slot,
            chosen=slot.baseline,
            probabilities=tuple(one_hot(slot.baseline, len(decision.actions))),
            ranking=_move_to_front(slot.baseline, slot.ranking),
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


def _move_to_front(index: int, ranking: Sequence[int]) -> tuple[int, ...]:
    return (index, *(other for other in ranking if other != index))


def logged_choices(decision: Decision, outcome: Outcome, /) -> tuple[LoggedChoice, ...]:
    """Returns the choice and its reward, or one for each slot, in order."""
    shown = as_shown(decision)
    if shown.slots:
        return tuple(_choices_of_slots(shown, outcome))
    rankable = shown.rankable
    return (
        LoggedChoice(
            reward=outcome.reward,
            ids=tuple([shown.actions[index].id for index in rankable]),
            probabilities=tuple([shown.probabilities[index] for index in rankable]),
            chosen=shown.chosen if not shown.excluded else rankable.index(shown.chosen),
            dropped=shown.dropped,
            control=shown.control_share,
        ),
    )


def _choices_of_slots(decision: Decision, outcome: Outcome) -> Iterator[LoggedChoice]:
    rewards = outcome.slot_rewards or (outcome.reward,)
    controls = control_shares(decision)
    for number, (slot, reward) in enumerate(zip(decision.slots, rewards, strict=False)):
        offered = decision.offered(number)
        yield LoggedChoice(
            reward=reward,
            ids=tuple([decision.actions[index].id for index in offered]),
            probabilities=tuple([slot.probabilities[index] for index in offered]),
            chosen=offered.index(slot.chosen),
            baseline=_baseline_index(slot, offered),
            slot=slot.id,
            dropped=decision.dropped,
            control=controls[number],
        )


def _baseline_index(slot: Slot, offered: Sequence[int]) -> int:
    """Returns the index of the slot's baseline, or 0, the first offered, where an earlier slot took it."""
    return offered.index(slot.baseline) if slot.baseline in offered else 0
