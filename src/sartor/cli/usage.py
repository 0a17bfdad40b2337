"""``sartor usage``: ranks and rewards for each loop and day."""

import sys
from typing import Annotated

import typer

from sartor.cli import printing
from sartor.cli.options import DEFAULTS, AsJson, Data

OneLoop = Annotated[
    str | None, typer.Option("--loop", envvar="SARTOR_LOOP", help="Only this loop.", metavar="NAME")
]
First = Annotated[
    str | None,
    typer.Option("--from", envvar="SARTOR_FROM", help="The first day; else of the month.", metavar="DAY"),
]
Last = Annotated[
    str | None, typer.Option("--to", envvar="SARTOR_TO", help="The last day; else today.", metavar="DAY")
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
    """Print how many ranks and rewards each loop had on each day (UTC); days are written 2026-03-31.

    Ranks are the transactions that the retired service billed. What retention removed stays counted.
    """
    from sartor.management import loops
    from sartor.management import usage as consumption
    from sartor.runtime import compose

    begin, end = consumption.usage_days(first, last, today=consumption.today())
    with compose.open_instance(data) as stores:
        asked = stores.catalog.loops() if loop is None else [loops.find_loop(stores, loop)]
        days = consumption.read_usage(stores, asked, first=begin, last=end)
    if as_csv:
        sys.stdout.write(consumption.usage_csv(days))
    elif as_json:
        printing.json(days)
    else:
        rows = [(one.loop, one.day, one.ranks, one.rewards) for one in days]
        printing.table(("LOOP", "DAY", "RANKS", "REWARDS"), rows)
