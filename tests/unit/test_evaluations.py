"""Windows that are put together, and what jobs hold."""

import numpy as np
import pytest

from sartor.errors import Corrupt
from sartor.evaluate.columns import Columns
from sartor.evaluate.importance import Snips
from sartor.evaluations import (
    EvaluationResult,
    PolicyResult,
    Window,
    encoded,
    evaluation_result,
    evaluation_spec,
    merged,
)


def window(start_us: int, columns: Columns) -> Window:
    w, r = columns.weight, columns.reward
    return merged(
        [
            Window(
                start_us=start_us,
                events=columns.rows,
                numerator=float((w * r).sum()),
                sum_of_weights=float(w.sum()),
                non_zero=int((w > 0).sum()),
                sum_of_squares=float((w * w * r * r).sum()),
                largest=float(np.abs(w * r).max()),
                expected_reward=0.0,
                low=0.0,
                high=0.0,
                weights_squared=float((w * w).sum()),
                weighted_products=float((w * w * r).sum()),
            )
        ]
    )


def columns(rows: int, *, seed: int) -> Columns:
    rng = np.random.default_rng(seed)
    propensity = rng.choice([0.1, 0.7], size=rows)
    return Columns(reward=rng.random(rows), propensity=propensity, target=rng.random(rows))


def test_a_window_says_what_snips_says() -> None:
    rows = columns(300, seed=1)
    found, snips = window(7, rows), Snips()
    snips.add(rows)
    interval = snips.interval()
    assert interval is not None
    assert (found.start_us, found.events) == (7, 300)
    assert found.expected_reward == pytest.approx(snips.value())
    assert (found.low, found.high) == pytest.approx((interval.lower, interval.upper))


def test_two_windows_make_the_window_of_both() -> None:
    first, second = columns(100, seed=2), columns(200, seed=3)
    both = Columns(
        reward=np.concatenate((first.reward, second.reward)),
        propensity=np.concatenate((first.propensity, second.propensity)),
        target=np.concatenate((first.target, second.target)),
    )
    found, expected = merged([window(1, first), window(2, second)]), window(1, both)
    assert (found.start_us, found.events, found.non_zero) == (1, 300, expected.non_zero)
    assert found.largest == expected.largest
    assert (found.numerator, found.low, found.high) == pytest.approx(
        (expected.numerator, expected.low, expected.high)
    )


def test_without_any_weight_nothing_is_estimated() -> None:
    rows = Columns(reward=np.ones(3), propensity=np.ones(3), target=np.zeros(3))
    found = window(1, rows)
    assert (found.expected_reward, found.low, found.high, found.non_zero) == (0.0, 0.0, 0.0, 0)


def test_a_result_survives_its_json() -> None:
    total = window(1, columns(10, seed=4))
    result = EvaluationResult(
        policies=(
            PolicyResult(name="p", arguments="", source="Custom", total=total, windows={"PT5M": (total,)}),
        )
    )
    assert evaluation_result(encoded(result)) == result


def test_another_jobs_content_is_refused() -> None:
    with pytest.raises(Corrupt, match="EvaluationSpec"):
        evaluation_spec(b'{"name":1}')
