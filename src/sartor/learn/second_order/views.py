"""What a regressor sees of a vector: some of its columns, and products of two of them."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sartor.learn.second_order.columns import Vector

Indexes: TypeAlias = NDArray[np.int64]


class Crossings:
    """Pairs of columns whose products are further columns; ``first`` and ``second`` have shape (pairs,)."""

    def __init__(self, first: Sequence[int] = (), second: Sequence[int] = ()) -> None:
        self.first: Indexes = np.array(first, dtype=np.int64)
        self.second: Indexes = np.array(second, dtype=np.int64)

    def __len__(self) -> int:
        return len(self.first)

    def extend(self, z: Vector, /) -> Vector:
        """Returns a vector with the products after it; shape (columns + pairs,)."""
        if not len(self.first):
            return z
        return np.concatenate([z, z[self.first] * z[self.second]])


class ColumnView:
    """The columns of an extended vector that one regressor sees.

    Attributes:
        columns: their indexes, ascending, the intercept first; shape (seen,).
        is_prefix: whether they are the first ones, all of them.
    """

    def __init__(self, columns: Indexes) -> None:
        self.columns = columns
        self.is_prefix = len(columns) == 0 or int(columns[-1]) == len(columns) - 1

    def __len__(self) -> int:
        return len(self.columns)

    def take(self, z: Vector, /) -> Vector:
        """Returns what it sees of an extended vector."""
        return z[: len(self.columns)] if self.is_prefix else z[self.columns]

    def narrow(self, weights: Vector, /) -> Vector:
        """Returns weights of the first columns as weights of those it sees; shape (seen,)."""
        wide = np.zeros(max(len(weights), int(self.columns[-1]) + 1))
        wide[: len(weights)] = weights
        return wide[self.columns]


def choose_crossings(importance: Vector, vectors: Sequence[Vector], /, *, count: int) -> Crossings:
    """Returns the pairs among the most telling columns whose products are not the same everywhere.

    Args:
        importance: of each column; shape (columns,).
        vectors: contexts.
        count: how many columns are crossed with one another.
    """
    order = np.argsort(-importance, kind="stable")
    top = sorted(int(column) for column in order[:count] if importance[column] > 0)
    seen = np.array(vectors)
    pairs = [(i, j) for place, i in enumerate(top) for j in top[place + 1 :]]
    kept = [(i, j) for i, j in pairs if float((seen[:, i] * seen[:, j]).var()) > 1e-9]
    return Crossings([i for i, _ in kept], [j for _, j in kept])
