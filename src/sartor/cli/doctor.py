"""``sartor doctor``: checks whether the data folder is consistent."""

from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from sartor.cli import formatting
from sartor.cli.options import DEFAULTS, AsJson, Data
from sartor.errors import DataFolderInUse

if TYPE_CHECKING:
    from sartor.management.repairs import Repair
    from sartor.problems import Damage
    from sartor.verification.doctor import DoctorReport, ProcessesReport

Replay = Annotated[
    bool,
    typer.Option(
        "--replay",
        envvar="SARTOR_REPLAY",
        help="Learn the whole log again from an empty model, and compare the live model with the result.",
        show_default=False,
    ),
]


RepairFlag = Annotated[
    bool,
    typer.Option(
        "--repair",
        envvar="SARTOR_REPAIR",
        help="Mend what can be made again from what is left, after asking; the service must be stopped.",
        show_default=False,
    ),
]
Yes = Annotated[
    bool,
    typer.Option("--yes", envvar="SARTOR_YES", help="With --repair: don't ask.", show_default=False),
]


def doctor(
    replay: Replay = False,
    repair: RepairFlag = False,
    yes: Yes = False,
    data: Data = DEFAULTS.data,
    as_json: AsJson = False,
) -> None:
    """Check the data folder: whole files, numbers without gaps, one outcome per decision, sound models.

    It can run beside the service, and then says what its processes report; only --repair needs it stopped.
    What is damaged is never deleted: a repair moves it to 'damaged' in the loop's folder. Exit code 0: healthy;
    1: not.
    """
    from sartor import times
    from sartor.runtime import compose
    from sartor.verification.doctor import check_all_loops, check_clock, check_processes

    repairs = _repair(data, yes=yes) if repair else []
    with compose.open_instance(data) as stores:
        clock = check_clock(stores)
        processes = check_processes(stores, now_us=times.now_us())
        reports = check_all_loops(stores, compose.engine_factory(), replay=replay)
    healthy = not (clock or processes.problems) and all(report.healthy for report in reports)
    if as_json:
        found: dict[str, object] = {"loops": reports, "processes": processes, "repairs": repairs}
        found |= {"problems": clock} if clock else {}
        formatting.print_json({"healthy": healthy, **msgspec.to_builtins(found)})
    else:
        _print_repairs(repairs)
        for problem in clock:
            formatting.print_line(f"PROBLEM: {problem}")
        _print_processes(processes)
        _print_reports(reports, healthy=healthy)
    raise typer.Exit(0 if healthy else 1)


def _repair(data: str, *, yes: bool) -> "list[Repair]":
    from sartor.management.repairs import repair_all_loops
    from sartor.runtime import compose
    from sartor.runtime.instance_lock import InstanceLock
    from sartor.runtime.visible_text import escape_line

    def accept(damage: "Damage") -> bool:
        # What a damaged file says of itself is nobody's text that a terminal should follow.
        found = escape_line(f"{damage.loop}: {damage.message}")
        return yes or typer.confirm(f"{found}\n{damage.remedy} Do that?", err=True)

    lock = InstanceLock(compose.data_folder(data))
    with compose.open_instance(data) as stores, lock.only_supervisor(), lock.only_learner(patience_s=0.0):
        running = stores.reports.all()
        if running:
            raise DataFolderInUse(
                f"A process of this instance runs ({running[0].role} {running[0].pid}): stop it first."
            )
        return list(repair_all_loops(stores, accept))


def _print_repairs(repairs: "list[Repair]") -> None:
    for one in repairs:
        formatting.print_line(f"{one.loop}: {one.found}")
        formatting.print_line(f"  {one.done or one.left}")


def _print_processes(report: "ProcessesReport") -> None:
    for note in report.notes:
        formatting.print_line(f"note: {note}")
    for problem in report.problems:
        formatting.print_line(f"PROBLEM: {problem}")


def _print_reports(reports: "list[DoctorReport]", *, healthy: bool) -> None:
    for report in reports:
        totals = ", ".join(f"{number} {kind}" for kind, number in report.counts.items())
        formatting.print_line(
            f"{report.loop}: {totals or 'not counted'}; live model {report.live_model or 'none'}"
        )
        if report.compared is not None:
            formatting.print_line(f"  compared with a replay on {report.compared} decisions")
        for note in report.notes:
            formatting.print_line(f"  note: {note}")
        for problem in report.problems:
            formatting.print_line(f"  PROBLEM: {problem}")
        for remedy in report.repairs:
            formatting.print_line(f"  sartor doctor --repair would: {remedy}")
    formatting.print_line("Healthy." if healthy else "Not healthy.")
