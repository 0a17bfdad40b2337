"""The tutorial of the service that this one replaces: three articles, and readers with habits."""

import random

from msgspec import Struct

from sartor.lab.world import Features, Option, World

ARTICLES = (
    Option("sports_article", [{"topic": "sports", "length": "short"}]),
    Option("finance_article", [{"topic": "finance", "length": "medium"}]),
    Option("travel_article", [{"topic": "travel", "length": "long"}]),
)


class Visit(Struct, frozen=True):
    """A reader who opens a page at an hour (0 to 23)."""

    device: str
    hour: int
    page: str


class Tutorial(World[Visit]):
    """Domain: a news site. Reward: 1 for a click.

    Best policy: on a phone sports or travel (0.6 each); on a desktop finance from 9 to 17 o'clock inclusive
    (0.65), otherwise travel (0.55). Difficulty: the hour counts only on a desktop, in the middle of its
    range, so neither the hour nor the device says enough alone.
    """

    name = "tutorial"
    reward_is = "a click"
    turns = 30

    def draw_facts(self, rng: random.Random, turn: int, /) -> Visit:
        """Any device, hour and page, each as likely as the others."""
        return Visit(
            device=rng.choice(("mobile", "desktop")),
            hour=rng.randrange(24),
            page=rng.choice(("home", "article", "section")),
        )

    def describe(self, facts: Visit, /) -> Features:
        """One object with all three features; the hour is a number, as in the original script."""
        return [{"device": facts.device, "hour": facts.hour, "page": facts.page}]

    def list_options(self, facts: Visit, turn: int, /) -> tuple[Option, ...]:
        """The same three articles every time."""
        return ARTICLES

    def mean_reward(self, facts: Visit, option: Option, turn: int, /) -> float:
        """The click probabilities of the tutorial."""
        if facts.device == "mobile":
            return 0.2 if option.id == "finance_article" else 0.6
        if 9 <= facts.hour <= 17:
            return 0.65 if option.id == "finance_article" else 0.25
        return 0.55 if option.id == "travel_article" else 0.25
