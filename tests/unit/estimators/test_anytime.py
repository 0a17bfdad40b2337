"""The anytime-valid interval: its wealth is what the definition says, and it behaves."""

from math import log, log1p

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sartor.errors import InvalidColumns
from sartor.estimators.anytime import (
    Anytime,
    anytime_intervals,
    constant_exponents,
    log_wealth,
    smallest_plausible,
)
from sartor.estimators.columns import Columns
from sartor.estimators.ips import Ips
from tests.unit.estimators.batches import SIGNED, UNIT

STAKES = [0.9 * 2.0 ** (-k / 2) for k in range(40)]


def wealth(terms: list[float], value: float) -> float:
    """The definition, averaged over the centre by brute force."""
    z = np.array(terms)
    centres = (np.arange(20_000) + 0.5) / 20_000
    squares = (z**2).sum() - 2 * centres * z.sum() + len(z) * centres**2
    worth = [
        np.exp(stake * (z.sum() - len(z) * value) - (-log1p(-stake) - stake) * squares).mean()
        for stake in STAKES
    ]
    return float(np.mean(worth))


def log_wealth_at(events: float, total: float, squares: float, value: float) -> float:
    """The log of the wealth of one sequence at a value."""
    constant = constant_exponents(np.array([events]), np.array([total]), np.array([squares]))
    return float(log_wealth(constant, np.array([total - events * value]))[0])


def alternating(rows: int, *, reward: tuple[float, float] = (1.0, 0.0)) -> Columns:
    """A log of the policy itself with two rewards in turn."""
    even = np.full(rows, 0.5)
    return Columns(reward=np.where(np.arange(rows) % 2 == 0, *reward), propensity=even, target=even)


@given(
    terms=st.lists(st.floats(0, 8), min_size=1, max_size=30),
    value=st.floats(0, 1),
)
def test_wealth_is_what_the_definition_says(terms: list[float], value: float) -> None:
    z = np.array(terms)
    found = log_wealth_at(float(len(z)), z.sum(), (z**2).sum(), value)
    assert found == pytest.approx(log(wealth(terms, value)), abs=1e-4)


