"""The reward model learns, and never from the rows that it is asked about."""

import numpy as np
import pytest

from sartor.errors import InvalidColumns
from sartor.estimators.crossfit import Candidates, cross_fit, hash_features


def test_hashed_features_are_stable_and_signed() -> None:
    rows = [[("age", 2.0), ("device=mobile", 1.0)], [("age", -2.0)]]
    matrix = hash_features(rows, width=64)
    assert matrix.shape == (2, 64)
    assert matrix[:, -1].tolist() == [1.0, 1.0]
    assert np.abs(matrix[0, :-1]).sum() == 3.0
    assert np.flatnonzero(matrix[1, :-1]).tolist() == [int(np.argmax(np.abs(matrix[0, :-1])))]
    assert (matrix == hash_features(rows, width=64)).all()


def linear() -> tuple[np.ndarray[tuple[int, int], np.dtype[np.float64]], Candidates, list[float]]:
    """Forty rows with reward 0.5 x; the policy takes x = 1 with 0.25 and x = 3 with 0.75."""
    x = np.tile([1.0, 2.0, 3.0, 4.0], 10)
    features = np.column_stack([x, np.ones(40)])
    wanted = np.column_stack([np.tile([1.0, 3.0], 40), np.ones(80)])
    candidates = Candidates(features=wanted, row=np.repeat(np.arange(40), 2), target=np.tile([0.25, 0.75], 40))
    return features, candidates, (0.5 * x).tolist()


def test_a_linear_reward_is_found() -> None:
    features, candidates, reward = linear()
    q_logged, q_policy = cross_fit(features, reward, np.arange(40) % 4 // 2, candidates, penalty=1e-9)
    assert q_logged == pytest.approx(reward)
    assert q_policy == pytest.approx(np.full(40, 0.5 * (0.25 * 1 + 0.75 * 3)))


def test_a_row_does_not_know_its_own_reward() -> None:
    features, candidates, reward = linear()
    fold = np.arange(40) // 20
    before = cross_fit(features, reward, fold, candidates)
    changed = [*reward[:20], *[100.0] * 20]
    after = cross_fit(features, changed, fold, candidates)
    assert after[0][20:] == pytest.approx(before[0][20:])
    assert after[1][20:] == pytest.approx(before[1][20:])
    assert not np.allclose(after[0][:20], before[0][:20])


def test_one_fold_is_none() -> None:
    features, candidates, reward = linear()
    with pytest.raises(InvalidColumns, match="two folds"):
        cross_fit(features, reward, np.zeros(40), candidates)
