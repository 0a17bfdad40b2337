"""A buffer of scored rows: columns that grow row by row, and go to the estimators in batches."""

from math import isnan, nan

import numpy as np
from numpy.typing import NDArray

from sartor.estimators.columns import Columns, Floats
from sartor.estimators.estimator_set import PolicyScore
from sartor.estimators.interval import Bounds
from sartor.estimators.logged_choices import LoggedChoice

BATCH = 4_096


class ColumnBuffer:
    """The rows of one slot, or of all slots: what was logged, and each policy's probabilities for it."""

    def __init__(self, policies: int, *, bounds: Bounds, bin_us: int) -> None:
        self.scores = [PolicyScore.empty(bounds=bounds, bin_us=bin_us) for _ in range(policies)]
        self._logged: list[tuple[float, float, float, float, float, int]] = []
        self._by_policy: list[list[tuple[float, float, float]]] = [[] for _ in range(policies)]

    def add_row(self, choice: LoggedChoice, q_logged: float, /, *, at_us: int) -> None:
        """Begins a row; each policy adds its part next, in order: ``add_weights`` or ``skip_row``."""
        self._logged.append(
            (choice.reward, choice.propensity, q_logged, choice.dropped, float(len(choice.ids)), at_us)
        )

    def add_weights(self, policy: int, /, *, target: float, uncovered: float, q_policy: float) -> None:
        """Adds a policy's probabilities and prediction to the row; see ``Columns`` for the arguments."""
        self._by_policy[policy].append((target, uncovered, q_policy))

    def skip_row(self, policy: int, /) -> None:
        """Leaves the row out for a policy that could not rank its actions."""
        self._by_policy[policy].append((nan, 0.0, 0.0))

    @property
    def full(self) -> bool:
        """Whether it is time to flush."""
        return len(self._logged) >= BATCH

    def flush(self) -> None:
        """Adds the rows to the scores and empties the buffer."""
        if not self._logged:
            return
        logged = np.array(self._logged, dtype=float)
        at_us = np.array([row[5] for row in self._logged], dtype=np.int64)
        for score, rows in zip(self.scores, self._by_policy, strict=True):
            kept = None if not any(isnan(row[0]) for row in rows) else ~np.isnan([row[0] for row in rows])
            _add_rows(score, logged, np.array(rows, dtype=float), at_us, kept)
            rows.clear()
        self._logged.clear()


def _add_rows(
    score: PolicyScore,
    logged: Floats,
    by_policy: Floats,
    at_us: NDArray[np.int64],
    kept: NDArray[np.bool_] | None,
) -> None:
    if kept is not None:
        if not kept.any():
            return
        logged, by_policy, at_us = logged[kept], by_policy[kept], at_us[kept]
    score.add(
        Columns(
            reward=logged[:, 0],
            propensity=logged[:, 1],
            target=np.clip(by_policy[:, 0], 0.0, 1.0),
            q_logged=logged[:, 2],
            q_policy=by_policy[:, 2],
            drop_probability=logged[:, 3] if logged[:, 3].any() else None,
            actions=logged[:, 4],
            uncovered=np.clip(by_policy[:, 1], 0.0, 1.0),
            at_us=at_us,
        )
    )
