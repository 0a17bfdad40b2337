"""Worlds for reporting: rare, heavy-tailed and negative rewards, drift, delays and batches, long runs.

Nothing may be chosen by them: neither a setting nor a constant of an engine.
"""

import math
import random

from benchmarks.quality.stream import Facts, StreamWorld, draw_amount, list_plain, squash
from sartor.lab.world import Features, Option


class RareSales(StreamWorld):
    """Domain: a shop's banners. Reward: 1 for a sale, at 0.3 to 3 %.

    Best policy: by the visitor's source, and by the time of day for one of the banners.
    """

    name = "rare-sales"
    reward_is = "a sale"
    sparse = True

    def draw_facts(self, rng: random.Random, turn: int, /) -> Facts:
        """A source, an hour, and pages seen."""
        sources = ("search", "mail", "friend", "ad")
        return {"source": rng.choice(sources), "hour": rng.randrange(24), "pages": rng.randint(1, 12)}

    def describe(self, facts: Facts, /) -> Features:
        """All of it."""
        return [facts]

    def list_options(self, facts: Facts, turn: int, /) -> tuple[Option, ...]:
        """Four banners."""
        return list_plain(4, prefix="banner-")

    def mean_reward(self, facts: Facts, option: Option, turn: int, /) -> float:
        """A rate by source and banner, twice as much in the evening for the first banner."""
        rate = math.exp(self._random("rate", facts["source"], option.id).gauss(-4.6, 0.6))
        return min(0.04, rate * (2.0 if option.id == "banner-0" and facts["hour"] >= 18 else 1.0))


class Orders(StreamWorld):
    """Domain: a shop. Reward: the revenue, 0 in 97 of 100, log-normal with a very heavy tail otherwise.

    Best policy: by country, and dear goods for those who have spent much before (a number with a heavy tail
    itself).
    """

    name = "orders"
    reward_is = "an amount"
    sparse = True

    def draw_facts(self, rng: random.Random, turn: int, /) -> Facts:
        """A country and what was spent before."""
        return {"country": rng.choice(("fr", "pl", "se")), "spent": round(rng.lognormvariate(4, 1.2), 2)}

    def describe(self, facts: Facts, /) -> Features:
        """All of it."""
        return [facts]

    def list_options(self, facts: Facts, turn: int, /) -> tuple[Option, ...]:
        """Four kinds of goods."""
        kinds = ("cheap", "fair", "dear", "luxury")
        return tuple(Option(kind, [{"class": kind}]) for kind in kinds)

    def mean_reward(self, facts: Facts, option: Option, turn: int, /) -> float:
        """Between 0.3 and some 10."""
        base = math.exp(self._random("country", facts["country"], option.id).gauss(0.5, 0.6))
        steps = {"cheap": -0.4, "fair": 0.0, "dear": 0.4, "luxury": 0.7}
        return base * math.exp(steps[option.id] * (math.log(facts["spent"]) - 4))

    def draw_reward(self, rng: random.Random, mean: float, /) -> float:
        """Three in a hundred buy."""
        return draw_amount(rng, mean, chance=0.03, spread=1.4)


class Reviews(StreamWorld):
    """Domain: an assistant that may ask for a review. Reward: 1 or -1.

    Best policy: ask in the right way, or not at all, by patience and mood. Difficulty: most of what one may do
    earns less than nothing.
    """

    name = "reviews"
    reward_is = "a good review less a bad one"

    def draw_facts(self, rng: random.Random, turn: int, /) -> Facts:
        """A mood from -10 to 10, a patience in seconds, a channel."""
        return {
            "mood": round(max(-10.0, min(10.0, rng.gauss(1, 4))), 1),
            "patience": round(rng.expovariate(1 / 40), 1),
            "channel": rng.choice(("chat", "mail", "phone")),
        }

    def describe(self, facts: Facts, /) -> Features:
        """All of it."""
        return [facts]

    def list_options(self, facts: Facts, turn: int, /) -> tuple[Option, ...]:
        """Three ways to ask; a thank-you; a survey; nothing."""
        return tuple(Option(name, []) for name in ("nothing", "ask-short", "ask-long", "thank", "survey"))

    def mean_reward(self, facts: Facts, option: Option, turn: int, /) -> float:
        """Between -0.9 and 0.9."""
        calm = min(1.0, facts["patience"] / 60)
        values = {
            "nothing": 0.05,
            "ask-short": facts["mood"] / 9 - 0.1,
            "ask-long": facts["mood"] / 7 * calm - 0.2,
            "thank": 0.25 if facts["channel"] == "mail" else -0.1,
            "survey": 0.5 * calm - 0.35,
        }
        return float(max(-0.9, min(0.9, values[option.id])))

    def draw_reward(self, rng: random.Random, mean: float, /) -> float:
        """1 or -1."""
        return 1.0 if rng.random() < (1 + mean) / 2 else -1.0


