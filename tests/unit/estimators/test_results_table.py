"""The table: numbers where the log can answer, reasons where it can't, and one sentence over all."""

import numpy as np
import pytest
from msgspec.structs import replace

from sartor.estimators.columns import Columns
from sartor.estimators.estimator_set import PolicyScore
from sartor.estimators.interval import Bounds, Interval
from sartor.estimators.results_table import ResultRow, make_result_row, weight_histogram
from sartor.estimators.verdict import find_best_policy, state_verdict

ROWS = 2_000


Pair = tuple[float, float]


def score(
    target: Pair, *, propensity: Pair = (0.7, 0.3), seed: int = 1, then: Pair | None = None
) -> PolicyScore:
    """Two actions worth 0.3 and 0.5; mostly the first is logged. ``then``: target of odd rows."""
    rng = np.random.default_rng(seed)
    first = rng.random(ROWS) < propensity[0]
    odd = np.arange(ROWS) % 2 == 1
    made = PolicyScore.empty(bounds=Bounds(), bin_us=1_000_000)
    made.add(
        Columns(
            reward=(rng.random(ROWS) < np.where(first, 0.3, 0.5)).astype(float),
            propensity=np.where(first, *propensity),
            target=np.where(odd, np.where(first, *(then or target)), np.where(first, *target)),
            uncovered=np.full(ROWS, target[1] if propensity[1] == 0 else 0.0),
            at_us=np.arange(ROWS) * 1_000_000,
        )
    )
    return made


def make_row(name: str, source: str, found: PolicyScore, *, refused: int = 0) -> ResultRow:
    return make_result_row(found, name=name, source=source, arguments="", refused=refused, max_weight=10 / 3)


ONLINE = make_row("Online", "Online", score((0.7, 0.3)))
BETTER = make_row("better", "Custom", score((0.1, 0.9)))
SAME = make_row("same", "Custom", score((1.0, 0.0), then=(0.4, 0.6)))
WORSE = make_row("worse", "Custom", score((1.0, 0.0)))


def test_a_row_has_numbers_and_diagnostics() -> None:
    assert BETTER.answerable
    assert BETTER.value == pytest.approx(0.48, abs=0.06)
    assert BETTER.gain == pytest.approx(0.12, abs=0.06)
    assert BETTER.gaussian is not None
    assert BETTER.anytime is not None
    assert BETTER.anytime.half_width > BETTER.gaussian.half_width
    assert BETTER.diagnostics is not None
    assert BETTER.diagnostics.mean_weight == pytest.approx(1.0, abs=0.1)
    assert {estimate.estimator for estimate in BETTER.estimates} >= {"ips", "snips", "anytime"}
    assert BETTER.disagreement is not None
    assert BETTER.disagreement.agrees


def test_where_support_is_missing_there_is_no_number() -> None:
    found = make_row("blind", "Custom", score((0.2, 0.8), propensity=(1.0, 0.0)))
    assert not found.answerable
    assert (found.value, found.gaussian, found.anytime, found.gain, found.estimates) == (
        None,
        None,
        None,
        None,
        (),
    )
    assert "could not choose" in found.reasons[0]
    assert found.diagnostics is not None


def test_what_was_done_needs_no_support() -> None:
    certain = make_row("Online", "Online", score((1.0, 0.0), propensity=(1.0, 0.0)))
    assert certain.value == pytest.approx(0.3, abs=0.04)


def test_a_policy_that_can_not_rank_is_not_scored() -> None:
    found = make_row("broken", "Custom", score((0.1, 0.9)), refused=500)
    assert not found.answerable
    assert "could not rank 20%" in found.reasons[0]


def test_bars_hold_every_weight() -> None:
    diagnostics = score((0.1, 0.9)).estimators.diagnostics
    found = weight_histogram(diagnostics)
    assert sum(bar.rows for bar in found) == ROWS
    assert sum(bar.share for bar in found) == pytest.approx(1.0)
    assert [bar.low for bar in found] == [0.125, 2.0]


def test_the_best_is_one_that_is_shown_to_be_better() -> None:
    assert find_best_policy([ONLINE, BETTER, SAME, WORSE]) is BETTER
    assert find_best_policy([ONLINE, SAME, WORSE]) is None
    assert find_best_policy([BETTER]) is None
    assert find_best_policy([ONLINE, replace(BETTER, source="Baseline")]) is None, (
        "the baseline is there to compare with"
    )


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        pytest.param([ONLINE, BETTER], "“better” would have earned", id="a winner"),
        pytest.param([ONLINE, SAME], "No policy is shown to be better", id="nothing shown"),
        pytest.param([ONLINE, WORSE], "comes nearest and earns less", id="all worse"),
        pytest.param(
            [ONLINE, make_row("x", "Custom", score((0.2, 0.8), propensity=(1.0, 0.0)))],
            "The log can't answer this, because",
            id="no support",
        ),
        pytest.param(
            [ONLINE, replace(WORSE, name="Baseline", source="Baseline")],
            "always taking the first action would have earned",
            id="nobody to compare with",
        ),
        pytest.param([], "no settled decisions", id="nothing"),
        pytest.param(
            [ONLINE, replace(WORSE, source="Baseline", value=None, answerable=False, reasons=("it is new",))],
            "the log can't say what the first action would have earned, because it is new",
            id="no word of the baseline",
        ),
    ],
)
def test_the_verdict_is_one_sentence(rows: list[ResultRow], words: str) -> None:
    found = state_verdict(rows)
    assert words in found
    assert found.endswith(".")


def test_the_gain_holds_for_all_rivals_together() -> None:
    alone = make_result_row(score((0.1, 0.9)), name="x", source="Custom", arguments="", max_weight=4)
    among = make_result_row(
        score((0.1, 0.9)), name="x", source="Custom", arguments="", max_weight=4, compared=10
    )
    assert isinstance(alone.gain_interval, Interval)
    assert isinstance(among.gain_interval, Interval)
    assert among.gain_interval.half_width == pytest.approx(
        2.807 / 1.96 * alone.gain_interval.half_width, rel=1e-3
    )
