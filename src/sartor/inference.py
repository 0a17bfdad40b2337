"""Queries an engine for probabilities: for a request, for a recorded decision, for one slot after the other.

All queries about requests and decisions go through these functions, so that an evaluation, an explanation or a
replay queries the engine exactly as it was queried when the decision was made.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from msgspec import Struct

from sartor.dsjson.context_json import drop_action_id, encode_context
from sartor.dsjson.multi_slot import encode_slot_query
from sartor.ports import Engine
from sartor.records import Action, Decision, MultiSlotInput, RankInput

SlotPredictor: TypeAlias = Callable[[Sequence[int], Sequence[int]], Sequence[float]]
"""Takes the actions in the slots before, and those offered to this slot; returns the latter's probabilities."""


class EngineQuery(Struct, frozen=True, kw_only=True):
    """One query to an engine: context and actions; for one slot of several, also its features.

    Attributes:
        context: JSON array of feature objects.
        actions: for a single slot those that can be ranked; for several slots all of the request.
        slot: features of the slot that the query is about; None for a single-slot decision.
        taken: indexes of the actions in the slots before this one.
        offered: indexes into ``actions`` of those whose probabilities are wanted.
        nameless: index of an action whose id is left out of its features; None to keep all ids.
    """

    context: bytes
    actions: tuple[Action, ...]
    offered: tuple[int, ...]
    slot: bytes | None = None
    taken: tuple[int, ...] = ()
    nameless: int | None = None

    def encode(self) -> bytes:
        """The query as the engine reads it."""
        encoded = encode_context(self.context, self.actions)
        if self.nameless is not None:
            encoded = drop_action_id(encoded, self.actions[self.nameless])
        if self.slot is None:
            return encoded
        return encode_slot_query(encoded, self.slot, taken=self.taken, offered=self.offered)

    @property
    def slots(self) -> int:
        """How many slots the query holds: 0 for a single-slot decision."""
        return 0 if self.slot is None else len(self.taken) + 1


def uniform_probabilities(count: int) -> list[float]:
    """The probabilities before there is a model: 1 / ``count`` for each of ``count`` actions (at least one)."""
    return [1.0 / count] * count


def request_probabilities(engine: Engine | None, request: RankInput, /) -> Sequence[float]:
    """Probabilities of the rankable actions, in the order of the request; uniform without an engine.

    Raises:
        EngineRefused: the engine can't rank this request.
    """
    count = len(request.actions) - len(request.excluded)
    if engine is None:
        return uniform_probabilities(count)
    actions = request.actions
    if request.excluded:
        actions = tuple([actions[index] for index in request.rankable])
    return engine.probabilities(encode_context(request.context, actions), count)


def slot_predictor(engine: Engine | None, request: MultiSlotInput, /) -> SlotPredictor:
    """The function that ``decide_slots`` calls once for each slot; uniform over the offered without an engine.

    The function raises EngineRefused where the engine can't rank the request.
    """
    if engine is None:
        return lambda taken, offered: uniform_probabilities(len(offered))
    count = len(request.actions)
    shared = encode_context(request.context, request.actions)  # once for all slots: it is most of each query

    def predict(taken: Sequence[int], offered: Sequence[int]) -> Sequence[float]:
        slot = request.slots[len(taken)]
        query = encode_slot_query(shared, slot.features, taken=taken, offered=offered)
        return engine.slot_probabilities(query, count, slots=len(taken) + 1, offered=offered)

    return predict


def query_of(decision: Decision, /, *, slot: int = 0) -> EngineQuery:
    """Returns the query to which an engine's answer led to a decision.

    Args:
        decision: of one slot or of several.
        slot: the index of the slot, given the actions in the slots before it.
    """
    offered = decision.offered(slot)
    if not decision.slots:
        actions = tuple([decision.actions[index] for index in offered])
        return EngineQuery(context=decision.context, actions=actions, offered=tuple(range(len(actions))))
    return EngineQuery(
        context=decision.context,
        actions=decision.actions,
        offered=offered,
        slot=decision.slots[slot].features,
        taken=tuple([one.chosen for one in decision.slots[:slot]]),
    )


def query_probabilities(
    engine: Engine, query: EngineQuery, /, *, encoded: bytes | None = None
) -> Sequence[float]:
    """Returns the probabilities of the offered actions, in their order.

    Args:
        engine: the engine.
        query: the query.
        encoded: ``query.encode()``, from a caller that sends it to several engines.

    Raises:
        EngineRefused: the engine can't rank this.
    """
    encoded, count = encoded or query.encode(), len(query.actions)
    if query.slot is None:
        return engine.probabilities(encoded, count)
    return engine.slot_probabilities(encoded, count, slots=query.slots, offered=query.offered)


def decision_probabilities(engine: Engine, decision: Decision, /) -> list[list[float]]:
    """Returns what the engine answers now to the queries behind a decision: one list for each slot.

    Raises:
        EngineRefused: the engine can't rank it.
    """
    slots = range(max(1, len(decision.slots)))
    return [list(query_probabilities(engine, query_of(decision, slot=slot))) for slot in slots]
