"""Explains a past decision from the stored decision and its model, at no cost to requests."""

from msgspec import Struct

from sartor.explore.why import DecisionExplanation, explain_decision
from sartor.ports import EngineFactory, LoopStores
from sartor.records import LoggedDecision
from sartor.verification import decision_replay


class EventExplanation(Struct, frozen=True, kw_only=True):
    """A decision and its explanations: one, or one for each slot; none if there was no model (uniform)."""

    logged: LoggedDecision
    model_from: str
    explained: tuple[DecisionExplanation, ...]


def explain_event(
    logs: LoopStores, event_id: str, factory: EngineFactory, /, *, only_chosen: bool = True
) -> list[EventExplanation]:
    """Explains the decisions with this event id, in order; two may share one.

    Raises:
        EventNotFound: there is none.
        ModelNotFound: the model that decided is not in the history, or can't be learned again.
    """
    return [
        _explain(logs, logged, factory, only_chosen)
        for logged in decision_replay.find_decisions(logs, event_id)
    ]


def _explain(
    logs: LoopStores, logged: LoggedDecision, factory: EngineFactory, only_chosen: bool
) -> EventExplanation:
    decision = logged.decision
    source, engine = decision_replay.open_past_engine(logs, decision.model_id, factory)
    if engine is None:
        return EventExplanation(logged=logged, model_from=source, explained=())
    try:
        slots = range(max(1, len(decision.slots)))
        found = [explain_decision(engine, decision, slot=slot, only_chosen=only_chosen) for slot in slots]
    finally:
        engine.close()
    return EventExplanation(logged=logged, model_from=source, explained=tuple(found))
