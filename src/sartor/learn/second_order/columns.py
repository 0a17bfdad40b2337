"""Numbers and tokens as a vector: the plan of the columns, and how a context is written into them.

A plan is made from the first outcomes (``plan_columns.py``) and stays; features that appear later get one of
its spare columns. Columns that belong together are beside one another: the *linear* ones first (the intercept,
numbers, presence, tokens), then the *fine* ones (steps of numbers, values of whole numbers).
"""

import math
from bisect import bisect_right
from collections.abc import Sequence
from typing import TypeAlias
from zlib import crc32

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from sartor.learn.second_order.reading import RawFeatures

Vector: TypeAlias = NDArray[np.float64]
Matrix: TypeAlias = NDArray[np.float64]
Indexes: TypeAlias = NDArray[np.int64]

LIMIT = 3.0
"""Standardised numbers are kept within ± this many standard deviations."""

_LATE_VALUES, _LATE_COUNT, _LATE_NAMES = 32, 16, 64


class NumberColumns(Struct, kw_only=True, array_like=True):
    """The columns of one number x.

    It is standardised to t in three steps: (x - ``center``) · ``rate``; if it is ``heavy``, the logarithm of 1
    plus the magnitude, with the sign; then (t - ``mean``) · ``spread``, kept within ±3.

    Attributes:
        column: of t; -1: it is constant, and only its presence means something.
        presence: 1 where the number was sent; -1: there is no such column.
        cycle: the first of two, sine and cosine; -1: it does not come round again. ``origin``: where x begins,
            ``period``: when it is there again.
        knots: ascending values of t, each with a column from ``steps`` on: between two of them the number
            belongs to both in part (linear B-splines).
        values: x as a category: the column of each value.
    """

    center: float = 0.0
    rate: float = 1.0
    heavy: bool = False
    mean: float = 0.0
    spread: float = 1.0
    column: int = -1
    presence: int = -1
    cycle: int = -1
    origin: float = 0.0
    period: float = 1.0
    knots: tuple[float, ...] = ()
    steps: int = -1
    values: dict[float, int] = {}

    def standardise(self, value: float, /) -> float:
        """Returns t, within ±3."""
        t = (value - self.center) * self.rate
        if self.heavy:
            t = math.copysign(math.log1p(abs(t)), t)
        return max(-LIMIT, min((t - self.mean) * self.spread, LIMIT))


class ColumnPlan(Struct, kw_only=True):
    """Which column means what. ``linear``: how many come first and are linear; ``size``: of all.

    ``hashed``: the first of ``buckets`` columns that share all tokens without one of their own; -1: none.
    """

    numbers: dict[str, NumberColumns] = {}
    tokens: dict[str, int] = {}
    hashed: int = -1
    buckets: int = 8
    linear: int = 1
    size: int = 1
    spare: list[int] = []
    late_numbers: dict[str, list[float]] = {}
    late_tokens: dict[str, int] = {}

    def encode(self, features: RawFeatures, /) -> Vector:
        """Returns the vector of a context; shape (size,). The first column is always 1."""
        z = [0.0] * self.size
        z[0] = 1.0
        numbers = self.numbers
        for name, value in features.numbers.items():
            one = numbers.get(name)
            if one is not None:
                write_number(one, value, z)
        tokens = self.tokens
        for token in features.tokens:
            column = tokens.get(token, -1)
            if column >= 0:
                z[column] = 1.0
            elif self.hashed >= 0:
                digest = crc32(token.encode())
                z[self.hashed + digest % self.buckets] += 1.0 if digest & 0x80000000 else -1.0
        return np.array(z)

    def notice(self, features: RawFeatures, /) -> None:
        """Give a spare column to what appeared after the plan was made, once it was seen often enough."""
        if not self.spare:
            return
        for token in features.tokens:
            if token not in self.tokens and (token in self.late_tokens or len(self.late_tokens) < _LATE_NAMES):
                self._notice_token(token)
        for name, value in features.numbers.items():
            if name not in self.numbers and (name in self.late_numbers or len(self.late_numbers) < _LATE_NAMES):
                self._notice_number(name, value)

    def _notice_token(self, token: str) -> None:
        count = self.late_tokens.get(token, 0) + 1
        if count < _LATE_COUNT:
            self.late_tokens[token] = count
            return
        self.late_tokens.pop(token, None)
        if self.spare:
            self.tokens[token] = self.spare.pop(0)

    def _notice_number(self, name: str, value: float) -> None:
        seen = self.late_numbers.setdefault(name, [])
        seen.append(value)
        if len(seen) < _LATE_VALUES or not self.spare:
            return
        del self.late_numbers[name]
        scale = fit_scale(np.array(seen))
        if scale is not None:
            scale.column = self.spare.pop(0)
            self.numbers[name] = scale


def fit_scale(values: Vector, /) -> NumberColumns | None:
    """Returns how a number is standardised; None: its values are all the same.

    The scale is that of the middle half of the values, or the standard deviation where that is nothing; numbers
    with heavy tails (kurtosis above 12) are compressed first. Nothing of it depends on the unit of the number,
    nor on where its zero is.

    Args:
        values: shape (observations,), at least one.
    """
    deviation = float(values.std())
    # Values that differ in the last digits only are the same.
    if not deviation > 1e-12 * float(np.abs(values).max()):
        return None
    low, center, high = (float(q) for q in np.percentile(values, [25, 50, 75]))
    width = (high - low) / 1.349
    # However small it is beside the deviation: one value that is far out may be all of the deviation.
    rate = 1.0 / (width if width > 1e-9 * deviation else deviation)
    t = (values - center) * rate
    heavy = _kurtosis(t) > 12
    if heavy:
        t = np.array([math.copysign(math.log1p(abs(one)), one) for one in t.tolist()])
    return NumberColumns(
        center=center, rate=rate, heavy=heavy, mean=float(t.mean()), spread=1.0 / max(float(t.std()), 1e-12)
    )


def _kurtosis(t: Vector) -> float:
    centred = t - t.mean()
    return float((centred**4).mean()) / max(float((centred**2).mean()), 1e-300) ** 2


def write_number(one: NumberColumns, value: float, z: list[float] | dict[int, float]) -> None:
    """Write a number into its columns.

    Args:
        one: the columns of the number.
        value: the number.
        z: gets the value of each column that is not 0, by its index.
    """
    if one.presence >= 0:
        z[one.presence] = 1.0
    if one.column < 0:
        return
    t = one.standardise(value)
    z[one.column] = t
    if one.knots:
        _write_steps(one.knots, one.steps, t, z)
    elif one.values:
        column = one.values.get(value, -1)
        if column >= 0:
            z[column] = 1.0
    if one.cycle >= 0:
        angle = 2.0 * math.pi * (value - one.origin) / one.period
        z[one.cycle], z[one.cycle + 1] = math.sin(angle), math.cos(angle)


def _write_steps(knots: Sequence[float], first: int, t: float, z: list[float] | dict[int, float]) -> None:
    after = bisect_right(knots, t)
    if after == 0:
        z[first] = 1.0
    elif after == len(knots):
        z[first + after - 1] = 1.0
    else:
        low, high = knots[after - 1], knots[after]
        share = (t - low) / (high - low)
        z[first + after - 1], z[first + after] = 1.0 - share, share
