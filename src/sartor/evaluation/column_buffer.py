"""A sheet of rows to be scored: columns that grow row by row, and go to the estimators in batches."""

from math import isnan, nan

import numpy as np

from sartor.estimators.columns import Columns
from sartor.estimators.estimator_set import PolicyScore
from sartor.estimators.interval import Bounds
from sartor.estimators.logged_choices import LoggedChoice

BATCH = 4_096


class ColumnBuffer:
    """The rows of one slot, and of each policy its probabilities of what was done."""

    def __init__(self, policies: int, *, bounds: Bounds, bin_us: int) -> None:
        self.scores = [PolicyScore.empty(bounds=bounds, bin_us=bin_us) for _ in range(policies)]
        self._common: list[tuple[float, float, float, float, float, int]] = []
        self._theirs: list[list[tuple[float, float, float]]] = [[] for _ in range(policies)]

    def add_row(self, choice: LoggedChoice, q_logged: float, /, *, at_us: int) -> None:
        """A new row; every policy must say something about it next, in order."""
        self._common.append(
            (choice.reward, choice.propensity, q_logged, choice.dropped, float(len(choice.ids)), at_us)
        )

    def add_weights(self, policy: int, /, *, target: float, uncovered: float, q_policy: float) -> None:
        """What a policy would have done in the row that was begun."""
        self._theirs[policy].append((target, uncovered, q_policy))

    def skip_row(self, policy: int, /) -> None:
        """A policy can't say what it would have done."""
        self._theirs[policy].append((nan, 0.0, 0.0))

    @property
    def full(self) -> bool:
        """Whether it is time to flush."""
        return len(self._common) >= BATCH

    def flush(self) -> None:
        """Give the rows to the estimators."""
        if not self._common:
            return
        common = np.array(self._common, dtype=float)
        at_us = np.array([row[5] for row in self._common], dtype=np.int64)
        for score, theirs in zip(self.scores, self._theirs, strict=True):
            kept = None if not any(isnan(row[0]) for row in theirs) else ~np.isnan([row[0] for row in theirs])
            _add(score, common, np.array(theirs, dtype=float), at_us, kept)
            theirs.clear()
        self._common.clear()


def _add(
    score: PolicyScore,
    common: "np.ndarray[tuple[int, int], np.dtype[np.float64]]",
    theirs: "np.ndarray[tuple[int, int], np.dtype[np.float64]]",
    at_us: "np.ndarray[tuple[int], np.dtype[np.int64]]",
    kept: "np.ndarray[tuple[int], np.dtype[np.bool_]] | None",
) -> None:
    if kept is not None:
        if not kept.any():
            return
        common, theirs, at_us = common[kept], theirs[kept], at_us[kept]
    score.add(
        Columns(
            reward=common[:, 0],
            propensity=common[:, 1],
            target=np.clip(theirs[:, 0], 0.0, 1.0),
            q_logged=common[:, 2],
            q_policy=theirs[:, 2],
            drop_probability=common[:, 3] if common[:, 3].any() else None,
            actions=common[:, 4],
            uncovered=np.clip(theirs[:, 1], 0.0, 1.0),
            at_us=at_us,
        )
    )
