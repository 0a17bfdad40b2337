"""A batch of settled decisions as columns: the input of every estimator."""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import ArrayLike, NDArray

from sartor.errors import InvalidColumns
from sartor.numbers import LARGEST_REWARD

Floats = NDArray[np.float64]
Number = TypeVar("Number", np.float64, np.int64)
Check = Callable[[Floats], NDArray[np.bool_]]


class Columns(Struct, frozen=True, kw_only=True, eq=False):
    """One row per settled decision; all columns are one-dimensional and equally long.

    ``reward``: as settled, finite. ``propensity``: the logged probability of the chosen action, in (0, 1].
    ``target``: the probability that the evaluated policy gives to the chosen action, in [0, 1].

    The other columns are optional:

    * ``q_logged``, ``q_policy``: the reward that a model predicts for the chosen action, and on average for
      the evaluated policy, Σ_a target(a) q(a). The model must not have learned from the same row.
    * ``drop_probability``: the probability, in [0, 1), with which a row like this one was left out of the log;
      the row then stands for 1 / (1 - drop_probability) rows.
    * ``dropped``: how many rows were left out just before this one, where that was counted. Without it their
      expected number is used, drop_probability / (1 - drop_probability).
    * ``actions``: how many actions there were to choose from.
    * ``uncovered``: how much probability the evaluated policy gives to actions that the log could not
      choose (logged probability 0), in [0, 1].
    * ``at_us``: when the decision was made.

    Raises:
        InvalidColumns: a length, a range, or a value that is not finite.
    """

    reward: Floats
    propensity: Floats
    target: Floats
    q_logged: Floats | None = None
    q_policy: Floats | None = None
    drop_probability: Floats | None = None
    dropped: Floats | None = None
    actions: Floats | None = None
    uncovered: Floats | None = None
    at_us: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        rows = np.shape(self.reward)
        for name in self.__struct_fields__:
            given: ArrayLike | None = getattr(self, name)
            if given is not None:
                msgspec.structs.force_setattr(self, name, _check_column(name, given, rows))
        if (self.q_logged is None) != (self.q_policy is None):
            raise InvalidColumns("q_logged and q_policy are given together or not at all.")

    @property
    def rows(self) -> int:
        """The number of rows in the batch."""
        return len(self.reward)

    @property
    def ratio(self) -> Floats:
        """The importance weight of each row, target / propensity, before any correction for dropped rows."""
        return self.target / self.propensity

    @property
    def inflation(self) -> Floats | None:
        """How many rows each row stands for, 1 / (1 - drop_probability); None where nothing was dropped."""
        return None if self.drop_probability is None else 1.0 / (1.0 - self.drop_probability)

    @property
    def weight(self) -> Floats:
        """The importance weight of each row, corrected for the rows that were left out."""
        return self.inflate(self.ratio)

    @property
    def events(self) -> float:
        """The number of decisions that the batch stands for, those that were left out included."""
        if self.dropped is not None:
            return float(self.rows + self.dropped.sum())
        inflation = self.inflation
        return float(self.rows) if inflation is None else float(inflation.sum())

    def blocks(self, rows: int = 8192) -> "Iterator[Columns]":
        """Yields the batch in pieces that fit into a processor's cache; nothing for an empty batch."""
        if 0 < self.rows <= rows:
            yield self
            return
        for start in range(0, self.rows, rows):
            yield Columns(
                **{
                    name: self._slice_column(name, slice(start, start + rows))
                    for name in self.__struct_fields__
                }
            )

    def _slice_column(self, name: str, rows: slice) -> Any:
        column = getattr(self, name)
        return None if column is None else column[rows]

    def inflate(self, values: Floats, /) -> Floats:
        """Returns the values times the number of rows that each row stands for."""
        inflation = self.inflation
        return values if inflation is None else values * inflation

    def predictions(self) -> tuple[Floats, Floats]:
        """Returns ``q_logged`` and ``q_policy``.

        Raises:
            InvalidColumns: the batch has none.
        """
        if self.q_logged is None or self.q_policy is None:
            raise InvalidColumns("This estimator needs the columns q_logged and q_policy.")
        return self.q_logged, self.q_policy


_RANGES: dict[str, tuple[str, Check]] = {
    # Squares of weights and of weighted rewards must not overflow.
    "reward": (f"within ±{LARGEST_REWARD:g}".replace("+", ""), lambda x: np.abs(x) <= LARGEST_REWARD),
    "propensity": ("in (0, 1], 1e-100 at least", lambda x: (x >= 1e-100) & (x <= 1)),
    "target": ("in [0, 1]", lambda x: (x >= 0) & (x <= 1)),
    "drop_probability": ("in [0, 1)", lambda x: (x >= 0) & (x < 1)),
    "dropped": ("0 or more", lambda x: x >= 0),
    "actions": ("1 or more", lambda x: x >= 1),
    "uncovered": ("in [0, 1]", lambda x: (x >= 0) & (x <= 1)),
}


def _check_column(name: str, given: ArrayLike, rows: tuple[int, ...]) -> Floats | NDArray[np.int64]:
    if name == "at_us":
        return _check_shape(name, np.asarray(given, dtype=np.int64), rows)
    column = _check_shape(name, np.asarray(given, dtype=np.float64), rows)
    _require(name, "finite", np.isfinite(column))
    if name in _RANGES:
        description, check = _RANGES[name]
        _require(name, description, check(column))
    return column


def _check_shape(name: str, column: NDArray[Number], rows: tuple[int, ...]) -> NDArray[Number]:
    if column.ndim != 1:
        raise InvalidColumns(f"{name} has {column.ndim} dimensions; a column has one.")
    if column.shape != rows:
        raise InvalidColumns(f"{name} has {len(column)} rows, reward has {rows[0]}.")
    return column


def _require(name: str, description: str, valid: NDArray[np.bool_]) -> None:
    invalid = len(valid) - int(np.count_nonzero(valid))
    if invalid:
        first = int(np.argmin(valid))
        raise InvalidColumns(f"{name} must be {description}; {invalid} rows are not, the first is row {first}.")
