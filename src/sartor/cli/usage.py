"""``sartor usage``: ranks and rewards for each loop and day."""

from typing import Annotated

import typer

from sartor.cli import formatting
from sartor.cli.options import DEFAULTS, AsJson, Data

OneLoop = Annotated[
    str | None, typer.Option("--loop", envvar="SARTOR_LOOP", help="Only this loop.", metavar="NAME")
]
First = Annotated[
    str | None,
    typer.Option(
        "--from", envvar="SARTOR_FROM", help="The first day; by default the first of this month.", metavar="DAY"
    ),
]
Last = Annotated[
    str | None, typer.Option("--to", envvar="SARTOR_TO", help="The last day; by default today.", metavar="DAY")
]
AsCsv = Annotated[
    bool, typer.Option("--csv", envvar="SARTOR_CSV", help="Print CSV, for spreadsheets.", show_default=False)
]


def usage(
    loop: OneLoop = None,
    first: First = None,
    last: Last = None,
    as_csv: AsCsv = False,
    data: Data = DEFAULTS.data,
    as_json: AsJson = False,
) -> None:
    """Print how many ranks and rewards each loop had on each day (UTC); write days as 2026-03-31.

    Ranks are the transactions that the retired service billed. Events removed by retention stay counted.
    Exit code 1: a loop can't be read; the others are printed.
    """
    from sartor.management import loops
    from sartor.management import usage as usage_records
    from sartor.runtime import compose

    begin, end = usage_records.parse_days(first, last, today=usage_records.today())
    with compose.open_instance(data) as stores:
        selected = stores.catalog.loops() if loop is None else [loops.find_loop(stores, loop)]
        days, problems = usage_records.read_all_usage(stores, selected, first=begin, last=end)
    if as_csv:
        formatting.print_lines(usage_records.format_csv(days))
    elif as_json:
        formatting.print_json(days)
    else:
        rows = [(one.loop, one.day, one.ranks, one.rewards) for one in days]
        formatting.print_table(("LOOP", "DAY", "RANKS", "REWARDS"), rows)
    for problem in problems:
        formatting.print_line(problem, as_error=True)
    if problems:
        raise typer.Exit(1)
