"""``sartor score``: what a loop earned, beside the baseline, random choices and the best fixed action."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sartor.cli import formatting
from sartor.cli.options import DEFAULTS, AsJson, Data, LoopName
from sartor.numbers import REWARD_RANGE

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
    """Show how much more a loop earns than your default order, and what it earned per decision beside others.

    First comes the lift of the learned policy over always the first action, and what exploration costs.
    The others are: always the first action (Baseline), a random action (Random), and the best single action
    for all. The 95 % intervals of the total stay valid however often you look. It can run beside the service.
    """
    from sartor.management import loops
    from sartor.metrics.scorecard import read_scorecard
    from sartor.runtime import compose
    from sartor.times import now_us

    with compose.open_instance(data) as stores, loops.open_loop(stores, loops.find_loop(stores, name)) as logs:
        scorecard = read_scorecard(logs)
    view = scorecard.view(now_us=now_us())
    if plot is not None:
        from sartor.metrics.scorecard_plot import draw_scorecard

        draw_scorecard(scorecard, plot, loop=name)
    if as_json:
        formatting.print_json(view)
    else:
        _print_scorecard(name, view)


def _print_scorecard(name: str, view: "ScorecardView") -> None:
    if not view.total:
        formatting.print_line(f"The loop {name!r} has no settled decisions yet.")
        return
    for lead in (view.lift, view.exploration):
        if lead is not None and lead.sentence:
            formatting.print_text(f"{formatting.escape_markup(lead.sentence)}\n")
    since = "" if view.since_outcome <= 1 else f", since outcome {view.since_outcome:,}"
    formatting.print_text(f"{view.events:,} settled decisions{since}; reward per decision:\n")
    rows = [
        (
            estimate.policy if estimate.action is None else f"{estimate.policy}: {estimate.action}",
            *(_format_value(_find_same_policy(view.windows[window], estimate)) for window, _ in _COLUMNS),
            _format_value(estimate),
            _format_interval(estimate),
        )
        for estimate in view.total
    ]
    formatting.print_table(("POLICY", *(title for _, title in _COLUMNS), "TOTAL", "95 % INTERVAL"), rows)
    if view.set_aside:
        formatting.print_text(f"\n{view.set_aside:,} outcomes are set aside: a reward is {REWARD_RANGE}.")
    for estimate in view.total:
        for reason in estimate.reasons[:1]:
            sentence = f"{estimate.policy}: the log can't say, because {reason}."
            formatting.print_text(f"\n{formatting.escape_markup(sentence)}")


def _find_same_policy(estimates: "tuple[PolicyEstimate, ...]", of: "PolicyEstimate") -> "PolicyEstimate | None":
    return next((one for one in estimates if one.policy == of.policy), None)


def _format_value(estimate: "PolicyEstimate | None") -> str:
    if estimate is None or estimate.value is None:
        return "–"
    return f"{estimate.value:.4f}"


def _format_interval(estimate: "PolicyEstimate") -> str:
    if estimate.value is None:
        return "–"
    if estimate.interval is None:
        return "none: it contradicts the logged probabilities"
    return f"{estimate.interval.lower:.4f} … {estimate.interval.upper:.4f}"
