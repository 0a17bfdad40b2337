"""Every accumulator merges, survives storing, and is the same in whatever batches the rows came."""

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings

from sartor.errors import Corrupt, InvalidColumns
from sartor.estimators.accumulator import Accumulator, Estimator
from sartor.estimators.columns import Columns
from sartor.estimators.doubly_robust import DrOs, SwitchDr
from sartor.estimators.estimator_set import EstimatorSet
from sartor.estimators.interval import Bounds
from sartor.estimators.ips import BoundedSums, Ips, Snips
from tests.unit.estimators.batches import FOUR, SIGNED, UNIT, batches, every, joined

KINDS = range(len(every()))
names = [type(kind).__name__ for kind in every()]


def fed(kind: int, *batches: Columns) -> Accumulator:
    """A fresh accumulator that has seen the batches."""
    accumulator = every()[kind]
    for batch in batches:
        accumulator.add(batch)
    return accumulator


def numbers(value: Any) -> list[float]:
    """All numbers of an accumulator, flattened."""
    if isinstance(value, dict):
        return [number for item in value.values() for number in numbers(item)]
    if isinstance(value, list):
        return [number for item in value for number in numbers(item)]
    return [value] if isinstance(value, (int, float)) else []


def same(first: Accumulator, second: Accumulator) -> bool:
    """Equal up to rounding."""
    pairs = [numbers(msgspec.to_builtins(accumulator)) for accumulator in (first, second)]
    return bool(np.allclose(pairs[0], pairs[1], rtol=1e-9, atol=1e-9))


@pytest.mark.parametrize("kind", KINDS, ids=names)
@settings(max_examples=20)
@given(first=batches(), second=batches())
def test_merged_equals_fed_with_both(kind: int, first: Columns, second: Columns) -> None:
    merged = fed(kind, first) + fed(kind, second)
    assert same(merged, fed(kind, first, second))
    assert same(merged, fed(kind, second, first))
    assert same(merged, fed(kind, joined(first, second)))


@pytest.mark.parametrize("kind", KINDS, ids=names)
@settings(max_examples=10)
@given(batch=batches())
def test_a_state_survives_storing(kind: int, batch: Columns) -> None:
    accumulator = fed(kind, batch)
    assert type(accumulator).from_state(accumulator.state()) == accumulator


@pytest.mark.parametrize("kind", KINDS, ids=names)
@settings(max_examples=10)
@given(batch=batches(least=1))
def test_intervals_are_ordered_and_stored_ones_the_same(kind: int, batch: Columns) -> None:
    accumulator = fed(kind, batch)
    if isinstance(accumulator, Estimator):
        interval = accumulator.interval()
        assert interval is None or interval.lower <= interval.upper
        assert type(accumulator).from_state(accumulator.state()).interval() == interval


@pytest.mark.parametrize("kind", KINDS, ids=names)
def test_merging_leaves_both_as_they_were(kind: int) -> None:
    first, second = fed(kind, FOUR), fed(kind, FOUR)
    before = first.state()
    first + second
    assert first.state() == second.state() == before


@pytest.mark.parametrize("kind", KINDS, ids=names)
def test_nothing_seen_nothing_said(kind: int) -> None:
    accumulator = every()[kind]
    accumulator.add(Columns(reward=np.empty(0), propensity=np.empty(0), target=np.empty(0)))
    assert accumulator == every()[kind]
    if isinstance(accumulator, Estimator):
        assert accumulator.value() is None
        assert accumulator.interval() is None


@pytest.mark.parametrize("kind", KINDS, ids=names)
def test_memory_is_constant(kind: int) -> None:
    grown = fed(kind, *[FOUR] * 100)
    assert len(grown.state()) < len(fed(kind, FOUR).state()) * 1.5 + 100


def test_large_batches_are_walked_in_blocks() -> None:
    rows = 20_000
    batch = Columns(
        reward=np.tile([0.0, 1.0], rows // 2), propensity=np.full(rows, 0.5), target=np.full(rows, 0.25)
    )
    ips = Ips()
    ips.add(batch)
    assert (ips.rows, ips.value()) == (rows, 0.25)


def test_different_kinds_do_not_merge() -> None:
    with pytest.raises(InvalidColumns, match="Ips and Snips"):
        Ips() + Snips()  # type: ignore[operator]


def test_different_settings_do_not_merge() -> None:
    with pytest.raises(InvalidColumns, match="Merging needs equal grid"):
        SwitchDr(grid=(1.0,)) + SwitchDr(grid=(2.0,))
    with pytest.raises(InvalidColumns, match="Merging needs equal bounds"):
        EstimatorSet.empty(bounds=UNIT) + EstimatorSet.empty(bounds=SIGNED)


@pytest.mark.parametrize("state", [b"", b"\xc1", b"\x01", Snips().state(), DrOs().state()])
def test_bytes_of_something_else_are_refused(state: bytes) -> None:
    with pytest.raises(Corrupt, match="Not a state of Ips"):
        Ips.from_state(state)


@pytest.mark.parametrize("ends", [(1.0, 1.0), (1.0, 0.0), (float("nan"), 1.0)])
def test_an_empty_range_of_rewards_is_refused(ends: tuple[float, float]) -> None:
    with pytest.raises(InvalidColumns, match="Rewards can't lie between"):
        Bounds(*ends)


@pytest.mark.parametrize("kind", [k for k in KINDS if isinstance(every()[k], BoundedSums)])
def test_rewards_outside_of_the_range_are_clipped_and_counted(kind: int) -> None:
    wild, tame = every(UNIT)[kind], every(UNIT)[kind]
    assert isinstance(wild, BoundedSums)
    assert isinstance(tame, BoundedSums)
    even = np.full(3, 0.5)
    wild.add(Columns(reward=np.array([7.0, -3.0, 0.5]), propensity=even, target=even))
    tame.add(Columns(reward=np.array([1.0, 0.0, 0.5]), propensity=even, target=even))
    assert (wild.clipped, tame.clipped) == (2, 0)
    assert wild.interval() == tame.interval()
    assert wild.value() == 0.5
