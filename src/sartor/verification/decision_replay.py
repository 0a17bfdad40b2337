"""Computes past decisions again, and checks that they are the same, as exactly as an engine can be."""

from msgspec import Struct

from sartor.errors import EventNotFound, ModelNotFound
from sartor.explore.recompute import find_differing_fields, is_drawn_by_rounding, recompute_decision
from sartor.learn.engines import replay_tolerance
from sartor.learn.trainer import relearn, replay_gap
from sartor.ports import Engine, EngineFactory, Loop, LoopStores
from sartor.records import NO_MODEL, Decision, LoggedDecision, Model


class DecisionReplay(Struct, frozen=True, kw_only=True, rename="camel"):
    """The result of computing a decision again. ``differs``: fields that are not the same; none: identical.

    ``model_from``: "stored" bytes, "replayed" from the log where they were pruned, or "none" (uniform).
    ``imported``: the decision was made elsewhere, where draws may be others. ``tolerance``: by how much a
    probability may differ; 0: not by a bit. ``drawn_by_rounding``: what differs does so only because such a
    difference draws another action.
    """

    event_id: str
    number: int
    model_id: str
    model_from: str
    differs: tuple[str, ...]
    then: Decision
    now: Decision
    imported: bool = False
    tolerance: float = 0.0
    drawn_by_rounding: bool = False

    @property
    def same(self) -> bool:
        """Whether it is the same, with probabilities within the tolerance."""
        return not self.differs

    @property
    def exact(self) -> bool:
        """Whether it is the same, bit for bit."""
        return self.then == self.now


def find_decisions(logs: LoopStores, event_id: str, /) -> list[LoggedDecision]:
    """Returns the decisions with this event id, in order; two may share one.

    Raises:
        EventNotFound: there is none.
    """
    settled = logs.outcomes.counts().cursor.decisions  # all up to there have outcomes
    unsettled = logs.unsettled.find_unsettled(event_id, settled=settled)
    numbers = sorted({one.outcome.decision_seq for one in logs.outcomes.outcomes_of(event_id)} | set(unsettled))
    found = [one for number in numbers for one in logs.events.decisions(after=number - 1, limit=1)]
    if not found:
        raise EventNotFound(f"There is no decision with the event id {event_id!r}.")
    return found


def replay_decision(
    loop: Loop, logs: LoopStores, logged: LoggedDecision, factory: EngineFactory
) -> DecisionReplay:
    """Compute a decision again with the model that made it.

    Raises:
        ModelNotFound: the model is not in the history.
    """
    decision = logged.decision
    tolerance = _find_tolerance(logs, decision)
    source, engine = _open_engine(logs, logged, factory)
    rounded = False
    try:
        again = recompute_decision(decision, engine, loop_id=loop.loop_id)
        if engine is not None and tolerance:
            rounded = is_drawn_by_rounding(decision, again, engine, loop_id=loop.loop_id, tolerance=tolerance)
    finally:
        if engine is not None:
            engine.close()
    return DecisionReplay(
        event_id=decision.event_id,
        number=logged.seq,
        model_id=decision.model_id,
        model_from=source,
        differs=tuple(find_differing_fields(decision, again, tolerance=tolerance)),
        then=decision,
        now=again,
        imported=logged.imported,
        tolerance=tolerance,
        drawn_by_rounding=rounded,
    )


def _find_tolerance(logs: LoopStores, decision: Decision) -> float:
    if decision.model_id == NO_MODEL:
        return 0.0
    found = [model for model in logs.models.history() if model.model_id == decision.model_id]
    return replay_tolerance(found[0].arguments) if found else 0.0  # a missing model is told when it is opened


def _open_engine(logs: LoopStores, logged: LoggedDecision, factory: EngineFactory) -> tuple[str, Engine | None]:
    model_id = logged.decision.model_id
    try:
        return open_past_engine(logs, model_id, factory)
    except ModelNotFound as error:
        if logged.imported:
            message = f"Decision {logged.seq} was imported; model {model_id}, which made it, is not here."
            raise ModelNotFound(message) from error
        raise


def open_past_engine(logs: LoopStores, model_id: str, factory: EngineFactory) -> tuple[str, Engine | None]:
    """Opens an engine with a past model, which the caller closes.

    Returns:
        Where the model is from, and the engine: "stored" bytes, "replayed" from the log where they were pruned,
        or "none": there was no model.

    Raises:
        ModelNotFound: the model is not in the history, or can't be learned again.
    """
    if model_id == NO_MODEL:
        return "none", None
    model = _find_model(logs, model_id)
    try:
        blob = logs.models.blob(model_id)
    except ModelNotFound:
        reason = replay_gap(model, logs.outcomes.counts())
        if reason is not None:
            message = f"The bytes of model {model_id} are gone, and it can't be learned again: {reason}."
            raise ModelNotFound(message) from None
        return "replayed", relearn(
            model, events=logs.events, outcomes=logs.outcomes, models=logs.models, factory=factory
        )
    return "stored", factory(model.arguments, blob)


def _find_model(logs: LoopStores, model_id: str) -> Model:
    for model in logs.models.history():
        if model.model_id == model_id:
            return model
    raise ModelNotFound(f"There is no model {model_id!r} in the history of the loop.")
