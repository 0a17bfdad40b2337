"""Worlds for reporting: non-linear tables, numbers of all scales, many actions, ids of high cardinality.

Nothing may be chosen by them: neither a setting nor a constant of an engine.
"""

import math
import random

from benchmarks.quality.stream import Facts, StreamWorld, list_plain, squash
from sartor.lab.world import Features, Option


class Friedman(StreamWorld):
    """Domain: any. Reward: 1 for a success.

    Best policy: each of four actions has Friedman's first function (Annals of Statistics 19, 1991) of five of
    eight numbers, in an order of its own. Difficulty: a product, a square and three numbers that say nothing
    to an action.
    """

    name = "friedman"
    reward_is = "a success"

    def prepare(self, rng: random.Random, /) -> None:
        """Draw the scales of the numbers, and the order of each action."""
        self._scales = [(rng.uniform(-50, 500), 10 ** rng.uniform(-2, 3)) for _ in range(8)]
        self._orders = [rng.sample(range(8), 5) for _ in range(4)]

    def draw_facts(self, rng: random.Random, turn: int, /) -> Facts:
        """Eight numbers, each between 0 and 1 before it is scaled."""
        return {"x": [rng.random() for _ in range(8)]}

    def describe(self, facts: Facts, /) -> Features:
        """The numbers on their scales."""
        scaled = [start + unit * x for (start, unit), x in zip(self._scales, facts["x"], strict=True)]
        return [{f"sensor{i}": round(value, 4) for i, value in enumerate(scaled)}]

    def list_options(self, facts: Facts, turn: int, /) -> tuple[Option, ...]:
        """Four ids."""
        return list_plain(4)

    def mean_reward(self, facts: Facts, option: Option, turn: int, /) -> float:
        """The function, brought from 0…30 to a chance."""
        a, b, c, d, e = (facts["x"][i] for i in self._orders[int(option.id[1:])])
        value = 10 * math.sin(math.pi * a * b) + 20 * (c - 0.5) ** 2 + 10 * d + 5 * e
        return squash((value - 14.4) / 3.0)


class Rings(StreamWorld):
    """Domain: a map. Reward: 1 for a success. Best policy: by the distance from the middle, in three rings."""

    name = "rings"
    reward_is = "a success"

    def draw_facts(self, rng: random.Random, turn: int, /) -> Facts:
        """A place in a disc."""
        radius, angle = math.sqrt(rng.random()), rng.uniform(0, 2 * math.pi)
        return {"radius": radius, "angle": angle}

    def describe(self, facts: Facts, /) -> Features:
        """Degrees east and north, and the weekday, which says nothing."""
        east = 13.4 + 0.5 * facts["radius"] * math.cos(facts["angle"])
        north = 52.5 + 0.3 * facts["radius"] * math.sin(facts["angle"])
        return [{"east": round(east, 5), "north": round(north, 5), "weekday": int(facts["angle"] * 1e6) % 7}]

    def list_options(self, facts: Facts, turn: int, /) -> tuple[Option, ...]:
        """Three ids."""
        return list_plain(3, prefix="depot-")

    def mean_reward(self, facts: Facts, option: Option, turn: int, /) -> float:
        """0.85 in the right ring, else 0.25."""
        ring = min(2, int(3 * facts["radius"] ** 2))
        return 0.85 if ring == int(option.id.removeprefix("depot-")) else 0.25


