"""``sartor doctor``: checks whether the data folder is consistent."""

from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from sartor.cli import formatting
from sartor.cli.options import DEFAULTS, AsJson, Data

if TYPE_CHECKING:
    from sartor.verification.doctor import DoctorReport

Replay = Annotated[
    bool,
    typer.Option(
        "--replay",
        envvar="SARTOR_REPLAY",
        help="Learn the whole log again from an empty model, and compare the live model with the result.",
        show_default=False,
    ),
]


def doctor(replay: Replay = False, data: Data = DEFAULTS.data, as_json: AsJson = False) -> None:
    """Check the data folder: numbers without gaps, one outcome per decision, models that can be loaded.

    It can run beside the service. Exit code 0: healthy; 1: not.
    """
    from sartor.runtime import compose
    from sartor.verification.doctor import check_all_loops

    with compose.open_instance(data) as stores:
        reports = check_all_loops(stores, compose.engine_factory(), replay=replay)
    healthy = all(report.healthy for report in reports)
    if as_json:
        formatting.print_json({"healthy": healthy, "loops": msgspec.to_builtins(reports)})
    else:
        _print_reports(reports, healthy=healthy)
    raise typer.Exit(0 if healthy else 1)


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
    formatting.print_line("Healthy." if healthy else "Not healthy.")
