"""Small batches of columns for the tests of this folder."""

import numpy as np
from hypothesis import strategies as st

from sartor.estimators.accumulator import Accumulator
from sartor.estimators.anytime import Anytime
from sartor.estimators.columns import Columns
from sartor.estimators.cressie_read import CressieRead
from sartor.estimators.diagnostics import Diagnostics
from sartor.estimators.doubly_robust import Dm, Dr, DrOs, SwitchDr
from sartor.estimators.estimator_set import EstimatorSet
from sartor.estimators.finite_sample import ClopperPearson, EmpiricalBernstein
from sartor.estimators.interval import Bounds
from sartor.estimators.ips import Ips, Snips

UNIT = Bounds(0.0, 1.0)
SIGNED = Bounds(-1.0, 1.0)

FOUR = Columns(
    reward=np.array([1.0, 0.0, 1.0, 0.5]),
    propensity=np.array([0.5, 0.25, 0.25, 1.0]),
    target=np.array([0.5, 0.5, 0.0, 1.0]),
    q_logged=np.array([0.5, 0.5, 0.25, 0.5]),
    q_policy=np.array([0.5, 0.25, 0.75, 0.5]),
)
"""Weights 1, 2, 0, 1; weighted rewards 1, 0, 0, 0.5."""


def every(bounds: Bounds = SIGNED) -> list[Accumulator]:
    """One empty accumulator of each kind."""
    return [
        Ips(),
        Snips(),
        Dm(),
        Dr(),
        SwitchDr(),
        DrOs(),
        CressieRead(bounds=bounds),
        CressieRead(bounds=bounds, max_weight=50.0),
        ClopperPearson(bounds=bounds),
        EmpiricalBernstein(bounds=bounds, weight_cap=10.0),
        Anytime(bounds=bounds),
        Diagnostics(),
        EstimatorSet.empty(bounds=bounds),
    ]


@st.composite
def batches(draw: st.DrawFn, *, least: int = 0, most: int = 12) -> Columns:
    """Batches of any content; numbers are multiples of 1/8, so that sums of them are exact."""
    rows = draw(st.integers(least, most))

    def column(low: int, high: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        eighths = draw(st.lists(st.integers(low, high), min_size=rows, max_size=rows))
        return np.array(eighths, dtype=np.float64) / 8

    return Columns(
        reward=column(-16, 16),
        propensity=1 / 2.0 ** np.floor(column(0, 31)),
        target=column(0, 8),
        q_logged=column(-8, 8),
        q_policy=column(-8, 8),
        drop_probability=np.floor(column(0, 15)) / 2,
        actions=1 + np.floor(column(0, 40)),
        uncovered=column(0, 8),
    )


def joined(first: Columns, second: Columns) -> Columns:
    """The rows of both."""
    names = [name for name in first.__struct_fields__ if getattr(first, name) is not None]
    return Columns(**{name: np.concatenate([getattr(first, name), getattr(second, name)]) for name in names})


def sliced(columns: Columns, rows: "slice | np.ndarray[tuple[int], np.dtype[np.bool_]]") -> Columns:
    """Some of the rows."""
    names = [name for name in columns.__struct_fields__ if getattr(columns, name) is not None]
    return Columns(**{name: getattr(columns, name)[rows] for name in names})
