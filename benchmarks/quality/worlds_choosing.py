"""Worlds on which settings may be chosen. None of them is among those that the page reports as unseen."""

import math
import random

from benchmarks.quality.stream import Facts, StreamWorld, draw_amount, list_plain, squash
from sartor.lab.world import Features, Option, draw_share
from sartor.lab.worlds.tutorial import Tutorial, Visit

REGIONS = ("north", "middle", "south")


class TutorialNumber(Tutorial):
    """The tutorial as users run its script: the hour is a number from 0 to 23."""

    name = "tutorial-number"

    def describe(self, facts: Visit, /) -> Features:
        """One object with all three features."""
        return [{"device": facts.device, "hour": facts.hour, "page": facts.page}]


class Regions(StreamWorld):
    """Domain: any. Reward: 1 for a success. Best policy: a table of 3 regions by 4 actions, drawn at random."""

    name = "regions"
    reward_is = "a success"

    def prepare(self, rng: random.Random, /) -> None:
        """Draw the table."""
        self._means = {(region, number): rng.uniform(0.1, 0.9) for region in REGIONS for number in range(4)}
        self._options = list_plain(4)

    def draw_facts(self, rng: random.Random, turn: int, /) -> Facts:
        """Any region."""
        return {"region": rng.choice(REGIONS)}

    def describe(self, facts: Facts, /) -> Features:
        """The region."""
        return [facts]

    def list_options(self, facts: Facts, turn: int, /) -> tuple[Option, ...]:
        """Four ids."""
        return self._options

    def mean_reward(self, facts: Facts, option: Option, turn: int, /) -> float:
        """The cell of the table."""
        return self._means[facts["region"], int(option.id[1:])]


class Shelf(StreamWorld):
    """Domain: a shop of second-hand goods. Reward: 1 for a look.

    Best policy: the kind that the visitor likes, at the price they pay. Difficulty: 12 of the goods are
    offered; every 25 turns one goes and a new one comes, so that one must learn of their features.
    """

    name = "shelf"
    reward_is = "a look"
    options_change = True

    def prepare(self, rng: random.Random, /) -> None:
        """Draw the tastes."""
        self._kinds = ("lamp", "chair", "book", "toy", "bike")
        self._taste = {(who, kind): rng.gauss(0, 1.2) for who in ("a", "b", "c") for kind in self._kinds}

    def draw_facts(self, rng: random.Random, turn: int, /) -> Facts:
        """A visitor of one of three sorts, with a budget."""
        return {"sort": rng.choice("abc"), "budget": round(rng.uniform(5, 200), 2)}

    def describe(self, facts: Facts, /) -> Features:
        """The sort and the budget."""
        return [facts]

    def list_options(self, facts: Facts, turn: int, /) -> tuple[Option, ...]:
        """The goods of this time, each with its kind and price."""
        newest = turn // 25 + 12
        return tuple(self._describe_good(number) for number in range(newest - 12, newest))

    def _describe_good(self, number: int) -> Option:
        rng = self._random("good", number)
        features: Features = [{"kind": rng.choice(self._kinds), "price": round(rng.uniform(5, 200), 2)}]
        return Option(f"good-{number}", features)

    def mean_reward(self, facts: Facts, option: Option, turn: int, /) -> float:
        """Taste, less when it is too dear."""
        features = option.features[0]
        kind, price = str(features["kind"]), float(str(features["price"]))
        too_dear = max(0.0, price - facts["budget"]) / 60
        return squash(-0.8 + self._taste[facts["sort"], kind] - too_dear)


