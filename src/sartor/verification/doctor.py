"""Checks the health of loops: whether logs, outcomes and models contradict one another (``sartor doctor``)."""

from collections.abc import Sequence
from contextlib import closing

from msgspec import Struct
from msgspec.structs import replace

from sartor.clocks import advance_clock_record, read_uptime
from sartor.errors import SartorError
from sartor.learn.trainer import replay_gap
from sartor.loops import Repairs
from sartor.ports import EngineFactory, Loop, LoopStores, Stores
from sartor.problems import Damage, Problem
from sartor.records import Model
from sartor.runtime.for_each_loop import LoopVisits, for_each_loop
from sartor.runtime.instance_watch import STALLED_S, describe_stall
from sartor.runtime.trusted_clock import find_clock_problem, find_log_time_problem
from sartor.stores.audited import AuditedStores
from sartor.times import now_us
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
        repairs: what ``--repair`` would do about it, after asking; sentences.
    """

    loop: str
    healthy: bool
    problems: tuple[str, ...]
    counts: dict[str, int]
    live_model: str | None
    compared: int | None
    notes: tuple[str, ...] = ()
    repairs: tuple[str, ...] = ()


class ProcessesReport(Struct, frozen=True, kw_only=True, rename="camel"):
    """What the processes of the instance say, if there are any.

    Attributes:
        problems: what keeps a process, or a loop in it, from its work, and processes without progress.
        notes: what else is wrong.
    """

    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def check_processes(stores: Stores, /, *, now_us: int) -> ProcessesReport:
    """Read what the processes of the instance say of themselves. ``now_us``: the clock."""
    problems: list[Problem] = []
    try:
        reports = stores.reports.all()
    except SartorError as error:
        return ProcessesReport(problems=(error.message,))
    for report in reports:
        idle_s = (now_us - report.progressed_us) / 1e6
        if idle_s > STALLED_S:
            problems.append(describe_stall(report.role, idle_s, busy_with=report.busy_with, pid=report.pid))
        problems += report.problems
    told = list(dict.fromkeys(problems))
    return ProcessesReport(
        problems=tuple(_to_sentence(problem) for problem in told if problem.fatal),
        notes=tuple(_to_sentence(problem) for problem in told if not problem.fatal),
    )


def _to_sentence(problem: Problem) -> str:
    return f"Loop {problem.loop!r}: {problem.message}" if problem.loop else problem.message


def check_all_loops(stores: Stores, factory: EngineFactory, /, *, replay: bool) -> list[DoctorReport]:
    """Check every loop, in the order of the catalog; one that can't be opened has a report that says so.

    Loops that are deleted meanwhile are left out.

    Raises:
        StoreUnavailable: the catalog can't be read.
    """
    loops = stores.catalog.loops()
    reports: dict[str, DoctorReport] = {}
    visits = LoopVisits("check_failed", stores.catalog)

    def check(loop: Loop) -> None:
        try:
            with closing(stores.open(loop)) as logs:
                reports[loop.loop_id] = check_loop(loop, logs, factory, replay=replay)
        except SartorError as error:
            if visits.is_gone(loop, error):
                return
            reports[loop.loop_id] = _report_failure(loop.name, error.message)
        reports[loop.loop_id] = _with_damage(reports[loop.loop_id], find_damage(stores, loop))

    for_each_loop(loops, check, visits=visits)
    for loop in loops:
        if reason := visits.failures.get(loop.loop_id):
            reports[loop.loop_id] = _report_failure(loop.name, reason)
    damaged = [_report_failure(loop.name, loop.reason) for loop in stores.catalog.unreadable()]
    return [*(reports[loop.loop_id] for loop in loops if loop.loop_id in reports), *damaged]


def find_damage(stores: Stores, loop: Loop, /) -> Sequence[Damage]:
    """What is damaged in the stores of a loop; nothing where stores can't be damaged from outside."""
    bare = stores.wrapped if isinstance(stores, AuditedStores) else stores
    return bare.find_damage(loop) if isinstance(bare, Repairs) else ()


def _with_damage(report: DoctorReport, damage: Sequence[Damage]) -> DoctorReport:
    if not damage:
        return report
    new = [one.message for one in damage if not any(one.message in known for known in report.problems)]
    return replace(
        report,
        healthy=False,
        problems=(*report.problems, *new),
        repairs=tuple(one.remedy for one in damage if one.remedy),
    )


def check_clock(stores: Stores, /) -> list[str]:
    """Check the clock of this machine; returns problems of the whole instance, as sentences. Writes nothing.

    Raises:
        StoreUnavailable: the record of the clock can't be read.
    """
    record = stores.clock.read()
    if record is None:  # no service ran here since there are records
        return []
    problem = find_clock_problem(advance_clock_record(record, now_us=now_us(), uptime=read_uptime()))
    return [] if problem is None else [problem]


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
        logs.jobs.jobs()
        late = find_log_time_problem(logs.events.horizon().now_us, now_us=now_us())
        problems += [] if late is None else [late]
        live = logs.models.live()
        problems += model_chain.check_models(logs, factory)
        if replay and live is not None:
            found, reason = _compare_with_replay(live, logs, factory, decisions=decisions)
            if found is not None:
                compared = found.compared
                problems += found.problems
                notes += found.notes
            else:
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
) -> tuple[model_replay.ReplayComparison | None, str | None]:
    """What the comparison found, or why they can't be compared."""
    reason = replay_gap(live, logs.outcomes.counts())
    if reason is None:
        found = model_replay.compare_with_replay(live, logs, factory, decisions=decisions)
        # Retention may have removed a part of the log, or a correction amended it, meanwhile.
        if found.problems:
            reason = replay_gap(live, logs.outcomes.counts())
        if reason is None:
            return found, None
    return None, reason
