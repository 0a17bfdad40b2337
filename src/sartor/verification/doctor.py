"""Checks the health of loops: whether logs, outcomes and models contradict one another (``sartor doctor``)."""

from contextlib import closing

from msgspec import Struct

from sartor.errors import SartorError
from sartor.learn.trainer import replay_gap
from sartor.ports import EngineFactory, Loop, LoopStores, Stores
from sartor.records import Model
from sartor.runtime.for_each_loop import LoopVisits, for_each_loop
from sartor.verification import model_chain, model_replay
from sartor.verification.log_integrity import LogIntegrityCheck


class DoctorReport(Struct, frozen=True, kw_only=True, rename="camel"):
    """What the check of one loop found.

    Attributes:
        loop: its name.
        healthy: whether nothing is wrong.
        problems: sentences; none when it is healthy.
        counts: how many of each there are.
        live_model: the id of the model that serves.
        compared: on how many decisions the live model was compared with a replay; None: not compared.
        notes: what could not be checked, and why that is in order, and which outcomes count nowhere; sentences.
    """

    loop: str
    healthy: bool
    problems: tuple[str, ...]
    counts: dict[str, int]
    live_model: str | None
    compared: int | None
    notes: tuple[str, ...] = ()


def check_all_loops(stores: Stores, factory: EngineFactory, /, *, replay: bool) -> list[DoctorReport]:
    """Check every loop, in the order of the catalog; one that can't be opened has a report that says so.

    Raises:
        StoreUnavailable: the catalog can't be read.
    """
    loops = stores.catalog.loops()
    reports: dict[str, DoctorReport] = {}
    visits = LoopVisits("check_failed")

    def check(loop: Loop) -> None:
        try:
            with closing(stores.open(loop)) as logs:
                reports[loop.loop_id] = check_loop(loop, logs, factory, replay=replay)
        except SartorError as error:
            reports[loop.loop_id] = _report_failure(loop.name, error.message)

    for_each_loop(loops, check, visits=visits)
    for loop in loops:
        if reason := visits.failures.get(loop.loop_id):
            reports[loop.loop_id] = _report_failure(loop.name, reason)
    damaged = [_report_failure(loop.name, loop.reason) for loop in stores.catalog.unreadable()]
    return [*(reports[loop.loop_id] for loop in loops), *damaged]


def _report_failure(name: str, reason: str) -> DoctorReport:
    return DoctorReport(
        loop=name,
        healthy=False,
        problems=(f"The loop can't be checked: {reason}",),
        counts={},
        live_model=None,
        compared=None,
    )


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
    integrity, live, compared = LogIntegrityCheck(), None, None
    try:
        problems += integrity.run(logs)
        live = logs.models.live()
        problems += model_chain.check_models(logs, factory)
        if replay and live is not None:
            compared, found, reason = _compare_with_replay(live, logs, factory, decisions=decisions)
            problems += found
            if reason is not None:
                notes.append(f"Model {live.model_id} can't be learned again to compare: {reason}.")
    except SartorError as error:
        problems.append(f"The loop can't be checked to the end: {error}")
    return DoctorReport(
        loop=loop.name,
        healthy=not problems,
        problems=tuple(problems),
        counts=integrity.counts,
        live_model=None if live is None else live.model_id,
        compared=compared,
        notes=(*notes, *integrity.notes),
    )


def _compare_with_replay(
    live: Model, logs: LoopStores, factory: EngineFactory, *, decisions: int
) -> tuple[int | None, list[str], str | None]:
    """On how many decisions they were compared, the problems, and why they can't be compared."""
    reason = replay_gap(live, logs.outcomes.counts())
    if reason is None:
        compared, problems = model_replay.compare_with_replay(live, logs, factory, decisions=decisions)
        if problems:  # retention may have removed a part of the log, or a correction amended it, meanwhile
            reason = replay_gap(live, logs.outcomes.counts())
        if reason is None:
            return compared, problems, None
    return None, [], reason
