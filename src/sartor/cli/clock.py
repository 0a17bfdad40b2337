"""``sartor clock``: whether the clock of this machine is trusted to remove data, and how to confirm it."""

from typing import Annotated

import typer

from sartor.cli import formatting
from sartor.cli.options import DEFAULTS, AsJson, Data

Confirm = Annotated[
    bool,
    typer.Option(
        "--confirm",
        envvar="SARTOR_CONFIRM",
        help="The clock is right as it is: remove data by it from now on.",
        show_default=False,
    ),
]


def clock(confirm: Confirm = False, data: Data = DEFAULTS.data, as_json: AsJson = False) -> None:
    """Print the clock of this machine, and the time by which retention and deleted loops are removed.

    A clock that was set ahead, or moved while the machine was off, is trusted once it has agreed with the
    uptime of the machine for a day, or when you confirm it. Exit code 0: it is trusted; 1: not.
    """
    from sartor.runtime import compose
    from sartor.runtime.trusted_clock import TrustedClock, find_clock_problem
    from sartor.times import format_timestamp

    with compose.open_instance(data) as stores:
        trusted = TrustedClock(stores)
        record = trusted.confirm(stores.by) if confirm else trusted.observe()
    problem = find_clock_problem(record)
    if as_json:
        formatting.print_json(
            {
                "time": format_timestamp(record.now_us),
                "trustedTime": format_timestamp(record.trusted_us),
                "trusted": problem is None,
                "problem": problem,
            }
        )
    else:
        formatting.print_line(f"The clock shows {format_timestamp(record.now_us)}.")
        formatting.print_line(f"PROBLEM: {problem}" if problem else "Data is removed by it.")
    raise typer.Exit(0 if problem is None else 1)