class Loans(StreamWorld):
    """Domain: a bank. Reward: 1 for an accepted offer.

    Best policy: by steps of age, income and time of customership. Difficulty: a time in seconds since 1970,
    amounts with a heavy tail, and an age, all as they are; one in ten incomes is missing.
    """

    name = "loans"
    reward_is = "an acceptance"

    def draw_facts(self, rng: random.Random, turn: int, /) -> Facts:
        """A customer."""
        facts = {
            "age": rng.randint(18, 90),
            "since": 1_700_000_000 - rng.randrange(600_000_000),
            "income": round(rng.lognormvariate(10.4, 0.8), 2),
        }
        return facts | {"hides": rng.random() < 0.1}

    def describe(self, facts: Facts, /) -> Features:
        """Nested: the person and the account."""
        account: Features = [
            {"since": facts["since"]} | ({} if facts["hides"] else {"income": facts["income"]})
        ]
        return [{"person": {"age": facts["age"]}, "account": account[0]}]

    def list_options(self, facts: Facts, turn: int, /) -> tuple[Option, ...]:
        """Four offers with their rate and size."""
        offers = (("small", 7.9, 2_000), ("car", 5.5, 15_000), ("house", 3.2, 250_000), ("savings", 1.1, 0))
        return tuple(Option(name, [{"rate": rate, "size": size}]) for name, rate, size in offers)

    def mean_reward(self, facts: Facts, option: Option, turn: int, /) -> float:
        """Steps of each number."""
        young, old = facts["age"] < 30, facts["age"] > 62
        rich, loyal = facts["income"] > 35_000, facts["since"] < 1_400_000_000
        chances = {
            "small": 0.15 + 0.35 * young + 0.1 * (not rich),
            "car": 0.2 + 0.2 * (not young and not old) + 0.1 * loyal,
            "house": 0.1 + 0.5 * (rich and not old and not young),
            "savings": 0.15 + 0.4 * old + 0.15 * (loyal and rich),
        }
        return float(chances[option.id])


class Newsroom(StreamWorld):
    """Domain: a news site. Reward: 1 for a click.

    Best policy: the article whose words fit the reader. Difficulty: 15 articles, of which one goes every 15
    turns; four words each of a vocabulary of 60, as one text; an article's own quality fades as it gets older.
    """

    name = "newsroom"
    reward_is = "a click"
    options_change = True

    def prepare(self, rng: random.Random, /) -> None:
        """Draw which words go with which of four interests."""
        self._words = [f"w{number:02}" for number in range(60)]
        self._topic = {word: rng.choice(("city", "money", "sport", "arts")) for word in self._words}

    def draw_facts(self, rng: random.Random, turn: int, /) -> Facts:
        """One or two interests, and a device."""
        interests = rng.sample(("city", "money", "sport", "arts"), rng.choice((1, 1, 2)))
        return {"interests": sorted(interests), "device": rng.choice(("phone", "desk", "tablet"))}

    def describe(self, facts: Facts, /) -> Features:
        """The interests as a text, and the device."""
        return [{"interests": {"_text": " ".join(facts["interests"])}, "device": facts["device"]}]

    def list_options(self, facts: Facts, turn: int, /) -> tuple[Option, ...]:
        """The articles of this time."""
        newest = turn // 15 + 15
        return tuple(self._describe_article(number) for number in range(newest - 15, newest))

    def _describe_article(self, number: int) -> Option:
        words = self._random("article", number).sample(self._words, 4)
        return Option(f"article-{number}", [{"title": {"_text": " ".join(words)}, "words": len(words)}])

    def mean_reward(self, facts: Facts, option: Option, turn: int, /) -> float:
        """How many of its words fit, its quality, and its age."""
        number = int(option.id.removeprefix("article-"))
        words = self._random("article", number).sample(self._words, 4)
        fit = sum(self._topic[word] in facts["interests"] for word in words)
        age = turn // 15 + 15 - number
        return squash(-2.2 + 0.8 * fit + self._random("quality", number).gauss(0, 0.4) - 0.05 * age)


class Vacancies(StreamWorld):
    """Domain: job offers without any description. Reward: 1 for an application.

    Best policy: by trade and offer. Difficulty: ids only; 10 of 12 come and go, each for 100 to 1,000 turns.
    """

    name = "vacancies"
    reward_is = "an application"
    options_change = True

    def draw_facts(self, rng: random.Random, turn: int, /) -> Facts:
        """A trade and an experience in years."""
        return {"trade": rng.choice(("nurse", "cook", "clerk")), "years": rng.randint(0, 30)}

    def describe(self, facts: Facts, /) -> Features:
        """All of it."""
        return [facts]

    def list_options(self, facts: Facts, turn: int, /) -> tuple[Option, ...]:
        """Twelve ids; two stay."""
        lengths = [100 * (place + 1) for place in range(10)]
        changing = [Option(f"job-{place}-{turn // length}", []) for place, length in enumerate(lengths)]
        return (Option("job-city", []), *changing, Option("job-state", []))

    def mean_reward(self, facts: Facts, option: Option, turn: int, /) -> float:
        """The offer's appeal to all, to the trade, and to those with experience."""
        own = self._random("appeal", option.id)
        appeal, slope = own.gauss(-1.4, 0.7), own.gauss(0, 0.5)
        trade = self._random("trade", option.id, facts["trade"]).gauss(0, 0.8)
        return squash(appeal + trade + slope * (facts["years"] - 15) / 9)