class Flyers(StreamWorld):
    """Domain: posters without any description. Reward: 1 for a scan.

    Best policy: by place and poster. Difficulty: ids only; of 8 posters one is replaced every 300 turns.
    """

    name = "flyers"
    reward_is = "a scan"
    options_change = True

    def draw_facts(self, rng: random.Random, turn: int, /) -> Facts:
        """One of four places."""
        return {"place": rng.choice(("station", "school", "shop", "park"))}

    def describe(self, facts: Facts, /) -> Features:
        """The place."""
        return [facts]

    def list_options(self, facts: Facts, turn: int, /) -> tuple[Option, ...]:
        """The posters of this time."""
        oldest = turn // 300
        return tuple(Option(f"poster-{number}", []) for number in range(oldest, oldest + 8))

    def mean_reward(self, facts: Facts, option: Option, turn: int, /) -> float:
        """The poster's own quality, and how it does at this place."""
        quality = self._random("quality", option.id).gauss(-1.0, 0.8)
        return squash(quality + self._random("at", option.id, facts["place"]).gauss(0, 0.8))


class RareClicks(StreamWorld):
    """Domain: advertisements. Reward: 1 for a click, at some 1 to 5 %. Best policy: by interest and device."""

    name = "rare-clicks"
    reward_is = "a click"
    sparse = True

    def prepare(self, rng: random.Random, /) -> None:
        """Draw the rates."""
        self._interests = ("cars", "food", "games", "garden")
        self._options = tuple(
            Option(f"ad-{i}", [{"about": interest, "style": ("loud", "calm")[i % 2]}])
            for i, interest in enumerate(self._interests + self._interests[:2])
        )
        self._base = {option.id: rng.uniform(0.005, 0.015) for option in self._options}
        self._likes = {device: rng.choice(("loud", "calm")) for device in ("phone", "desk")}

    def draw_facts(self, rng: random.Random, turn: int, /) -> Facts:
        """An interest, a device, and an age that says nothing."""
        return {
            "interest": rng.choice(self._interests),
            "device": rng.choice(("phone", "desk")),
            "age": rng.randint(18, 80),
        }

    def describe(self, facts: Facts, /) -> Features:
        """All of it."""
        return [facts]

    def list_options(self, facts: Facts, turn: int, /) -> tuple[Option, ...]:
        """Six advertisements."""
        return self._options

    def mean_reward(self, facts: Facts, option: Option, turn: int, /) -> float:
        """A base rate, more for the interest and the style that fit."""
        features = option.features[0]
        rate = self._base[option.id] + 0.03 * (features["about"] == facts["interest"])
        return float(rate) * (1.6 if features["style"] == self._likes[facts["device"]] else 0.8)


class Basket(StreamWorld):
    """Domain: a shop. Reward: the amount that was paid, mostly 0, else log-normal.

    Best policy: by segment.
    """

    name = "basket"
    reward_is = "an amount"
    sparse = True

    def prepare(self, rng: random.Random, /) -> None:
        """Draw what each segment pays for each offer."""
        self._segments = ("new", "loyal", "business")
        self._means = {(s, number): rng.lognormvariate(0.5, 0.9) for s in self._segments for number in range(5)}
        self._options = list_plain(5, prefix="offer-")

    def draw_facts(self, rng: random.Random, turn: int, /) -> Facts:
        """A segment, and how much was bought before."""
        segment = rng.choice(self._segments)
        return {
            "segment": segment,
            "bought": round(rng.lognormvariate(4 if segment == "business" else 3, 0.7), 2),
        }

    def describe(self, facts: Facts, /) -> Features:
        """All of it."""
        return [facts]

    def list_options(self, facts: Facts, turn: int, /) -> tuple[Option, ...]:
        """Five offers."""
        return self._options

    def mean_reward(self, facts: Facts, option: Option, turn: int, /) -> float:
        """The mean of the segment and the offer."""
        return self._means[facts["segment"], int(option.id.removeprefix("offer-"))]

    def draw_reward(self, rng: random.Random, mean: float, /) -> float:
        """Four in a hundred pay."""
        return draw_amount(rng, mean, chance=0.04, spread=1.0)


