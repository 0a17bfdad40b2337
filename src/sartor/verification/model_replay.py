"""Checks the invariant of the learner: the live model equals one that learned its outcomes from nothing."""

from collections.abc import Sequence

from msgspec import Struct

from sartor.errors import EngineRefused
from sartor.explore.recompute import are_near
from sartor.inference import decision_probabilities
from sartor.learn.engines import replay_tolerance
from sartor.learn.trainer import relearn
from sartor.ports import Engine, EngineFactory, LoopStores
from sartor.records import LoggedDecision, Model


class ReplayComparison(Struct, frozen=True, kw_only=True):
    """What a comparison found: on how many decisions, what is wrong, and what is not exact but in order."""

    compared: int
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def compare_with_replay(
    model: Model, logs: LoopStores, factory: EngineFactory, /, *, decisions: int
) -> ReplayComparison:
    """Compare a stored model with its replay, prediction for prediction, on the newest decisions.

    Raises:
        ModelNotFound: the bytes of the model are not there.
    """
    stored = factory(model.arguments, logs.models.blob(model.model_id))
    again = relearn(model, events=logs.events, outcomes=logs.outcomes, models=logs.models, factory=factory)
    try:
        recent = _read_newest(logs, decisions)
        return _compare(model, recent, stored, again)
    finally:
        stored.close()
        again.close()


def _read_newest(logs: LoopStores, count: int) -> Sequence[LoggedDecision]:
    last = logs.events.horizon().decisions
    return logs.events.decisions(after=max(0, last - count), limit=count)


def _compare(model: Model, recent: Sequence[LoggedDecision], stored: Engine, again: Engine) -> ReplayComparison:
    tolerance = replay_tolerance(model.arguments)
    different, rounded = [], 0
    for logged in recent:
        one, other = _probabilities(stored, logged), _probabilities(again, logged)
        if not _are_close(one, other, tolerance):
            different.append(logged.seq)
        elif one != other:
            rounded += 1
    problems, notes = [], []
    if different:
        problems.append(
            f"Model {model.model_id} is not what its outcomes teach: {len(different)} of {len(recent)} "
            f"predictions differ, the first at decision {different[0]}."
        )
    elif rounded:
        notes.append(
            f"Model {model.model_id} is what its outcomes teach within {tolerance:g}, not bit for bit: "
            f"the last bits of {rounded} of {len(recent)} predictions differ, as between machines."
        )
    return ReplayComparison(compared=len(recent), problems=tuple(problems), notes=tuple(notes))


def _are_close(one: list[list[float]] | None, other: list[list[float]] | None, tolerance: float) -> bool:
    if one is None or other is None:
        return one is other
    return all(map(lambda p, q: are_near(p, q, tolerance), one, other))


def _probabilities(engine: Engine, logged: LoggedDecision) -> list[list[float]] | None:
    try:
        return decision_probabilities(engine, logged.decision)
    except EngineRefused:
        return None
