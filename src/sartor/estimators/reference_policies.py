"""Sums for the policies that need no engine: online (what was done), baseline, random, each fixed action."""

from collections.abc import Collection
from math import inf

from msgspec import UNSET, Struct, UnsetType, field

from sartor.estimators.accumulator import Mergeable
from sartor.estimators.doubly_robust_sums import DoublyRobustSums
from sartor.estimators.ips import Ips
from sartor.estimators.logged_choices import LoggedChoice
from sartor.estimators.reward_model import RewardModel


# Scorecards that were written before carry this tag.
class FixedAction(Mergeable, kw_only=True, tag="Arm"):
    """The policy "always this action": sums over the decisions in which the action was on offer.

    Where it was not on offer, or before it was first seen, the policy does what was done. So every fixed action
    is compared over the same decisions, and an action that comes and goes is no special case.

    ``offered`` … ``done_product_sq``: the sums of the logging policy there, whichever action it chose.
    ``matched`` …: those of the decisions in which this action was chosen, with its weight.
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

    def add_offer(self, reward: float, rows: float, /) -> None:
        """Adds a decision in which the action was on offer; it stands for ``rows`` decisions."""
        product = rows * reward
        self.offered += 1
        self.done += rows
        self.done_sq += rows * rows
        self.done_product += product
        self.done_product_weight += rows * product
        self.done_product_sq += product * product

    def add_match(self, reward: float, weight: float, /) -> None:
        """Adds a decision in which the action was chosen, with weight 1 / propensity."""
        product = weight * reward
        self.matched += 1
        self.weight += weight
        self.weight_sq += weight * weight
        self.product += product
        self.product_weight += weight * product
        self.product_sq += product * product
        self.largest_weight = max(self.largest_weight, weight)
        self.largest_product = max(self.largest_product, abs(product))

    def to_ips(self, online: Ips, /) -> Ips:
        """Returns the sums of "always this action" over all decisions, given the online sums."""
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


MAX_TRACKED = 128
"""How many actions are tracked at once; a new one replaces the one that was on offer longest ago."""


class TrackedActions(Struct, kw_only=True):
    """The tracked actions, a function of the order of offers alone. ``seen`` counts all there ever were."""

    # Scorecards that were written before have this field name.
    capacity: int = field(default=MAX_TRACKED, name="most")
    seen: int = 0
    ordinals: dict[str, int] = {}
    """For each tracked action its ordinal among all ever seen, from 1; in the order of their last offers."""

    def track(self, ids: tuple[str, ...], /) -> list[str]:
        """Tracks the actions on offer; returns those that are no longer tracked."""
        dropped = []
        for name in ids:
            ordinal = self.ordinals.pop(name, None)
            if ordinal is None:
                self.seen += 1
                ordinal = self.seen
                if len(self.ordinals) >= self.capacity:
                    oldest = next(iter(self.ordinals))
                    del self.ordinals[oldest]
                    dropped.append(oldest)
            self.ordinals[name] = ordinal
        return dropped

    def alpha(self, name: str, /, *, alpha: float) -> float:
        """Returns this action's share of ``alpha``.

        The shares alpha / (j (j + 1)) of all actions that will ever be tracked sum to ``alpha``, however many
        they are: with anytime intervals at these levels, all of them hold at all times at once, and so does
        the interval of whichever action looks best.
        """
        ordinal = self.ordinals[name]
        return alpha / (ordinal * (ordinal + 1))


# Scorecards that were written before carry this tag.
class ReferencePolicies(Mergeable, kw_only=True, tag="Tally"):
    """Sums over choices; memory grows with the number of tracked actions, not with choices.

    Weights (contract, section 4.3), with p the logged probability and n the number of actions: online
    has 1; the baseline 1/p where it was chosen, else 0; random 1/(p n). A choice that stands for several rows
    of which the others were left out of the log counts that much more.
    """

    LARGEST = frozenset({"highest"})
    SMALLEST = frozenset({"lowest", "smallest_propensity"})

    online: Ips = field(default_factory=Ips)
    baseline: Ips = field(default_factory=Ips)
    random: Ips = field(default_factory=Ips)
    # Scorecards that were written before have this field name.
    fixed_actions: dict[str, FixedAction] = field(default_factory=dict, name="arms")
    lowest: float = inf
    """The lowest reward."""
    highest: float = -inf
    """The highest reward."""
    smallest_propensity: float = inf
    doubly_robust: DoublyRobustSums | UnsetType = UNSET
    """UNSET where nothing was added with a reward model, as in scorecards that were written before."""

    def add(
        self, choice: LoggedChoice, /, *, tracked: Collection[str], model: RewardModel | None = None
    ) -> None:
        """Adds one choice. About 5 µs for 10 actions, and 50 µs with a model.

        Args:
            choice: to be added.
            tracked: ids of actions.
            model: predicts rewards for the doubly robust sums, and learns this one afterwards.
        """
        reward, rows = choice.reward, choice.rows
        weight = rows / choice.propensity
        _add_row(self.online, reward, rows, rows)
        _add_row(self.baseline, reward, weight if choice.chosen == choice.baseline else 0.0, rows)
        _add_row(self.random, reward, weight / len(choice.ids), rows)
        self.lowest, self.highest = min(self.lowest, reward), max(self.highest, reward)
        self.smallest_propensity = min(self.smallest_propensity, choice.propensity)
        self._add_offers(choice, tracked)
        chosen = self.fixed_actions.get(choice.ids[choice.chosen])
        if chosen is not None:
            chosen.add_match(reward, weight)
        if model is not None:
            self._add_doubly_robust(choice, model)

    def _add_doubly_robust(self, choice: LoggedChoice, model: RewardModel) -> None:
        if self.doubly_robust is UNSET:
            self.doubly_robust = DoublyRobustSums()
        model.widen(choice.reward)
        self.doubly_robust.add(choice, model)
        model.learn(choice.ids[choice.chosen], choice.reward, choice.propensity)

    def _add_offers(self, choice: LoggedChoice, tracked: Collection[str]) -> None:
        fixed_actions = self.fixed_actions
        for name in choice.ids:
            action = fixed_actions.get(name)
            if action is None:
                if name not in tracked:
                    continue
                action = fixed_actions[name] = FixedAction()
            action.add_offer(choice.reward, choice.rows)

    def stop_tracking(self, name: str, /) -> None:
        """Drops the sums of an action."""
        self.fixed_actions.pop(name, None)


def _add_row(sums: Ips, reward: float, weight: float, rows: float) -> None:
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
