"""Asking an engine for odds: those of a request, and those of one slot after the other."""

from collections.abc import Sequence

from sartor.dsjson_context import context
from sartor.dsjson_slots import question
from sartor.explore.decide import Request, uniform
from sartor.explore.slots import MultiRequest, Odds
from sartor.ports import Engine


def odds(engine: Engine | None, request: Request, /) -> Sequence[float]:
    """The odds of the rankable actions, in the order of the request; the same for all without an engine.

    Raises:
        EngineRefused: the engine can't rank this request.
    """
    count = len(request.actions) - len(request.excluded)
    if engine is None:
        return uniform(count)
    actions = request.actions
    if request.excluded:
        actions = tuple([actions[place] for place in request.rankable])
    return engine.probabilities(context(request.context, actions), count)


def slot_odds(engine: Engine | None, request: MultiRequest, /) -> Odds:
    """What ``decide_slots`` asks; the same odds for all actions that are offered without an engine."""
    if engine is None:
        return lambda taken, offered: uniform(len(offered))
    count = len(request.actions)
    shared = context(request.context, request.actions)

    def ask(taken: Sequence[int], offered: Sequence[int]) -> Sequence[float]:
        slot = request.slots[len(taken)]
        asked = question(shared, slot.features, taken=taken, offered=offered)
        return engine.slot_probabilities(asked, count, slots=len(taken) + 1, offered=offered)

    return ask
