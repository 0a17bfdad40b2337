"""A plain reward model for DR: ridge regression over hashed features, never asked about rows it learned from.

It is small on purpose: any model will do that fills ``q_logged`` and ``q_policy`` without having
learned from the row; an engine that predicts before it learns does so by itself.
"""

from collections.abc import Iterable, Sequence
from zlib import crc32

import numpy as np
from msgspec import Struct
from numpy.typing import ArrayLike, NDArray

from sartor.errors import InvalidColumns
from sartor.estimators.columns import Floats

Features = Iterable[tuple[str, float]]


class Candidates(Struct, frozen=True, kw_only=True, eq=False):
    """Every action that the evaluated policy gives a positive probability, of all rows, one after another.

    ``features``: shape (candidates, width), of context and action together. ``row``: which row each
    belongs to. ``target``: the policy's probability of it.
    """

    features: Floats
    row: NDArray[np.int64]
    target: Floats


def hash_features(rows: Sequence[Features], /, *, width: int = 256) -> Floats:
    """Named features as a matrix of shape (rows, width), its last column a constant 1.

    A name goes to column crc32(name) mod (width - 1), with a sign from the same hash so that collisions cancel
    on average (Weinberger et al. 2009, 0902.2206). Cost: O(features).
    """
    matrix = np.zeros((len(rows), width))
    matrix[:, -1] = 1.0
    for index, features in enumerate(rows):
        for name, value in features:
            key = crc32(name.encode())
            matrix[index, (key >> 1) % (width - 1)] += value if key & 1 else -value
    return matrix


def cross_fit(
    features: Floats,
    reward: ArrayLike,
    fold: ArrayLike,
    candidates: Candidates,
    /,
    *,
    penalty: float = 1.0,
) -> tuple[Floats, Floats]:
    """``q_logged`` and ``q_policy`` from models that were fitted on the other folds.

    For each fold f: θ_f = (XᵀX + penalty · I)⁻¹ Xᵀr over all rows outside of f. Folds must keep apart what
    depends on one another, such as the decisions of one user or one day.
    Paper: Chernozhukov et al. 2018 (1608.00060), definition 3.2.
    Cost: O(rows × width² + folds × width³), no copies of the rows beyond one fold.

    Args:
        features: of context and chosen action, shape (rows, width).
        reward: shape (rows,).
        fold: an id for each row; two different ones at least.
        candidates: what the policy may choose.
        penalty: the ridge; more for noisier rewards.

    Raises:
        InvalidColumns: fewer than two folds.
    """
    rewards, folds = np.asarray(reward, dtype=float), np.asarray(fold)
    names = np.unique(folds)
    if len(names) < 2:
        raise InvalidColumns("Cross-fitting needs two folds or more.")
    pieces = {name: _moments(features, rewards, folds == name) for name in names.tolist()}
    gram = np.sum([piece[0] for piece in pieces.values()], axis=0)
    target = np.sum([piece[1] for piece in pieces.values()], axis=0)
    ridge = penalty * np.eye(features.shape[1])
    q_logged, q_all = np.empty(len(rewards)), np.empty(len(candidates.row))
    for name, (own_gram, own_target) in pieces.items():
        model = np.linalg.solve(gram - own_gram + ridge, target - own_target)
        mine, asked = folds == name, folds[candidates.row] == name
        q_logged[mine] = features[mine] @ model
        q_all[asked] = candidates.features[asked] @ model
    q_policy = np.zeros(len(rewards))
    np.add.at(q_policy, candidates.row, candidates.target * q_all)
    return q_logged, q_policy


def _moments(features: Floats, rewards: Floats, mine: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    rows = features[mine]
    return rows.T @ rows, rows.T @ rewards[mine]
