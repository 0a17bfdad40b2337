"""DM and DR: what a reward model says, alone and corrected by the log."""

from collections.abc import Sequence

from sartor.estimators.accumulator import Estimator
from sartor.estimators.columns import Columns, Floats
from sartor.estimators.interval import Interval, gaussian_interval, standard_error


class MeanSums(Estimator, kw_only=True):
    """The mean of one number per decision, with a Gaussian interval at a sample size fixed beforehand."""

    rows: int = 0
    events: float = 0.0
    total: float = 0.0
    squares: float = 0.0

    def value(self) -> float | None:
        """Total / events."""
        return self.total / self.events if self.events else None

    def standard_error(self) -> float | None:
        """The estimated standard deviation of the value."""
        return standard_error(self.total, self.squares, self.events)

    def interval(self, alpha: float = 0.05) -> Interval | None:
        """Gaussian; at one sample size fixed beforehand."""
        return gaussian_interval(self.value(), self.standard_error(), alpha=alpha)

    def _sum(self, columns: Columns, terms: Floats) -> None:
        self.rows += columns.rows
        self.events += columns.events
        self.total += float(terms.sum())
        self.squares += float(terms @ terms)


class Dm(MeanSums, kw_only=True):
    """Direct method: V = (1/N) Σ_i Σ_a target(a) q(x_i, a), the model's prediction for the policy.

    Assumes: the model q is right. It uses neither rewards nor propensities of the rows; where q is wrong it
    is biased by an amount that no number of rows and no interval shows: the interval has the spread of
    the predictions over contexts only. For comparison, never for a decision.
    Paper: Dudík, Langford, Li 2011 (1103.4601), section 2. Cost: O(rows), O(1) memory.
    """

    def _take(self, columns: Columns, /) -> None:
        _, q_policy = columns.predictions()
        self._sum(columns, columns.inflated(q_policy))


class Dr(MeanSums, kw_only=True):
    """Doubly robust: V = (1/N) Σ_i [ Σ_a target(a) q(x_i, a) + w_i (r_i - q(x_i, a_i)) ].

    Assumes: what IPS assumes, and that q for a row was made without its reward: by a model that predicts first
    and learns afterwards, or one fitted on other folds. Then unbiased whatever q is, also when the logging
    policy learns while it logs; the better q, the smaller the variance.
    Paper: Dudík, Langford, Li 2011 (1103.4601), section 2; cross-fitting: Chernozhukov et al. 2018
    (1608.00060), definition 3.2. Cost: O(rows), O(1) memory.
    """

    def _take(self, columns: Columns, /) -> None:
        q_logged, q_policy = columns.predictions()
        self._sum(columns, columns.inflated(q_policy + columns.ratio * (columns.reward - q_logged)))


_PRIOR = 10.0
"""How many decisions of the overall mean each action begins with."""
_MOST = 100_000


class ActionMeans:
    """Mean rewards by the id of the action; ids beyond ``most`` share the overall mean."""

    def __init__(self, *, most: int = _MOST) -> None:
        self._most = most
        self._sums: dict[str, tuple[float, int]] = {}
        self._total, self._count = 0.0, 0

    def predictions(self, ids: Sequence[str], /) -> list[float]:
        """The reward that is expected of each action, from what was learned until now."""
        start = _PRIOR * (self._total / self._count if self._count else 0.0)
        sums = self._sums
        found = []
        for name in ids:
            total, count = sums.get(name, (0.0, 0))
            found.append((start + total) / (_PRIOR + count))
        return found

    def learn(self, name: str, reward: float, /) -> None:
        """This action was chosen and paid."""
        self._total += reward
        self._count += 1
        total, count = self._sums.get(name, (0.0, 0))
        if count or len(self._sums) < self._most:
            self._sums[name] = (total + reward, count + 1)
