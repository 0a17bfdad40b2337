"""The reward model of the scorecard: a mean reward for each action, fitted outcome by outcome."""

from collections.abc import Sequence

from msgspec import Struct, field

MAX_ACTIONS = 512
"""How many actions have a mean of their own; a new one replaces the one that was chosen longest ago."""

_PRIOR_ROWS = 10.0
"""Each action starts as if it had been chosen so many times, with the overall mean reward."""

_SMALLEST = 1e-6
"""Smaller propensities weigh like this one: the squares of weights stay finite."""


class WeightedMean(Struct, kw_only=True, array_like=True):
    """Sums of weights, of weighted rewards, and of squared weights."""

    weight: float = 0.0
    product: float = 0.0
    weight_sq: float = 0.0

    def add(self, reward: float, weight: float, /) -> None:
        """Adds one reward."""
        self.weight += weight
        self.product += weight * reward
        self.weight_sq += weight * weight

    def shrink_to(self, prior: float, /) -> float:
        """Returns the mean, shrunk to ``prior`` as the effective number of rewards, (Σ w)² / Σ w², says.

        There is one reward at least.
        """
        rows = self.weight * self.weight / self.weight_sq
        return (_PRIOR_ROWS * prior + rows * self.product / self.weight) / (_PRIOR_ROWS + rows)


class RewardModel(Struct, kw_only=True):
    """Predicts the reward of an action by the mean of its rewards so far, in constant memory.

    A reward counts with 1 / p², p the probability of its action. The variance of a doubly robust term
    w (r - m) with w = target / p is smallest where m minimises Σ w² (r - m)²: this is "more robust" doubly
    robust estimation (Farajtabar, Chow, Ghavamzadeh 2018, 1802.03493) for targets that don't look at the
    context, such as the baseline. With equal weights the mean would be that of the situations in which the
    policy liked the action, and often worse than no model at all.

    It must predict an outcome before it learns it. ``lowest`` and ``highest``: the range of rewards to assume,
    0 to 1 widened to what was seen.
    """

    lowest: float = 0.0
    highest: float = 1.0
    overall: WeightedMean = field(default_factory=WeightedMean)
    actions: dict[str, WeightedMean] = {}
    """In the order in which they were chosen last."""

    def widen(self, reward: float, /) -> None:
        """Widens the range of rewards to one that was seen."""
        self.lowest, self.highest = min(self.lowest, reward), max(self.highest, reward)

    def predict(self, ids: Sequence[str], /) -> list[float]:
        """Returns the expected reward of each action, from what was learned so far."""
        overall, known = self.overall, self.actions
        prior = overall.product / overall.weight if overall.weight else 0.0
        return [known[name].shrink_to(prior) if name in known else prior for name in ids]

    def learn(self, name: str, reward: float, propensity: float, /) -> None:
        """Learns the reward of an action that was chosen with a probability."""
        weight = max(propensity, _SMALLEST) ** -2
        self.overall.add(reward, weight)
        mean = self.actions.pop(name, None)
        if mean is None:
            mean = WeightedMean()
            if len(self.actions) >= MAX_ACTIONS:
                del self.actions[next(iter(self.actions))]
        mean.add(reward, weight)
        self.actions[name] = mean
