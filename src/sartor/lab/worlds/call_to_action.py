"""The words on the button of a sign-up page."""

import random

from msgspec import Struct

from sartor.lab.world import Features, Option, World

TEXTS = (
    Option("sign_up", [{"label": {"_text": "sign up now"}, "commitment": "high"}]),
    Option("free_trial", [{"label": {"_text": "start your free trial"}, "commitment": "low"}]),
    Option("see_demo", [{"label": {"_text": "watch a short demo"}, "commitment": "none"}]),
    Option("talk_to_us", [{"label": {"_text": "talk to our team"}, "commitment": "none"}]),
)
SIGNS_UP = {
    "search": {"free_trial": 0.026, "sign_up": 0.008},
    "price_page": {"sign_up": 0.029, "free_trial": 0.014},
    "enterprise": {"talk_to_us": 0.028, "see_demo": 0.012},
    "social": {"see_demo": 0.018, "free_trial": 0.007},
}


class Prospect(Struct, frozen=True):
    """Someone on the page; ``pages_seen`` counts this visit."""

    came_from: str
    pages_seen: int
    device: str


class CallToAction(World[Prospect]):
    """Domain: any site with a sign-up. Reward: 1 for an account created in the same visit.

    Best policy: by where the visitor came from: searchers get the free trial, those from the price page
    sign up, enterprises talk, the curious watch a demo. Difficulty: it is sparse (under 3 in 100), and
    half of those who arrive are of the group that hardly ever signs up.
    """

    name = "call-to-action"
    reward_is = "an account created"
    turns = 10_000
    sparse = True

    def draw_facts(self, rng: random.Random, turn: int, /) -> Prospect:
        """Sources in fixed shares; those who compare prices have looked around."""
        came_from = rng.choices(tuple(SIGNS_UP), (30, 25, 20, 25))[0]
        return Prospect(
            came_from=came_from,
            pages_seen=rng.randint(3, 9) if came_from == "price_page" else rng.randint(1, 4),
            device=rng.choices(("phone", "desktop"), (50, 50))[0],
        )

    def describe(self, facts: Prospect, /) -> Features:
        """One flat object."""
        return [{"cameFrom": facts.came_from, "pagesSeen": facts.pages_seen, "device": facts.device}]

    def list_options(self, facts: Prospect, turn: int, /) -> tuple[Option, ...]:
        """The same four buttons; their words are a feature."""
        return TEXTS

    def mean_reward(self, facts: Prospect, option: Option, turn: int, /) -> float:
        """By source; forms are a burden on a phone."""
        signs_up = SIGNS_UP[facts.came_from].get(option.id, 0.004)
        return signs_up * (0.8 if facts.device == "phone" else 1.0)
