"""Fixed actions: what would have been earned by always showing one action where it was on offer.

Where it was not on offer, or before it was first seen, the policy "always this one" does what was done. So
every fixed action is compared over the same decisions, and an action that comes and goes is no special case.
"""

from sartor.evaluate.accumulator import Mergeable
from sartor.evaluate.importance import Ips


class Arm(Mergeable, kw_only=True):
    """Sums for one action over the decisions in which it was on offer.

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
