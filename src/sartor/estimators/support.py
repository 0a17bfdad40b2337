"""Whether a log can answer about a policy, with reasons in words; where it can't, no number should be shown."""

from collections.abc import Sequence

from msgspec import Struct

from sartor.estimators.diagnostics import Diagnostics
from sartor.estimators.interval import Bounds, Interval


class SupportThresholds(Struct, frozen=True, kw_only=True):
    """The limits beyond which the log can't answer: counts, shares, ``deviations`` in standard errors.

    ``max_uncovered``: the largest share of the policy's choices that the log may be unable to make.
    ``max_row_share``: the largest share of all weight that may sit on one row. ``max_half_width``: the largest
    half width of an interval, as a share of the range of rewards.
    """

    min_rows: int = 100
    min_effective: float = 50.0
    max_uncovered: float = 0.05
    max_row_share: float = 0.1
    deviations: float = 5.0
    max_half_width: float = 0.25


class SupportVerdict(Struct, frozen=True):
    """Whether the log can answer, and if not, why: one clause for each reason."""

    answerable: bool
    reasons: tuple[str, ...] = ()


def explain_refusal(reasons: Sequence[str], /) -> str:
    """Returns the sentence that says why the log can't answer."""
    return f"The log can't answer this, because {'; '.join(reasons)}."


def check_support(diagnostics: Diagnostics, /, *, limits: SupportThresholds | None = None) -> SupportVerdict:
    """Checks whether a log can answer about a policy, from the diagnostics of its weights. Cost: O(1)."""
    limits = limits or SupportThresholds()
    checks = (
        _check_rows,
        _check_matches,
        _check_uncovered,
        _check_mean_weight,
        _check_effective_rows,
        _check_heaviest_row,
    )
    reasons = tuple(reason for check in checks if (reason := check(diagnostics, limits)))
    return SupportVerdict(not reasons, reasons)


def check_interval(
    diagnostics: Diagnostics,
    interval: Interval | None,
    bounds: Bounds,
    /,
    *,
    limits: SupportThresholds | None = None,
) -> SupportVerdict:
    """Checks whether a log can answer about a policy whose interval holds with any weights. Cost: O(1).

    The interval says how much the log knows, so that numbers of effective decisions need no limits.

    Args:
        diagnostics: of the policy's weights.
        interval: the anytime interval; None where its ends cross.
        bounds: the range of rewards.
        limits: the limits.
    """
    limits = limits or SupportThresholds()
    reasons = [
        reason
        for check in (_check_rows, _check_matches, _check_mean_weight)
        if (reason := check(diagnostics, limits))
    ]
    if not reasons and interval is not None and interval.half_width > limits.max_half_width * bounds.width:
        reasons.append(
            f"its {diagnostics.rows:,} decisions leave it anywhere between {interval.lower:.2f} "
            f"and {interval.upper:.2f}"
        )
    return SupportVerdict(not reasons, tuple(reasons))


def _check_rows(diagnostics: Diagnostics, limits: SupportThresholds) -> str | None:
    if diagnostics.rows >= limits.min_rows:
        return None
    return f"it holds {diagnostics.rows} decisions and at least {limits.min_rows} are needed"


def _check_matches(diagnostics: Diagnostics, limits: SupportThresholds) -> str | None:
    if diagnostics.matched or not diagnostics.rows:
        return None
    return "the policy would never have chosen what was chosen"


def _check_uncovered(diagnostics: Diagnostics, limits: SupportThresholds) -> str | None:
    """Missing support that is known, from the ``uncovered`` column."""
    share = diagnostics.uncovered / diagnostics.uncovered_events if diagnostics.uncovered_events else 0.0
    if share <= limits.max_uncovered:
        return None
    return f"the policy makes {share:.0%} of its choices among actions that the log could not choose"


def _check_mean_weight(diagnostics: Diagnostics, limits: SupportThresholds) -> str | None:
    """The mean weight is not 1: too small without support, too large only with wrong propensities."""
    mean, error = diagnostics.mean_weight(), diagnostics.mean_weight_error()
    if mean is None or error is None or not diagnostics.matched:
        return None
    margin = limits.deviations * error
    if mean + margin < 1 - limits.max_uncovered:
        return _weight_too_small(diagnostics, mean)
    if mean - margin > 1 + limits.max_uncovered:
        return f"the logged probabilities are too small to be true: weights average {mean:.2f} instead of 1"
    return None


def _weight_too_small(diagnostics: Diagnostics, mean: float) -> str:
    if diagnostics.smallest_propensity >= 1:
        return "it was made without exploration: every logged probability is 1"
    return (
        f"only about {mean:.0%} of the policy's choices were ever possible when the log was made, "
        "or the logged probabilities are too large"
    )


def _check_effective_rows(diagnostics: Diagnostics, limits: SupportThresholds) -> str | None:
    size = diagnostics.effective_sample_size()
    if size >= limits.min_effective or not diagnostics.matched:
        return None
    return (
        f"its {diagnostics.rows} decisions say as much about this policy as {size:.0f} would, "
        f"and at least {limits.min_effective:.0f} are needed"
    )


def _check_heaviest_row(diagnostics: Diagnostics, limits: SupportThresholds) -> str | None:
    share = diagnostics.largest_share()
    if share <= limits.max_row_share:
        return None
    return f"a single decision carries {share:.0%} of all weight"