@pytest.mark.parametrize("value", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("centre", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("heavy", [1.0, 3.0, 40.0])
def test_a_fair_bet_gains_nothing(value: float, centre: float, heavy: float) -> None:
    # Z is 0 or `heavy` with mean `value`; each stake's expected factor is at most 1.
    probabilities = value / heavy
    for stake in STAKES:
        price = -log1p(-stake) - stake
        win = np.exp(stake * (heavy - value) - price * (heavy - centre) ** 2)
        lose = np.exp(-stake * value - price * centre**2)
        assert probabilities * win + (1 - probabilities) * lose <= 1 + 1e-12


def test_wealth_falls_as_the_value_grows() -> None:
    values = np.linspace(0, 1, 50)
    found = [log_wealth_at(100.0, 30.0, 40.0, float(value)) for value in values]
    assert np.all(np.diff(found) < 0)


def lower_end(events: float, total: float, squares: float, *, log_threshold: float) -> float:
    """The smallest plausible mean of one sequence."""
    sums = (np.array([number]) for number in (events, total, squares))
    return float(smallest_plausible(*sums, log_threshold=log_threshold)[0])


def test_the_end_is_where_wealth_reaches_the_threshold() -> None:
    low = lower_end(1000.0, 300.0, 300.0, log_threshold=log(40))
    at_the_end = log_wealth_at(1000.0, 300.0, 300.0, low)
    assert at_the_end == pytest.approx(log(40), abs=1e-5)


def test_little_evidence_says_nothing() -> None:
    assert lower_end(3.0, 1.0, 1.0, log_threshold=log(40)) == 0.0


def test_narrower_with_more_events_and_about_twice_the_gaussian() -> None:
    widths = []
    for rows in (100, 10_000, 1_000_000):
        estimator, ips = Anytime(bounds=UNIT), Ips()
        estimator.add(alternating(rows))
        ips.add(alternating(rows))
        interval, fixed = estimator.interval(), ips.interval()
        assert interval is not None
        assert fixed is not None
        assert interval.lower <= 0.5 <= interval.upper
        widths.append(interval.half_width / fixed.half_width)
    assert all(1.5 < width < 2.6 for width in widths)


def test_rewards_seen_from_the_other_end_give_the_mirrored_interval() -> None:
    first, second = Anytime(bounds=UNIT), Anytime(bounds=UNIT)
    first.add(alternating(1000, reward=(0.5, 0.0)))
    second.add(alternating(1000, reward=(0.5, 1.0)))
    one, other = first.interval(), second.interval()
    assert one is not None
    assert other is not None
    assert (one.lower, one.upper) == pytest.approx((1 - other.upper, 1 - other.lower))


def test_other_ranges_are_scaled_there_and_back() -> None:
    unit, signed = Anytime(bounds=UNIT), Anytime(bounds=SIGNED)
    third = np.arange(999) % 3 == 0
    propensity, target = np.where(third, 0.25, 0.75), np.where(third, 0.5, 0.5)
    unit.add(Columns(reward=third.astype(float), propensity=propensity, target=target))
    signed.add(Columns(reward=2.0 * third - 1, propensity=propensity, target=target))
    first, second = unit.interval(), signed.interval()
    assert first is not None
    assert second is not None
    assert (second.lower, second.upper) == pytest.approx((2 * first.lower - 1, 2 * first.upper - 1))


def test_each_end_has_half_of_alpha() -> None:
    estimator = Anytime(bounds=UNIT)
    estimator.add(alternating(1000))
    interval = estimator.interval(0.1)
    assert interval is not None
    assert interval.lower == lower_end(1000.0, 500.0, 500.0, log_threshold=log(20))
    assert interval.upper == 1 - interval.lower


def test_without_support_it_stays_wide() -> None:
    # The policy wants an action that was never logged: anything from 0 to 1 may be true.
    estimator = Anytime(bounds=UNIT)
    estimator.add(Columns(reward=np.ones(10_000), propensity=np.ones(10_000), target=np.zeros(10_000)))
    interval = estimator.interval()
    assert interval is not None
    assert (interval.lower, interval.upper) == (0.0, 1.0)


def test_where_the_log_contradicts_its_propensities_there_is_no_interval() -> None:
    estimator = Anytime(bounds=UNIT)
    estimator.add(Columns(reward=np.full(4000, 0.5), propensity=np.full(4000, 0.1), target=np.ones(4000)))
    assert estimator.interval() is None


def test_enormous_weights_leave_a_wide_and_valid_interval() -> None:
    # One row in a hundred thousand carries all weight, as E[w] = 1 wants it.
    rare = np.arange(100_000) == 7
    batch = Columns(reward=np.ones(100_000), propensity=np.where(rare, 1e-5, 1.0), target=rare.astype(float))
    estimator = Anytime(bounds=UNIT)
    estimator.add(batch)
    interval = estimator.interval()
    assert interval is not None
    assert interval.lower <= 1.0 <= interval.upper
    assert interval.lower < 0.1


def test_sums_of_any_size_give_a_number() -> None:
    assert 0 <= lower_end(1e4, 1e11, 1e20, log_threshold=3.7) <= 1
    assert 0 <= lower_end(1e12, 3e11, 3e11, log_threshold=3.7) <= 0.3


def test_many_intervals_at_once_are_those_of_each_alone() -> None:
    rng = np.random.default_rng(4)
    found = [Anytime(bounds=SIGNED)]
    for rows in (1, 2, 50, 3_000):
        one = Anytime(bounds=SIGNED)
        propensity = rng.choice([0.05, 0.9], size=rows)
        one.add(Columns(reward=rng.uniform(-1, 1, rows), propensity=propensity, target=rng.random(rows)))
        found.append(one)
    assert anytime_intervals(found) == [one.interval() for one in found]
    assert anytime_intervals([]) == []
    assert anytime_intervals([Anytime(bounds=UNIT)]) == [None]


def test_intervals_at_once_are_of_one_range() -> None:
    with pytest.raises(InvalidColumns, match="equal bounds"):
        anytime_intervals([Anytime(bounds=UNIT), Anytime(bounds=SIGNED)])
