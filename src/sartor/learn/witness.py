"""What an engine says to a request that was decided before: the same question, with the answers then given."""

from sartor.dsjson_context import context, rankable_context
from sartor.dsjson_slots import question
from sartor.ports import Engine
from sartor.records import Decision


def odds(engine: Engine, decision: Decision, /) -> list[list[float]]:
    """The odds that the engine gives now: of the rankable actions, or of those left for each slot.

    Raises:
        EngineRefused: the engine can't rank it.
    """
    if decision.slots:
        return _slot_odds(engine, decision)
    rankable = decision.rankable
    return [engine.probabilities(rankable_context(decision, rankable), len(rankable))]


def _slot_odds(engine: Engine, decision: Decision) -> list[list[float]]:
    count = len(decision.actions)
    shared = context(decision.context, decision.actions)
    taken: list[int] = []
    found: list[list[float]] = []
    for slot in decision.slots:
        left = [index for index in range(count) if index not in slot.excluded and index not in taken]
        asked = question(shared, slot.features, taken=taken, offered=left)
        found.append(engine.slot_probabilities(asked, count, slots=len(taken) + 1, offered=left))
        taken.append(slot.chosen)
    return found
