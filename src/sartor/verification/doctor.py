"""A loop's health: what is in its folder, and what contradicts what (``sartor doctor``)."""

from msgspec import Struct

from sartor.errors import SartorError
from sartor.learn.trainer import replay_gap
from sartor.ports import EngineFactory, Loop, LoopStores
from sartor.verification import model_chain, model_replay
from sartor.verification.log_integrity import LogIntegrityCheck


class DoctorReport(Struct, frozen=True, kw_only=True, rename="camel"):
    """What a check-up of one loop found.

    Attributes:
        loop: its name.
        healthy: whether nothing is wrong.
        problems: sentences; none when it is healthy.
        counts: how many of each there are.
        live_model: the id of the model that serves.
        compared: on how many decisions the live model was compared with a replay; None: not compared.
        notes: what could not be checked, and why that is in order; sentences.
    """

    loop: str
    healthy: bool
    problems: tuple[str, ...]
    counts: dict[str, int]
    live_model: str | None
    compared: int | None
    notes: tuple[str, ...] = ()


def check_loop(
    loop: Loop, logs: LoopStores, factory: EngineFactory, /, *, replay: bool, decisions: int = 200
) -> DoctorReport:
    """Check a loop. It reads everything once; with ``replay`` it learns everything once more.

    Args:
        loop: which.
        logs: its stores.
        factory: makes the engines that models are loaded into.
        replay: whether to compare the live model with one that learns its outcomes from nothing.
        decisions: on how many of the newest decisions to compare them, at most.
    """
    problems: list[str] = []
    notes: list[str] = []
    census, live, compared = LogIntegrityCheck(), None, None
    try:
        problems += census.run(logs)
        live = logs.models.live()
        problems += model_chain.check_models(logs, factory)
        if replay and live is not None:
            reason = replay_gap(live, logs.outcomes.counts())
            if reason is None:
                compared, found = model_replay.compare_with_replay(live, logs, factory, decisions=decisions)
                problems += found
            else:
                notes.append(f"Model {live.model_id} can't be learned again to compare: {reason}.")
    except SartorError as error:
        problems.append(f"The loop can't be checked to the end: {error}")
    return DoctorReport(
        loop=loop.name,
        healthy=not problems,
        problems=tuple(problems),
        counts=census.counts,
        live_model=None if live is None else live.model_id,
        compared=compared,
        notes=tuple(notes),
    )
