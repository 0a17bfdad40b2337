"""``sartor doctor``: is the data folder what it should be?"""

import sys
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from sartor.cli import printing
from sartor.cli.options import DEFAULTS, AsJson, Data

if TYPE_CHECKING:
    from sartor.verification.doctor import DoctorReport

Replay = Annotated[
    bool,
    typer.Option(
        "--replay",
        envvar="SARTOR_REPLAY",
        help="Learn everything again from nothing, and compare the live model with the result.",
        show_default=False,
    ),
]


def doctor(replay: Replay = False, data: Data = DEFAULTS.data, as_json: AsJson = False) -> None:
    """Check the data folder: numbers without gaps, one outcome a decision, models that can be loaded.

    Works beside a running service. Exit code 0: healthy; 1: not.
    """
    from sartor.management import loops
    from sartor.runtime import compose
    from sartor.verification.doctor import check_loop

    factory = compose.engine_factory()
    reports = []
    with compose.open_instance(data) as stores:
        for loop in stores.catalog.loops():
            with loops.open_loop(stores, loop) as logs:
                reports.append(check_loop(loop, logs, factory, replay=replay))
    healthy = all(report.healthy for report in reports)
    if as_json:
        printing.json({"healthy": healthy, "loops": msgspec.to_builtins(reports)})
    else:
        _tell(reports, healthy=healthy)
    raise typer.Exit(0 if healthy else 1)


def _tell(reports: "list[DoctorReport]", *, healthy: bool) -> None:
    for report in reports:
        totals = ", ".join(f"{number} {kind}" for kind, number in report.counts.items())
        sys.stdout.write(f"{report.loop}: {totals}; live model {report.live_model or 'none'}\n")
        if report.compared is not None:
            sys.stdout.write(f"  compared with a replay on {report.compared} decisions\n")
        for note in report.notes:
            sys.stdout.write(f"  note: {note}\n")
        for problem in report.problems:
            sys.stdout.write(f"  PROBLEM: {problem}\n")
    sys.stdout.write("Healthy.\n" if healthy else "Not healthy.\n")
