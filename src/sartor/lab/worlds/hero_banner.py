"""The banner at the top of a shop's home page, through the seasons."""

import random

from msgspec import Struct

from sartor.lab.world import Features, Option, World

SEASON_TURNS = 1_500
"""How long a season lasts; then the shop's visitors want something else."""

BANNERS = (
    Option("new_arrivals", [{"theme": "fashion", "tone": "inspire", "discount": 0}]),
    Option("clearance", [{"theme": "fashion", "tone": "urgent", "discount": 40}]),
    Option("members_week", [{"theme": "loyalty", "tone": "exclusive", "discount": 15}]),
    Option("gift_finder", [{"theme": "gifts", "tone": "helpful", "discount": 0}]),
    Option("outdoor", [{"theme": "sports", "tone": "inspire", "discount": 10}]),
    Option("free_delivery", [{"theme": "service", "tone": "helpful", "discount": 5}]),
)
APPEAL = {
    "new": {"free_delivery": 0.22, "new_arrivals": 0.12, "gift_finder": 0.10},
    "bargain": {"clearance": 0.30, "members_week": 0.10, "free_delivery": 0.15},
    "loyal": {"members_week": 0.28, "new_arrivals": 0.20, "outdoor": 0.08},
    "browsing": {"outdoor": 0.20, "new_arrivals": 0.15, "gift_finder": 0.12},
}
SEASONS: tuple[dict[str, float], ...] = (
    {},
    {"gift_finder": 0.22, "outdoor": -0.04},
    {"clearance": 0.22, "gift_finder": -0.05},
    {"outdoor": 0.20, "members_week": -0.12},
)


class Visitor(Struct, frozen=True):
    """Someone on the home page; ``visits`` counts the last 30 days."""

    segment: str
    visits: int
    device: str
    part_of_day: str


class HeroBanner(World[Visitor]):
    """Domain: a shop's home page. Reward: 1 for a click on the banner.

    Best policy: the banner that fits the visitor's segment, until the season's own banner beats it (gifts
    in the second season, clearance in the third, outdoor in the fourth). Difficulty: it drifts. Every
    1,500 turns the season changes at once, and what was learned about two banners is wrong.
    """

    name = "hero-banner"
    reward_is = "a click on the banner"
    drifts = True

    def draw_facts(self, rng: random.Random, turn: int, /) -> Visitor:
        """Segments in fixed shares; loyal visitors come more often."""
        segment = rng.choices(("new", "bargain", "loyal", "browsing"), (35, 25, 20, 20))[0]
        return Visitor(
            segment=segment,
            visits=0 if segment == "new" else rng.randint(1, 20 if segment == "loyal" else 6),
            device=rng.choices(("phone", "desktop", "tablet"), (60, 32, 8))[0],
            part_of_day=rng.choice(("morning", "noon", "evening", "night")),
        )

    def describe(self, facts: Visitor, /) -> Features:
        """The visitor and the visit, each in its own namespace."""
        return [
            {"user": {"segment": facts.segment, "visits": facts.visits}},
            {"visit": {"device": facts.device, "partOfDay": facts.part_of_day}},
        ]

    def list_options(self, facts: Visitor, turn: int, /) -> tuple[Option, ...]:
        """The same six banners all year."""
        return BANNERS

    def mean_reward(self, facts: Visitor, option: Option, turn: int, /) -> float:
        """Segment, plus season, less on small screens."""
        season = SEASONS[turn // SEASON_TURNS % len(SEASONS)]
        appeal = APPEAL[facts.segment].get(option.id, 0.04) + season.get(option.id, 0.0)
        return max(0.01, appeal) * (1.0 if facts.device == "desktop" else 0.85)
