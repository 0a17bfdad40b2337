"""Ridge regression, one outcome after the other: for each action by itself, and for all of them together.

Recursive least squares: with P the inverse of λI + Σ z zᵀ, an outcome (z, y) makes

    v = P z,   c = 1 + zᵀv,   w ← w + v (y - wᵀz) / c,   P ← P - v vᵀ / c

(for example Ljung, System Identification, 2nd edition, section 11.2). The weights are those of the whole past
after every outcome. P is kept in single precision: half the size, and its rounding errors are far below what is
left to learn.
"""

import math

import numpy as np

from sartor.learn.second_order.columns import Indexes, Matrix, Vector
from sartor.learn.second_order.inverses import Inverse, InverseStack

einsum = np.einsum


def update_inverse(inverse: Inverse, z: Vector, /) -> tuple[Vector, float]:
    """Add z to the P of a regression, in place.

    Args:
        inverse: P, shape (columns, columns), symmetric.
        z: shape (columns,).

    Returns:
        v = P z with the P before, shape (columns,), and c = 1 + zᵀv, at least 1.
    """
    v = einsum("ij,j->i", inverse, z.astype(np.float32))
    c = 1.0 + max(0.0, float(einsum("i,i->", v, z)))
    u = v * np.float32(1.0 / math.sqrt(c))
    inverse -= einsum("i,j->ij", u, u)
    return v.astype(np.float64), c


class SharedRidge:
    """One ridge regression for all actions, on the products of action and context columns."""

    def __init__(self, actions: int, contexts: int, penalty: float) -> None:
        self.shape = (actions, contexts)
        self.weights: Matrix = np.zeros(self.shape)
        self.inverses = InverseStack(actions * contexts)
        self.inverses.ensure_rows(1)
        self.inverses.reset(0, penalty)

    def project(self, u: Vector, /) -> Vector:
        """Returns the weights of an action on the context columns; shape (contexts,)."""
        return np.asarray(einsum("i,ij->j", u[: self.shape[0]], self.weights))

    def learn(self, u: Vector, z: Vector, target: float, /) -> None:
        """Learn the reward of an action, ``u``, in a context, ``z``."""
        phi = einsum("i,j->ij", u[: self.shape[0]], z[: self.shape[1]]).ravel()
        error = target - float(einsum("i,i->", self.weights.ravel(), phi))
        v, c = update_inverse(self.inverses.full[0], phi)
        self.weights += (v * (error / c)).reshape(self.shape)


class RidgePerAction:
    """A ridge regression for each action, whose weights shrink towards given ones instead of towards 0.

    Attributes:
        weights: shape (actions, columns).
        inverses: the P of each action.
        clock: the last outcome of the loop that each has learned; shape (actions,).
    """

    def __init__(self, columns: int, penalty: float, *, half_life: float = math.inf) -> None:
        """No action yet.

        Args:
            columns: how many columns z has.
            penalty: λ, above 0.
            half_life: after how many outcomes of the loop one counts half.
        """
        self.penalty = penalty
        self.forgetting = 0.5 ** (1.0 / half_life)
        self.weights: Matrix = np.zeros((0, columns))
        self.inverses = InverseStack(columns)
        self.clock: Indexes = np.zeros(0, dtype=np.int64)

    def ensure_room(self, actions: int, /) -> None:
        """Make room for so many actions, at least."""
        more = actions - len(self.weights)
        if more <= 0:
            return
        more = max(more, len(self.weights))
        columns = self.weights.shape[1]
        self.weights = np.concatenate([self.weights, np.zeros((more, columns))])
        self.inverses.ensure_rows(len(self.weights))
        self.clock = np.concatenate([self.clock, np.zeros(more, dtype=np.int64)])

    def reset(self, action: int, prior: Vector, /) -> None:
        """Begin an action, at weights towards which it shrinks; shape (columns,)."""
        self.weights[action] = prior
        self.inverses.reset(action, self.penalty)
        self.clock[action] = 0

    def learn(self, action: int, z: Vector, target: float, /, *, clock: int) -> None:
        """Learn a reward of an action. ``clock``: the number of the outcome."""
        inverse = self.inverses.full[action]
        if self.forgetting < 1.0:
            self._forget(action, inverse, clock)
        error = target - float(einsum("i,i->", self.weights[action], z))
        v, c = update_inverse(inverse, z)
        self.weights[action] += v * (error / c)

    def _forget(self, action: int, inverse: Inverse, clock: int) -> None:
        """Let P grow with what was forgotten, at most until it is as large as at the beginning."""
        past = clock - int(self.clock[action]) if self.clock[action] else 0
        self.clock[action] = clock
        trace = float(einsum("ii->", inverse))
        if past > 0 and trace > 0:
            most = max(1.0, len(inverse) / self.penalty / trace)
            # In logarithms: a power of a long past would overflow.
            growth = min(-past * math.log(self.forgetting), math.log(most))
            inverse *= np.float32(math.exp(growth))

    def move_prior(self, action: int, difference: Vector, /) -> None:
        """Let an action shrink towards other weights: w ← w + λ P (new - old), exactly as if it always had.

        That is where nothing was forgotten; λ is taken whole otherwise.

        Args:
            action: which.
            difference: the new weights less the old ones, shape (columns,).
        """
        changed = np.flatnonzero(difference)
        if len(changed):
            pull = einsum(
                "ij,j->i", self.inverses.full[action][:, changed], difference[changed].astype(np.float32)
            )
            self.weights[action] += self.penalty * pull.astype(np.float64)
