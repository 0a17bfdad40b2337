"""What an engine was asked for a decision, in parts that can be changed one by one, and the scores it gives."""

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from sartor.dsjson_context import context, without_id
from sartor.dsjson_slots import question
from sartor.ports import Engine
from sartor.records import Action, Decision

Measure = Literal["reward", "probability"]
"""What a score is: the reward that the engine expects, or a probability."""


class Question(Struct, frozen=True, kw_only=True):
    """Context, actions, and for one of several slots its features, what was taken, and what is offered.

    ``nameless``: the place of an action whose id is left out; ids are features.
    """

    context: bytes
    actions: tuple[Action, ...]
    slot: bytes | None = None
    taken: tuple[int, ...] = ()
    offered: tuple[int, ...] = ()
    nameless: int | None = None

    def text(self) -> bytes:
        """As the engine reads it."""
        made = context(self.context, self.actions)
        if self.nameless is not None:
            made = without_id(made, self.actions[self.nameless])
        return made if self.slot is None else question(made, self.slot, taken=self.taken, offered=self.offered)

    @property
    def slots(self) -> int:
        """How many slots are in it."""
        return 0 if self.slot is None else len(self.taken) + 1


def asked_about(decision: Decision, /, *, slot: int) -> tuple[Question, list[int]]:
    """What was asked, and the places of the actions in it in the order of the answer.

    Args:
        decision: of one slot or of several.
        slot: which of several, from 0.
    """
    if not decision.slots:
        rankable = decision.rankable
        actions = tuple([decision.actions[index] for index in rankable])
        order = [rankable.index(index) for index in decision.ranking if index not in decision.excluded]
        return Question(context=decision.context, actions=actions), order
    asked = decision.slots[slot]
    taken = tuple([one.chosen for one in decision.slots[:slot]])
    closed = {*taken, *asked.excluded}
    offered = tuple([index for index in range(len(decision.actions)) if index not in closed])
    order = [index for index in asked.ranking if index not in closed]
    made = Question(
        context=decision.context, actions=decision.actions, slot=asked.features, taken=taken, offered=offered
    )
    return made, order


def measure_of(engine: Engine, asked: Question, /) -> Measure:
    """What can be measured with this engine.

    Raises:
        EngineRefused: it can't rank this.
    """
    known = engine.estimates(asked.text(), len(asked.actions), slots=asked.slots)
    return "probability" if known is None else "reward"


def scores(engine: Engine, asked: Question, measure: Measure, /) -> Sequence[float]:
    """A score for each action in the question; without meaning for those that are not offered.

    Raises:
        EngineRefused: the engine can't rank this.
    """
    text, count = asked.text(), len(asked.actions)
    if measure == "reward":
        return engine.estimates(text, count, slots=asked.slots) or ()
    if asked.slot is None:
        return engine.probabilities(text, count)
    odds = engine.slot_probabilities(text, count, slots=asked.slots, offered=asked.offered)
    wide = dict(zip(asked.offered, odds, strict=True))
    return [wide.get(index, 0.0) for index in range(count)]
