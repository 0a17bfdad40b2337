"""Derives the response from a decision: in Apprentice and LoggingOnly it differs from the record.

There the caller gets the order that it sent, and its own first choice, whatever the model would have done
(contract, section 2.6); the record keeps what is true for learning.
"""

from collections.abc import Sequence

from msgspec import Struct

from sartor.ranking import scatter
from sartor.records import Decision


class SingleSlotView(Struct, frozen=True, kw_only=True):
    """The answer to a single-slot request.

    Indexes are into the actions of the request; ``probabilities`` has one entry for each, in their order.
    """

    ranking: tuple[int, ...]
    probabilities: tuple[float, ...]
    chosen: int


class SlotView(Struct, frozen=True, kw_only=True):
    """The action to show in a slot, and its probability there, given the slots before it."""

    id: str
    chosen: int
    probability: float


def view_decision(decision: Decision, /, *, model: Sequence[float] = ()) -> SingleSlotView:
    """Returns the answer to a single-slot request.

    Args:
        decision: the record, as it was decided.
        model: the model's probabilities for the rankable actions. The record of a loop in LoggingOnly holds
            the baseline, chosen for certain; the retired service answered with the model's probabilities
            nevertheless. Without them the answer holds those of the record.
    """
    if decision.mode == "Online":
        return SingleSlotView(
            ranking=decision.ranking, probabilities=decision.probabilities, chosen=decision.chosen
        )
    probabilities = decision.probabilities
    if decision.mode == "LoggingOnly" and model:
        probabilities = tuple(scatter(model, decision.rankable, len(decision.actions)))
    return SingleSlotView(
        ranking=tuple(range(len(decision.actions))),
        probabilities=probabilities,
        chosen=decision.baseline,
    )


def view_slots(decision: Decision, /) -> tuple[SlotView, ...]:
    """Returns the answer to a multi-slot request, slot by slot; in Apprentice and LoggingOnly the baselines.

    A baseline has the probability with which the model would have chosen it there. In Apprentice that is 0
    where the model's draw put it into an earlier slot.
    """
    online = decision.mode == "Online"
    shown = [(slot, slot.chosen if online else slot.baseline) for slot in decision.slots]
    return tuple(
        SlotView(id=slot.id, chosen=index, probability=slot.probabilities[index]) for slot, index in shown
    )
