"""The score of one stretch of a log: what was done beside the baseline, chance, and each fixed action."""

from collections.abc import Collection
from math import inf

from msgspec import field

from sartor.estimators.accumulator import Mergeable
from sartor.estimators.fixed_actions import FixedAction
from sartor.estimators.ips import Ips
from sartor.estimators.logged_choices import LoggedChoice


# Scorecards that were written before carry this tag.
class ReferencePolicies(Mergeable, kw_only=True, tag="Tally"):
    """Sums over choices; memory grows with the number of actions that are followed, not with choices.

    Weights (contract, section 4.3), with p the logged probability and n the number of actions: what was done
    has 1; the baseline 1/p where it was chosen, else 0; chance 1/(p n). A choice that stands for several rows
    of which the others were left out of the log counts that much more.
    """

    LARGEST = frozenset({"highest"})
    SMALLEST = frozenset({"lowest", "smallest_propensity"})

    online: Ips = field(default_factory=Ips)
    baseline: Ips = field(default_factory=Ips)
    random: Ips = field(default_factory=Ips)
    arms: dict[str, FixedAction] = field(default_factory=dict)
    lowest: float = inf
    """The lowest reward."""
    highest: float = -inf
    """The highest reward."""
    smallest_propensity: float = inf

    def add(self, choice: LoggedChoice, /, *, followed: Collection[str]) -> None:
        """Take in one choice; ``followed`` are ids of actions. About 5 µs for 10 actions."""
        reward, rows = choice.reward, choice.rows
        weight = rows / choice.propensity
        _sum(self.online, reward, rows, rows)
        _sum(self.baseline, reward, weight if choice.chosen == choice.baseline else 0.0, rows)
        _sum(self.random, reward, weight / len(choice.ids), rows)
        self.lowest, self.highest = min(self.lowest, reward), max(self.highest, reward)
        self.smallest_propensity = min(self.smallest_propensity, choice.propensity)
        self._pass_by(choice, followed)
        chosen = self.arms.get(choice.ids[choice.chosen])
        if chosen is not None:
            chosen.take(reward, weight)

    def _pass_by(self, choice: LoggedChoice, followed: Collection[str]) -> None:
        arms = self.arms
        for name in choice.ids:
            arm = arms.get(name)
            if arm is None:
                if name not in followed:
                    continue
                arm = arms[name] = FixedAction()
            arm.pass_by(choice.reward, choice.rows)

    def forget(self, name: str, /) -> None:
        """Follow an action no more."""
        self.arms.pop(name, None)


def _sum(sums: Ips, reward: float, weight: float, rows: float) -> None:
    product = weight * reward
    sums.rows += 1
    sums.events += rows
    sums.matched += weight > 0
    sums.reward += rows * reward
    sums.weight += weight
    sums.weight_sq += weight * weight
    sums.product += product
    sums.product_weight += weight * product
    sums.product_sq += product * product
    sums.largest_weight = max(sums.largest_weight, weight)
    sums.smallest_weight = min(sums.smallest_weight, weight)
    sums.largest_product = max(sums.largest_product, abs(product))