class Seasons(StreamWorld):
    """Domain: a shop window. Reward: 1 for a visitor who comes in.

    Best policy: by street and season. Difficulty: tastes turn slowly, once around in 4,000 turns, each in its
    own phase.
    """

    name = "seasons"
    reward_is = "a visitor"
    drifts = True

    def draw_facts(self, rng: random.Random, turn: int, /) -> Facts:
        """A street and a temperature, which says nothing."""
        return {"street": rng.choice(("high", "mill", "lake")), "degrees": round(rng.gauss(12, 8), 1)}

    def describe(self, facts: Facts, /) -> Features:
        """All of it."""
        return [facts]

    def list_options(self, facts: Facts, turn: int, /) -> tuple[Option, ...]:
        """Four windows."""
        return list_plain(4, prefix="window-")

    def mean_reward(self, facts: Facts, option: Option, turn: int, /) -> float:
        """A sine of the time."""
        phase = self._random("phase", option.id, facts["street"]).uniform(0, 2 * math.pi)
        return 0.45 + 0.35 * math.sin(2 * math.pi * turn / 4_000 + phase)


class Takeover(StreamWorld):
    """Domain: any. Reward: 1 for a success.

    Best policy: linear in three numbers, until turn 2,000; then the actions have changed their roles, and
    again at 3,500.
    """

    name = "takeover"
    reward_is = "a success"
    drifts = True

    def prepare(self, rng: random.Random, /) -> None:
        """Draw the directions."""
        self._directions = [[rng.gauss(0, 1.2) for _ in range(3)] for _ in range(4)]

    def draw_facts(self, rng: random.Random, turn: int, /) -> Facts:
        """Three numbers."""
        return {"x": [rng.gauss(0, 1) for _ in range(3)]}

    def describe(self, facts: Facts, /) -> Features:
        """On three scales."""
        one, two, three = facts["x"]
        return [
            {
                "load": round(1_000 + 200 * one, 1),
                "noise": round(0.01 * two, 5),
                "heat": round(20 + 5 * three, 2),
            }
        ]

    def list_options(self, facts: Facts, turn: int, /) -> tuple[Option, ...]:
        """Four ids."""
        return list_plain(4)

    def mean_reward(self, facts: Facts, option: Option, turn: int, /) -> float:
        """The direction of the role that the action has now."""
        role = (int(option.id[1:]) + (turn >= 2_000) + (turn >= 3_500)) % 4
        return squash(sum(a * b for a, b in zip(self._directions[role], facts["x"], strict=True)))


class LateSignups(StreamWorld):
    """Domain: a subscription. Reward: 1 for a sign-up, known 500 turns later. Best policy: by plan and age."""

    name = "late-signups"
    reward_is = "a sign-up"
    delay_turns = 500

    def draw_facts(self, rng: random.Random, turn: int, /) -> Facts:
        """An age, a plan and visits."""
        return {
            "age": rng.randint(16, 85),
            "plan": rng.choice(("trial", "basic", "none")),
            "visits": int(rng.expovariate(0.1)),
        }

    def describe(self, facts: Facts, /) -> Features:
        """All of it."""
        return [facts]

    def list_options(self, facts: Facts, turn: int, /) -> tuple[Option, ...]:
        """Five pitches."""
        return list_plain(5, prefix="pitch-")

    def mean_reward(self, facts: Facts, option: Option, turn: int, /) -> float:
        """Each pitch has an age at which it does best, and a plan that it suits."""
        own = self._random("pitch", option.id)
        peak, width = own.uniform(18, 80), own.uniform(10, 25)
        plan = self._random("plan", option.id, facts["plan"]).uniform(0.2, 1.0)
        return 0.05 + 0.75 * plan * math.exp(-(((facts["age"] - peak) / width) ** 2))


class BatchedSignups(LateSignups):
    """Sign-ups that are known at once, and learned in batches of 500."""

    name = "batched-signups"
    delay_turns = 0
    batch_turns = 500


class Sensors(StreamWorld):
    """Domain: machines. Reward: 1 for a success, over a long run.

    Best policy: linear in six of twenty numbers and by site. Difficulty: small differences, noise, and long
    enough that a learner that stops to learn, or grows, shows it.
    """

    name = "sensors"
    reward_is = "a success"

    def prepare(self, rng: random.Random, /) -> None:
        """Draw which numbers count for which action."""
        self._weights = [{i: rng.gauss(0, 0.6) for i in rng.sample(range(20), 6)} for _ in range(5)]
        self._units = [(rng.uniform(-5, 50), 10 ** rng.uniform(-1, 2)) for _ in range(20)]

    def draw_facts(self, rng: random.Random, turn: int, /) -> Facts:
        """Twenty numbers and a site."""
        return {"x": [rng.gauss(0, 1) for _ in range(20)], "site": rng.choice("pqrs")}

    def describe(self, facts: Facts, /) -> Features:
        """The numbers on their scales."""
        values = [round(start + unit * x, 3) for (start, unit), x in zip(self._units, facts["x"], strict=True)]
        return [{"site": facts["site"]} | {f"n{i}": value for i, value in enumerate(values)}]

    def list_options(self, facts: Facts, turn: int, /) -> tuple[Option, ...]:
        """Five ids."""
        return list_plain(5)

    def mean_reward(self, facts: Facts, option: Option, turn: int, /) -> float:
        """Linear, through a logistic function."""
        weights = self._weights[int(option.id[1:])]
        site = self._random("site", facts["site"], option.id).gauss(0, 0.5)
        return squash(site + sum(weight * facts["x"][i] for i, weight in weights.items()))
