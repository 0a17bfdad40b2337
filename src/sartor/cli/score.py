"""``sartor score``: how a loop does, and how others would have done."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sartor.cli import printing
from sartor.cli.options import DEFAULTS, AsJson, Data, LoopName

if TYPE_CHECKING:
    from sartor.estimators.scorecard_view import PolicyEstimate, ScorecardView

Plot = Annotated[
    Path | None,
    typer.Option(
        "--plot", envvar="SARTOR_PLOT", help="Draw the score over time into this file.", metavar="FILE.png"
    ),
]
_COLUMNS = (("PT5M", "5 MIN"), ("PT1H", "1 HOUR"), ("PT6H", "6 HOURS"), ("P1D", "1 DAY"))


def score(name: LoopName, plot: Plot = None, data: Data = DEFAULTS.data, as_json: AsJson = False) -> None:
    """Show what a loop earned per decision, and what others would have earned, lately and in total.

    Others are: always the first action (Baseline), any action (Random), and the best action shown to all. The
    intervals of the total hold at 95 %, however often one looks. Works beside a running service.
    """
    import time

    from sartor.management import loops
    from sartor.metrics.scorecard import current_scorecard
    from sartor.runtime import compose

    with compose.open_instance(data) as stores, loops.open_loop(stores, loops.find_loop(stores, name)) as logs:
        card = current_scorecard(logs)
    reading = card.reading(now_us=time.time_ns() // 1_000)
    if plot is not None:
        from sartor.metrics.scorecard_plot import draw_scorecard

        draw_scorecard(card, plot, loop=name)
    if as_json:
        printing.json(reading)
    else:
        _tell(name, reading)


def _tell(name: str, reading: "ScorecardView") -> None:
    if not reading.total:
        printing.say(f"The loop {name!r} has no settled decisions yet.")
        return
    since = "" if reading.since_outcome <= 1 else f", since outcome {reading.since_outcome:,}"
    printing.say(f"{reading.events:,} settled decisions{since}; reward per decision:\n")
    rows = [
        (
            standing.policy if standing.action is None else f"{standing.policy}: {standing.action}",
            *(_value(_same(reading.windows[window], standing)) for window, _ in _COLUMNS),
            _value(standing),
            _interval(standing),
        )
        for standing in reading.total
    ]
    printing.table(("POLICY", *(title for _, title in _COLUMNS), "TOTAL", "95 % INTERVAL"), rows)
    for standing in reading.total:
        for reason in standing.reasons[:1]:
            printing.say(f"\n{standing.policy}: the log can't say, because {reason}.")


def _same(standings: "tuple[PolicyEstimate, ...]", of: "PolicyEstimate") -> "PolicyEstimate | None":
    return next((one for one in standings if one.policy == of.policy), None)


def _value(standing: "PolicyEstimate | None") -> str:
    if standing is None or standing.value is None:
        return "–"
    return f"{standing.value:.4f}"


def _interval(standing: "PolicyEstimate") -> str:
    if standing.value is None:
        return "–"
    if standing.interval is None:
        return "none: it contradicts the logged probabilities"
    return f"{standing.interval.lower:.4f} … {standing.interval.upper:.4f}"