class FiftyOffers(StreamWorld):
    """Domain: a shop. Reward: 1 for a purchase.

    Best policy: by what the customer likes and can pay. Difficulty: 50 offers at once, each with a brand, a
    category and a price; the id says something too.
    """

    name = "fifty-offers"
    reward_is = "a purchase"

    def prepare(self, rng: random.Random, /) -> None:
        """Draw the offers and the tastes."""
        categories, brands = ("tea", "tools", "shoes", "music", "games"), ("x", "y", "z", "v")
        self._options = tuple(
            Option(
                f"offer-{number}",
                [
                    {
                        "category": rng.choice(categories),
                        "brand": rng.choice(brands),
                        "price": round(rng.lognormvariate(3.5, 0.8), 2),
                    }
                ],
            )
            for number in range(50)
        )
        self._own = {option.id: rng.gauss(0, 0.4) for option in self._options}
        self._taste = {(s, c): rng.gauss(0, 1) for s in range(4) for c in categories}
        self._brand = {(s, b): rng.gauss(0, 0.6) for s in range(4) for b in brands}

    def draw_facts(self, rng: random.Random, turn: int, /) -> Facts:
        """A segment and a budget."""
        return {"segment": rng.randrange(4), "budget": round(rng.lognormvariate(3.8, 0.6), 2)}

    def describe(self, facts: Facts, /) -> Features:
        """The segment as a text, the budget as a number."""
        return [{"segment": f"s{facts['segment']}", "budget": facts["budget"]}]

    def list_options(self, facts: Facts, turn: int, /) -> tuple[Option, ...]:
        """All fifty."""
        return self._options

    def mean_reward(self, facts: Facts, option: Option, turn: int, /) -> float:
        """Taste for category and brand; nearly nothing above the budget."""
        features = option.features[0]
        liked = self._taste[facts["segment"], str(features["category"])]
        liked += self._brand[facts["segment"], str(features["brand"])] + self._own[option.id]
        return squash(-1.5 + liked) * (1.0 if float(str(features["price"])) <= facts["budget"] else 0.2)


class Members(StreamWorld):
    """Domain: a club that sends the member's id. Reward: a share of time.

    Best policy: by town, and by member for those who come often. Difficulty: 5,000 ids by Zipf's law; a device
    id that is new each time.
    """

    name = "members"
    reward_is = "a share of time"

    def draw_facts(self, rng: random.Random, turn: int, /) -> Facts:
        """A member by Zipf's law."""
        number = min(4_999, int(math.exp(rng.random() * math.log(5_000))) - 1)
        return {"member": number, "device": rng.randrange(10**9)}

    def describe(self, facts: Facts, /) -> Features:
        """Ids and the town."""
        town = f"town{facts['member'] % 7}"
        return [{"member": f"m{facts['member']:05}", "device": f"d{facts['device']:09}", "town": town}]

    def list_options(self, facts: Facts, turn: int, /) -> tuple[Option, ...]:
        """Five courses, each with a level."""
        return tuple(Option(f"course-{i}", [{"level": ("low", "mid", "high")[i % 3]}]) for i in range(5))

    def mean_reward(self, facts: Facts, option: Option, turn: int, /) -> float:
        """What the town likes, and what the member likes."""
        town = self._random("town", facts["member"] % 7, option.id).gauss(-0.5, 0.9)
        return squash(town + self._random("member", facts["member"], option.id).gauss(0, 0.9))
