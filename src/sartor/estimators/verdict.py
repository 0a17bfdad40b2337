"""What an evaluation comes to, in one sentence."""

from collections.abc import Sequence

from sartor.estimators.results_table import ResultRow

_FINDABLE = ("Custom", "OfflineExperimentation")


def best_policy(entries: Sequence[ResultRow], /) -> ResultRow | None:
    """The policy that should replace the one at work: shown to be better, and the best of those.

    Shown means: the interval of its gain is above zero, and its anytime interval begins above that of what
    was done (contract, section 2.9), so that many looks at a growing log don't find a winner by luck.
    """
    online = find_online(entries)
    shown = [
        one
        for one in entries
        if one.source in _FINDABLE and not one.slot and one.value is not None and _is_shown(one, online)
    ]
    return max(shown, key=lambda one: one.value or 0.0, default=None)


def find_online(entries: Sequence[ResultRow], /) -> ResultRow | None:
    """What was done."""
    return next((one for one in entries if one.source == "Online" and not one.slot), None)


def _is_shown(one: ResultRow, online: ResultRow | None) -> bool:
    if online is None or online.anytime is None or one.anytime is None or one.gain_interval is None:
        return False
    return one.gain_interval.lower > 0 and one.anytime.lower > online.anytime.lower


def verdict(entries: Sequence[ResultRow], /) -> str:
    """The whole evaluation in one sentence."""
    online = find_online(entries)
    if online is None or not online.events:
        return "The log holds no settled decisions in this time."
    contenders = [one for one in entries if one.source in _FINDABLE and not one.slot]
    if not contenders:
        return _beside_baseline(entries, online)
    winner = best_policy(entries)
    if winner is not None:
        return _won(winner, online)
    unanswered = [one for one in contenders if not one.answerable]
    if len(unanswered) == len(contenders):
        return f"The log can't answer this, because {unanswered[0].reasons[0]}."
    leader = max((one for one in contenders if one.answerable), key=lambda one: one.value or 0.0)
    return _open(leader, online)


def _won(winner: ResultRow, online: ResultRow) -> str:
    return (
        f"“{winner.name}” would have earned {_amount(winner.value)} per decision where {_amount(online.value)} "
        f"was earned: {_percent(winner, online)}{_range(winner)}."
    )


def _open(leader: ResultRow, online: ResultRow) -> str:
    if leader.gain_interval is not None and leader.gain_interval.upper < 0:
        return f"No policy is better than what was done: “{leader.name}” comes nearest and earns less."
    return (
        f"No policy is shown to be better than what was done: “{leader.name}” would have earned "
        f"{_amount(leader.value)} per decision where {_amount(online.value)} was earned{_range(leader)}."
    )


def _range(one: ResultRow) -> str:
    interval = one.gain_interval
    return "" if interval is None else f" (gain {_amount(interval.lower)} to {_amount(interval.upper)})"


def _beside_baseline(entries: Sequence[ResultRow], online: ResultRow) -> str:
    baseline = next((one for one in entries if one.source == "Baseline" and not one.slot), None)
    earned = f"{_amount(online.value)} was earned per decision"
    if baseline is None or baseline.value is None:
        reason = baseline.reasons[0] if baseline is not None and baseline.reasons else "it is unknown"
        return f"{earned}; what the first action would have earned the log can't say, because {reason}."
    return f"{earned}, where always taking the first action would have earned {_amount(baseline.value)}."


def _percent(winner: ResultRow, online: ResultRow) -> str:
    if not online.value or online.value < 0 or winner.gain is None:
        return f"{_amount(winner.gain)} more"
    share = winner.gain / online.value
    return f"{share:.0%} more" if share >= 0.1 else f"{share:.1%} more"


def _amount(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.4f}" if abs(value) < 10 else f"{value:,.1f}"
