"""The verdict of an evaluation: the best policy, and one sentence."""

from collections.abc import Sequence

from sartor.estimators.results_table import ResultRow
from sartor.estimators.support import explain_refusal

_COMPARED_SOURCES = ("Custom", "OfflineExperimentation")


def find_best_policy(rows: Sequence[ResultRow], /) -> ResultRow | None:
    """Finds the policy that should replace the current one: the best of those that are shown to be better.

    Shown means: the interval of its gain is above zero, and its anytime interval begins above that of the
    logging policy (contract, section 2.9), so that many looks at a growing log don't find a winner by luck.
    """
    online = find_online(rows)
    better = [
        one
        for one in rows
        if one.source in _COMPARED_SOURCES
        and not one.slot
        and one.value is not None
        and _is_shown_better(one, online)
    ]
    return max(better, key=lambda one: one.value or 0.0, default=None)


def find_online(rows: Sequence[ResultRow], /) -> ResultRow | None:
    """Finds the row of the logging policy."""
    return next((one for one in rows if one.source == "Online" and not one.slot), None)


def _is_shown_better(one: ResultRow, online: ResultRow | None) -> bool:
    if online is None or online.anytime is None or one.anytime is None or one.gain_interval is None:
        return False
    return one.gain_interval.lower > 0 and one.anytime.lower > online.anytime.lower


def state_verdict(rows: Sequence[ResultRow], /) -> str:
    """Returns the verdict of the whole evaluation in one sentence."""
    online = find_online(rows)
    if online is None or not online.events:
        return "The log holds no settled decisions in this time."
    contenders = [one for one in rows if one.source in _COMPARED_SOURCES and not one.slot]
    if not contenders:
        return _compare_baseline(rows, online)
    winner = find_best_policy(rows)
    if winner is not None:
        return _state_winner(winner, online)
    unanswered = [one for one in contenders if not one.answerable]
    if len(unanswered) == len(contenders):
        return explain_refusal(unanswered[0].reasons[:1])
    leader = max((one for one in contenders if one.answerable), key=lambda one: one.value or 0.0)
    return _state_leader(leader, online)


def _state_winner(winner: ResultRow, online: ResultRow) -> str:
    return (
        f"“{winner.name}” would have earned {_format_reward(winner.value)} per decision where "
        f"{_format_reward(online.value)} was earned: {_format_percent(winner, online)}{_format_gain(winner)}."
    )


def _state_leader(leader: ResultRow, online: ResultRow) -> str:
    if leader.gain_interval is not None and leader.gain_interval.upper < 0:
        return f"No policy is better than what was done: “{leader.name}” comes nearest and earns less."
    return (
        f"No policy is shown to be better than what was done: “{leader.name}” would have earned "
        f"{_format_reward(leader.value)} per decision where {_format_reward(online.value)} was earned"
        f"{_format_gain(leader)}."
    )


def _format_gain(one: ResultRow) -> str:
    interval = one.gain_interval
    return (
        ""
        if interval is None
        else f" (gain {_format_reward(interval.lower)} to {_format_reward(interval.upper)})"
    )


def _compare_baseline(rows: Sequence[ResultRow], online: ResultRow) -> str:
    baseline = next((one for one in rows if one.source == "Baseline" and not one.slot), None)
    earned = f"{_format_reward(online.value)} was earned per decision"
    if baseline is None or baseline.value is None:
        reason = baseline.reasons[0] if baseline is not None and baseline.reasons else "it is unknown"
        return f"{earned}; the log can't say what the first action would have earned, because {reason}."
    return f"{earned}, where always taking the first action would have earned {_format_reward(baseline.value)}."


def _format_percent(winner: ResultRow, online: ResultRow) -> str:
    if not online.value or online.value < 0 or winner.gain is None:
        return f"{_format_reward(winner.gain)} more"
    share = winner.gain / online.value
    return f"{share:.0%} more" if share >= 0.1 else f"{share:.1%} more"


def _format_reward(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.4f}" if abs(value) < 10 else f"{value:,.1f}"
