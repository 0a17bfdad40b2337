"""Bins hold what the estimators hold, window by window; series are made of them."""

import numpy as np
import pytest

from sartor.errors import InvalidColumns
from sartor.estimators.columns import Columns
from sartor.estimators.interval import Bounds
from sartor.estimators.ips import Ips, Snips
from sartor.estimators.time_series import TimeBins, expanding_series, rolling_series
from tests.unit.estimators.batches import sliced

WIDTH_US = 300_000_000


def columns(rows: int = 500, *, seed: int = 1) -> Columns:
    rng = np.random.default_rng(seed)
    return Columns(
        reward=rng.random(rows),
        propensity=rng.choice([0.2, 0.8], size=rows),
        target=rng.choice([0.0, 0.3, 1.0], size=rows),
        drop_probability=rng.choice([0.0, 0.5], size=rows),
        at_us=rng.integers(1_700_000_000, 1_700_010_000, size=rows) * 1_000_000,
    )


def ips(found: Columns) -> Ips:
    made = Ips()
    made.add(found)
    return made


def same(found: Ips, expected: Ips) -> None:
    for name in Ips.__struct_fields__:
        assert getattr(found, name) == pytest.approx(getattr(expected, name)), name


@pytest.mark.parametrize("factor", [1, 12])
def test_each_window_is_the_estimator_of_its_rows(factor: int) -> None:
    rows, bins = columns(), TimeBins()
    bins.add(rows)
    windows = bins.windows(factor * WIDTH_US)
    assert rows.at_us is not None
    assert list(windows) == sorted(windows)
    assert sum(one.rows for one in windows.values()) == rows.rows
    for start, found in windows.items():
        assert start % (factor * WIDTH_US) == 0
        inside = (rows.at_us >= start) & (rows.at_us < start + factor * WIDTH_US)
        same(found, ips(sliced(rows, inside)))


def test_batches_and_parts_make_the_same_bins() -> None:
    rows, whole, parts, other = columns(), TimeBins(), TimeBins(), TimeBins()
    whole.add(rows)
    parts.add(sliced(rows, slice(0, 123)))
    other.add(sliced(rows, slice(123, None)))
    merged = parts + other
    assert merged.sums.keys() == whole.sums.keys()
    for number, found in merged.sums.items():
        same(found, whole.sums[number])


def test_bins_survive_being_stored() -> None:
    bins = TimeBins()
    bins.add(columns())
    assert TimeBins.from_state(bins.state()) == bins


def test_times_are_needed() -> None:
    with pytest.raises(InvalidColumns, match="at_us"):
        TimeBins().add(Columns(reward=np.ones(1), propensity=np.ones(1), target=np.ones(1)))


def test_windows_are_multiples() -> None:
    with pytest.raises(InvalidColumns, match="can't be made"):
        TimeBins().windows(WIDTH_US + 1)


def test_a_series_so_far_ends_with_everything() -> None:
    rows, bins, snips = columns(), TimeBins(), Snips()
    bins.add(rows)
    snips.add(rows)
    moments = expanding_series(bins, bounds=Bounds(), most=7)
    assert len(moments) <= 7
    assert moments[-1].events == rows.rows
    assert moments[-1].value == pytest.approx(snips.value())
    assert [one.events for one in moments] == sorted(one.events for one in moments)
    assert moments[-1].anytime is not None


def test_a_series_by_windows_has_no_more_than_it_may() -> None:
    bins = TimeBins()
    bins.add(columns())
    assert len(rolling_series(bins, WIDTH_US, bounds=Bounds(), most=400)) == len(bins.sums)
    fewer = rolling_series(bins, WIDTH_US, bounds=Bounds(), most=10)
    assert 5 <= len(fewer) <= 10
    assert sum(one.events for one in fewer) == 500


def test_nothing_has_no_series() -> None:
    assert expanding_series(TimeBins(), bounds=Bounds()) == ()
    assert rolling_series(TimeBins(), WIDTH_US, bounds=Bounds()) == ()
