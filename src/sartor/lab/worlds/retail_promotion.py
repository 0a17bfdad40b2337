"""The promotion in a basket, judged by what it sells."""

import random

from msgspec import Struct

from sartor.lab.world import Features, Option, World

WEEK_TURNS = 400
"""How long a promotion runs; half of them are replaced every week."""

CATEGORIES = ("grocery", "electronics", "garden", "beauty", "toys")
PRICE = {"grocery": 0.5, "electronics": 2.2, "garden": 1.2, "beauty": 0.8, "toys": 0.9}
"""What a sale brings, in units of 50 euros."""


class Shopper(Struct, frozen=True):
    """Someone with a basket; ``spent`` is the last 90 days, in euros."""

    favourite: str
    budget: str
    spent: int
    channel: str


class RetailPromotion(World[Shopper]):
    """Domain: retail. Reward: revenue of the promoted product in this visit, in units of 50 euros.

    Best policy: the promotion with the highest price × chance of a sale: the shopper's favourite category,
    deep discounts for small budgets. Difficulty: promotions come and go every 400 turns, most visits
    bring nothing, and a few bring much (rewards well above 1), so a single sale says little.
    """

    name = "retail-promotion"
    reward_is = "revenue (50 euros = 1)"
    turns = 5_000
    options_change = True

    def draw_facts(self, rng: random.Random, turn: int, /) -> Shopper:
        """Favourites in equal shares; small budgets are the rule."""
        budget = rng.choices(("small", "medium", "large"), (45, 35, 20))[0]
        return Shopper(
            favourite=rng.choice(CATEGORIES),
            budget=budget,
            spent=rng.randint(10, 90) * {"small": 1, "medium": 3, "large": 9}[budget],
            channel=rng.choice(("app", "web")),
        )

    def describe(self, facts: Shopper, /) -> Features:
        """The shopper's history, and the channel."""
        history: Features = [{"shopper": {"favourite": facts.favourite, "budget": facts.budget}}]
        return [*history, {"counts": {"spent90d": facts.spent}}, {"channel": {"name": facts.channel}}]

    def list_options(self, facts: Shopper, turn: int, /) -> tuple[Option, ...]:
        """One promotion for each category; in odd weeks the even ones are new, and the other way round."""
        week = turn // WEEK_TURNS
        return tuple(self._promotion(place, (week + place % 2) // 2) for place in range(len(CATEGORIES)))

    def mean_reward(self, facts: Shopper, option: Option, turn: int, /) -> float:
        """Price less discount, times the chance of a sale."""
        category = option.id.partition("_")[0]
        discount = self._discount(option.id)
        chance = 0.30 if category == facts.favourite else 0.05
        if facts.budget == "small":
            chance *= 0.5 + 0.02 * discount
        elif facts.budget == "large":
            chance *= 1.4
        return min(0.9, chance) * PRICE[category] * (1 - discount / 100)

    def draw_reward(self, rng: random.Random, mean: float, /) -> float:
        """Nothing in three visits of four; else a basket that is log-normal around its mean."""
        amount = rng.lognormvariate(-0.08, 0.4)
        return round(4 * mean * amount, 6) if rng.random() < 0.25 else 0.0

    def _promotion(self, place: int, edition: int) -> Option:
        name = f"{CATEGORIES[place]}_{edition:03}"
        return Option(name, [{"category": CATEGORIES[place], "discount": self._discount(name)}])

    def _discount(self, name: str) -> int:
        return self._random("discount", name).choice((5, 10, 20, 30))
