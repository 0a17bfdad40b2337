"""Checks the invariant of the learner: the live model equals one that learned its outcomes from nothing."""

from collections.abc import Iterator, Sequence
from itertools import chain

from sartor.errors import EngineRefused
from sartor.inference import decision_probabilities
from sartor.learn.engines import replay_tolerance
from sartor.learn.trainer import relearn
from sartor.ports import Engine, EngineFactory, LoopStores
from sartor.records import LoggedDecision, Model


def compare_with_replay(
    model: Model, logs: LoopStores, factory: EngineFactory, /, *, decisions: int
) -> tuple[int, list[str]]:
    """Compare a stored model with its replay, prediction for prediction, on the newest decisions.

    Returns:
        On how many decisions they were compared, and the problems: none, or one sentence.

    Raises:
        ModelNotFound: the bytes of the model are not there.
    """
    stored = factory(model.arguments, logs.models.blob(model.model_id))
    again = relearn(model, events=logs.events, outcomes=logs.outcomes, models=logs.models, factory=factory)
    try:
        recent = _read_newest(logs, decisions)
        return len(recent), list(_find_differences(model, recent, stored, again))
    finally:
        stored.close()
        again.close()


def _read_newest(logs: LoopStores, count: int) -> Sequence[LoggedDecision]:
    last = logs.events.horizon().decisions
    return logs.events.decisions(after=max(0, last - count), limit=count)


def _find_differences(
    model: Model, recent: Sequence[LoggedDecision], stored: Engine, again: Engine
) -> Iterator[str]:
    tolerance = replay_tolerance(model.arguments)
    different = [
        logged.seq
        for logged in recent
        if not _are_close(_probabilities(stored, logged), _probabilities(again, logged), tolerance)
    ]
    if different:
        yield (
            f"Model {model.model_id} is not what its outcomes teach: {len(different)} of {len(recent)} "
            f"predictions differ, the first at decision {different[0]}."
        )


def _are_close(one: list[list[float]] | None, other: list[list[float]] | None, tolerance: float) -> bool:
    if one is None or other is None or not tolerance:
        return one == other
    pairs = zip(chain.from_iterable(one), chain.from_iterable(other), strict=True)
    return all(abs(p - q) <= tolerance for p, q in pairs)


def _probabilities(engine: Engine, logged: LoggedDecision) -> list[list[float]] | None:
    try:
        return decision_probabilities(engine, logged.decision)
    except EngineRefused:
        return None
