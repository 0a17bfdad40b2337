"""The next article to read, on a site whose articles are news for a day."""

import random

from msgspec import Struct

from sartor.lab.world import Features, Option, World, draw_share

TOPICS = ("politics", "business", "science", "culture", "sport", "food")
ON_OFFER = 8
LIFE_TURNS = 800
"""How long an article stays on offer; one is replaced every 100 turns."""


class Reader(Struct, frozen=True):
    """A reader: how much each topic interests them (0 to 1), and how they read."""

    interests: tuple[float, ...]
    device: str
    articles_today: int


class NextArticle(World[Reader]):
    """Domain: a publisher. Reward: the share of the article that was read, by dwell time, 0 to 1.

    Best policy: of the articles on offer, the one whose topic the reader cares for most, long reads on a
    desktop and short ones on a phone. Difficulty: articles come and go (each lives 800 turns), so what
    was learned about an id is soon worth nothing; interests arrive as an embedding, not as a category.
    """

    name = "next-article"
    reward_is = "share of the article read (dwell time)"
    options_change = True

    def draw_facts(self, rng: random.Random, turn: int, /) -> Reader:
        """A reader has one love, one liking, and little patience for the rest."""
        interests = [0.2 * rng.random() for _ in TOPICS]
        love, liking = rng.sample(range(len(TOPICS)), 2)
        interests[love] += 0.75
        interests[liking] += 0.35
        return Reader(
            interests=tuple(round(x, 3) for x in interests),
            device=rng.choices(("phone", "desktop"), (65, 35))[0],
            articles_today=rng.randrange(8),
        )

    def describe(self, facts: Reader, /) -> Features:
        """The interests as one array of numbers, as a recommender would supply them."""
        return [
            {"reader": {"interests": list(facts.interests)}},
            {"visit": {"device": facts.device, "articlesToday": facts.articles_today}},
        ]

    def list_options(self, facts: Reader, turn: int, /) -> tuple[Option, ...]:
        """The eight newest articles, newest first."""
        newest = turn * ON_OFFER // LIFE_TURNS + ON_OFFER
        return tuple(self._article(number) for number in range(newest, newest - ON_OFFER, -1))

    def mean_reward(self, facts: Reader, option: Option, turn: int, /) -> float:
        """Interest in its topic, its quality, and whether its length suits the screen."""
        rng = self._random("article", option.id)
        topic, quality, long = self._traits(rng)
        suits = 0.08 if long == (facts.device == "desktop") else -0.08
        return min(0.95, max(0.03, 0.1 + 0.62 * facts.interests[topic] + quality + suits))

    def draw_reward(self, rng: random.Random, mean: float, /) -> float:
        """A share of the article, between nothing and all of it."""
        return draw_share(rng, mean)

    def _article(self, number: int) -> Option:
        name = f"article_{number:04}"
        topic, _, long = self._traits(self._random("article", name))
        form = "long" if long else "short"
        return Option(name, [{"topic": TOPICS[topic], "form": form}])

    @staticmethod
    def _traits(rng: random.Random) -> tuple[int, float, bool]:
        return rng.randrange(len(TOPICS)), rng.uniform(-0.06, 0.12), rng.random() < 0.5
