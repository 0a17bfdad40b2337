"""The score of one stretch of a log: what was done beside the baseline, chance, and each fixed action."""

from collections.abc import Collection
from math import inf

from msgspec import Struct, field

from sartor.estimators.accumulator import Mergeable
from sartor.estimators.ips import Ips
from sartor.estimators.logged_choices import LoggedChoice


# Scorecards that were written before carry this tag.
class FixedAction(Mergeable, kw_only=True, tag="Arm"):
    """The policy "always this action": sums over the decisions in which the action was on offer.

    Where it was not on offer, or before it was first seen, the policy does what was done. So every fixed action
    is compared over the same decisions, and an action that comes and goes is no special case.

    ``offered`` … ``done_product_sq``: the sums of what was done there, whatever it was. ``matched`` …: those
    of the decisions in which the action was chosen, with its weight.
    """

    LARGEST = frozenset({"largest_weight", "largest_product"})

    offered: int = 0
    done: float = 0.0
    done_sq: float = 0.0
    done_product: float = 0.0
    done_product_weight: float = 0.0
    done_product_sq: float = 0.0
    matched: int = 0
    weight: float = 0.0
    weight_sq: float = 0.0
    product: float = 0.0
    product_weight: float = 0.0
    product_sq: float = 0.0
    largest_weight: float = 0.0
    largest_product: float = 0.0

    def pass_by(self, reward: float, rows: float, /) -> None:
        """It was on offer, in a decision that stands for so many."""
        product = rows * reward
        self.offered += 1
        self.done += rows
        self.done_sq += rows * rows
        self.done_product += product
        self.done_product_weight += rows * product
        self.done_product_sq += product * product

    def take(self, reward: float, weight: float, /) -> None:
        """It was chosen."""
        product = weight * reward
        self.matched += 1
        self.weight += weight
        self.weight_sq += weight * weight
        self.product += product
        self.product_weight += weight * product
        self.product_sq += product * product
        self.largest_weight = max(self.largest_weight, weight)
        self.largest_product = max(self.largest_product, abs(product))

    def sums(self, online: Ips, /) -> Ips:
        """The sums of the policy "always this one" over all decisions, given those of what was done."""
        elsewhere = online.rows > self.offered
        return Ips(
            rows=online.rows,
            events=online.events,
            matched=self.matched + online.rows - self.offered,
            reward=online.reward,
            weight=self.weight + online.weight - self.done,
            weight_sq=self.weight_sq + online.weight_sq - self.done_sq,
            product=self.product + online.product - self.done_product,
            product_weight=self.product_weight + online.product_weight - self.done_product_weight,
            product_sq=self.product_sq + online.product_sq - self.done_product_sq,
            largest_weight=max(self.largest_weight, online.largest_weight if elsewhere else 0.0),
            smallest_weight=0.0 if self.matched < self.offered else online.smallest_weight,
            largest_product=max(self.largest_product, online.largest_product if elsewhere else 0.0),
        )


MOST = 128
"""How many actions are followed at once; a new one takes the place of the one that was on offer longest ago."""


class TrackedActions(Struct, kw_only=True):
    """The followed actions. ``seen`` counts all that ever were; a function of the order of offers alone."""

    most: int = MOST
    seen: int = 0
    ordinals: dict[str, int] = {}
    """For each followed action the how-manieth it was, from 1, in the order of its last offer: oldest first."""

    def offer(self, ids: tuple[str, ...], /) -> list[str]:
        """These are on offer; returns the actions that are followed no more."""
        dropped = []
        for name in ids:
            ordinal = self.ordinals.pop(name, None)
            if ordinal is None:
                self.seen += 1
                ordinal = self.seen
                if len(self.ordinals) >= self.most:
                    oldest = next(iter(self.ordinals))
                    del self.ordinals[oldest]
                    dropped.append(oldest)
            self.ordinals[name] = ordinal
        return dropped

    def alpha(self, name: str, /, *, alpha: float) -> float:
        """The share of ``alpha`` that is this action's.

        The shares alpha / (j (j + 1)) of all actions that will ever be followed sum to ``alpha``, however many
        they are: with anytime intervals at these levels, all of them hold at all times at once, and so does
        the interval of whichever action looks best.
        """
        ordinal = self.ordinals[name]
        return alpha / (ordinal * (ordinal + 1))


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
