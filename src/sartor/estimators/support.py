"""Can this log answer? A verdict with its reasons in words; where it can't, no number should be shown."""

from msgspec import Struct

from sartor.estimators.diagnostics import Diagnostics


class SupportThresholds(Struct, frozen=True, kw_only=True):
    """Where answering ends. ``deviations``: in standard errors; the others: counts and shares.

    ``missing``: the largest share of the policy's choices that the log may be unable to make.
    ``one_row``: the largest share of all weight that may sit on one row.
    """

    least_rows: int = 100
    least_effective: float = 50.0
    missing: float = 0.05
    one_row: float = 0.1
    deviations: float = 5.0


class SupportVerdict(Struct, frozen=True):
    """Whether the log can answer, and if not, why: one sentence for each reason."""

    answerable: bool
    reasons: tuple[str, ...] = ()

    def sentence(self) -> str:
        """The verdict in one line."""
        if self.answerable:
            return "The log can answer this."
        return "The log can't answer this, because " + "; ".join(self.reasons) + "."


def check_support(found: Diagnostics, /, *, limits: SupportThresholds | None = None) -> SupportVerdict:
    """The verdict on one policy and one log. Cost: O(1)."""
    limits = limits or SupportThresholds()
    checks = (_too_few, _no_match, _uncovered, _weight_off, _too_few_effective, _one_row_decides)
    reasons = tuple(reason for check in checks if (reason := check(found, limits)))
    return SupportVerdict(not reasons, reasons)


def _too_few(found: Diagnostics, limits: SupportThresholds) -> str | None:
    if found.rows >= limits.least_rows:
        return None
    return f"it holds {found.rows} decisions and at least {limits.least_rows} are needed"


def _no_match(found: Diagnostics, limits: SupportThresholds) -> str | None:
    if found.matched or not found.rows:
        return None
    return "the policy would never have chosen what was chosen"


def _uncovered(found: Diagnostics, limits: SupportThresholds) -> str | None:
    """Missing support that is known, from the ``uncovered`` column."""
    share = found.uncovered / found.uncovered_events if found.uncovered_events else 0.0
    if share <= limits.missing:
        return None
    return f"the policy makes {share:.0%} of its choices among actions that the log could not choose"


def _weight_off(found: Diagnostics, limits: SupportThresholds) -> str | None:
    """The mean weight is not 1: too small without support, too large with wrong propensities only."""
    mean, error = found.mean_weight(), found.mean_weight_error()
    if mean is None or error is None or not found.matched:
        return None
    reach = limits.deviations * error
    if mean + reach < 1 - limits.missing:
        return _too_light(found, mean)
    if mean - reach > 1 + limits.missing:
        return f"the logged probabilities are too small to be true: weights average {mean:.2f} instead of 1"
    return None


def _too_light(found: Diagnostics, mean: float) -> str:
    if found.smallest_propensity >= 1:
        return "it was made without exploration: every logged probability is 1"
    return (
        f"only about {mean:.0%} of the policy's choices were ever possible when the log was made, "
        "or the logged probabilities are too large"
    )


def _too_few_effective(found: Diagnostics, limits: SupportThresholds) -> str | None:
    size = found.effective_sample_size()
    if size >= limits.least_effective or not found.matched:
        return None
    return (
        f"its {found.rows} decisions say as much about this policy as {size:.0f} would, "
        f"and at least {limits.least_effective:.0f} are needed"
    )


def _one_row_decides(found: Diagnostics, limits: SupportThresholds) -> str | None:
    share = found.largest_share()
    if share <= limits.one_row:
        return None
    return f"a single decision carries {share:.0%} of all weight"
