"""The Gaussian interval and its standard error."""

from math import sqrt

import pytest

from sartor.estimators.interval import gaussian_interval, standard_error


def test_standard_error_is_that_of_the_sample() -> None:
    # 0, 0, 1, 1: sample variance 1/3.
    assert standard_error(2.0, 2.0, 4.0) == pytest.approx(sqrt(1 / 3 / 4))


def test_rounding_makes_no_negative_variance() -> None:
    assert standard_error(3 * 0.1, 3 * 0.01 - 1e-18, 3.0) == 0.0


@pytest.mark.parametrize("events", [0.0, 0.5, 1.0])
def test_one_event_has_no_spread(events: float) -> None:
    assert standard_error(1.0, 1.0, events) is None


def test_levels() -> None:
    wide, narrow = gaussian_interval(1.0, 2.0, alpha=0.05), gaussian_interval(1.0, 2.0, alpha=0.32)
    assert wide is not None
    assert narrow is not None
    assert (wide.lower, wide.upper) == pytest.approx((1 - 3.919928, 1 + 3.919928))
    assert narrow.half_width == pytest.approx(2 * 0.99445788)
    assert wide.lower <= 4.9 <= wide.upper
    assert not (wide.lower <= 4.92 <= wide.upper)


def test_nothing_known_nothing_said() -> None:
    assert gaussian_interval(None, 1.0, alpha=0.05) is None
    assert gaussian_interval(1.0, None, alpha=0.05) is None