class Votes(StreamWorld):
    """Domain: a forum. Reward: -1 to 1, the vote on a post.

    Best policy: by the reader's two moods, both numbers.
    """

    name = "votes"
    reward_is = "a vote"

    def prepare(self, rng: random.Random, /) -> None:
        """Draw a direction for each post."""
        self._angles = [rng.uniform(0, 2 * math.pi) for _ in range(6)]
        self._options = list_plain(6, prefix="post-")

    def draw_facts(self, rng: random.Random, turn: int, /) -> Facts:
        """Two numbers, one of them far from 0."""
        return {"x": rng.gauss(0, 1), "y": rng.gauss(0, 1)}

    def describe(self, facts: Facts, /) -> Features:
        """Joy from about 0 to 100, and calm around 0."""
        return [{"joy": round(50 + 15 * facts["x"], 1), "calm": round(facts["y"], 3)}]

    def list_options(self, facts: Facts, turn: int, /) -> tuple[Option, ...]:
        """Six posts."""
        return self._options

    def mean_reward(self, facts: Facts, option: Option, turn: int, /) -> float:
        """How far the moods point in the post's direction."""
        angle = self._angles[int(option.id.removeprefix("post-"))]
        return math.tanh(0.8 * (facts["x"] * math.cos(angle) + facts["y"] * math.sin(angle)))

    def draw_reward(self, rng: random.Random, mean: float, /) -> float:
        """With noise, within -1 and 1."""
        return 2.0 * draw_share(rng, (mean + 1.0) / 2.0) - 1.0


class Upheaval(Regions):
    """The table of regions and actions, drawn anew every 1,500 turns."""

    name = "upheaval"
    drifts = True

    def mean_reward(self, facts: Facts, option: Option, turn: int, /) -> float:
        """The cell of the table of this time."""
        return self._random("cell", turn // 1_500, facts["region"], option.id).uniform(0.1, 0.9)


class LateVotes(Votes):
    """Votes that are known 300 turns later."""

    name = "late-votes"
    delay_turns = 300


class NightlyVotes(Votes):
    """Votes that are learned in batches of 100."""

    name = "nightly-votes"
    batch_turns = 100


class Checkers(StreamWorld):
    """Domain: any. Reward: 1 for a success.

    Best policy: one action where two numbers have the same sign, after taking their middles away, the other
    where they have not. Difficulty: neither number says anything alone.
    """

    name = "checkers"
    reward_is = "a success"

    def draw_facts(self, rng: random.Random, turn: int, /) -> Facts:
        """Two numbers that count and one that does not."""
        return {
            "width": round(rng.uniform(2, 8), 3),
            "height": round(rng.uniform(-400, 600), 1),
            "weight": round(rng.gauss(70, 10), 1),
        }

    def describe(self, facts: Facts, /) -> Features:
        """All of it."""
        return [facts]

    def list_options(self, facts: Facts, turn: int, /) -> tuple[Option, ...]:
        """Two ids."""
        return list_plain(2)

    def mean_reward(self, facts: Facts, option: Option, turn: int, /) -> float:
        """0.8 on the right side, else 0.2."""
        same = (facts["width"] > 5) == (facts["height"] > 100)
        return 0.8 if same == (option.id == "a0") else 0.2


class Customers(StreamWorld):
    """Domain: a shop that sends the customer's id. Reward: 1 for a click.

    Best policy: by plan, and for the 30 customers who come most by the customer. Difficulty: 3,000 ids, most of
    them seen once.
    """

    name = "customers"
    reward_is = "a click"

    def draw_facts(self, rng: random.Random, turn: int, /) -> Facts:
        """A customer; a few come often."""
        number = rng.randrange(30) if rng.random() < 0.5 else rng.randrange(3_000)
        return {"customer": f"c{number:04}", "plan": ("free", "basic", "full")[number % 3]}

    def describe(self, facts: Facts, /) -> Features:
        """The id and the plan."""
        return [facts]

    def list_options(self, facts: Facts, turn: int, /) -> tuple[Option, ...]:
        """Four ids."""
        return list_plain(4)

    def mean_reward(self, facts: Facts, option: Option, turn: int, /) -> float:
        """What the plan likes, and what the customer likes."""
        plan = self._random("plan", facts["plan"], option.id).gauss(-0.8, 1)
        return squash(plan + self._random("customer", facts["customer"], option.id).gauss(0, 0.7))
