"""What a regressor sees of a vector: some of its columns, and products of two of them."""

from collections.abc import Sequence

import numpy as np

from sartor.learn.second_order.columns import Indexes, Matrix, Vector

_PENALTY = 10.0
"""The λ with which a product is tried."""


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
        return np.concatenate((z, z.take(self.first) * z.take(self.second)))


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


def choose_crossings(
    importance: Vector, vectors: Matrix, errors: Vector, groups: Indexes, /, *, count: int, columns: int = 28
) -> Crossings:
    """Returns the products of two columns that would explain most of what is not explained yet.

    Each product is scored by how much a ridge regression on it alone, for each action by itself, would lower
    the squared errors: Σ_a (Σ e x)² / (λ + Σ x²) over the outcomes of each action.

    Args:
        importance: of each column; shape (columns,). The most important ones are tried with one another.
        vectors: contexts; shape (outcomes, columns).
        errors: what the regressions left, e; shape (outcomes,).
        groups: the row of the action that was shown; shape (outcomes,).
        count: how many products are chosen at most.
        columns: how many columns are tried.
    """
    order = np.argsort(-importance, kind="stable")[:columns]
    top = np.sort(order[importance[order] > 0])
    first, second = (top[places] for places in np.triu_indices(len(top), k=1))
    products = vectors[:, first] * vectors[:, second]
    varies = products.var(axis=0) > 1e-9
    first, second, products = first[varies], second[varies], products[:, varies]
    products = products - products.mean(axis=0)
    gains = np.zeros(len(first))
    for group in np.unique(groups):
        x, e = products[groups == group], errors[groups == group]
        gains += np.einsum("i,ij->j", e, x) ** 2 / (_PENALTY + np.einsum("ij,ij->j", x, x))
    best = np.sort(np.argsort(-gains, kind="stable")[:count])
    return Crossings(first[best].tolist(), second[best].tolist())
