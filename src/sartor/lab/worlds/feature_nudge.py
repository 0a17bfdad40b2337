"""The feature to point out to a user, known to have worked only much later."""

import random

from msgspec import Struct

from sartor.lab.world import Features, Option, World

NUDGES = (
    Option("keyboard_shortcuts", [{"area": "editing", "effort": 1}]),
    Option("shared_views", [{"area": "team", "effort": 2}]),
    Option("automations", [{"area": "power", "effort": 3}]),
    Option("mobile_app", [{"area": "access", "effort": 2}]),
    Option("reports", [{"area": "insight", "effort": 2}]),
    Option("none", [{"area": "none", "effort": 0}]),
)
ADOPTS = {
    "editor": {"keyboard_shortcuts": 0.45, "mobile_app": 0.15, "automations": 0.12},
    "lead": {"shared_views": 0.42, "reports": 0.30},
    "admin": {"automations": 0.40, "reports": 0.25},
    "guest": {"mobile_app": 0.25, "shared_views": 0.10},
}


class User(Struct, frozen=True):
    """A user of the product; counts are of the last 30 days."""

    role: str
    plan: str
    sessions: int
    on_phone: int


class FeatureNudge(World[User]):
    """Domain: product growth. Reward: 1 when the feature is used within the week.

    Best policy: shortcuts for editors, shared views for leads, automations for admins, the app for guests;
    and whoever is on the phone most of the time gets the app. Difficulty: the reward is delayed. It is
    known 200 turns later, so that every mistake is repeated before it is noticed.
    """

    name = "feature-nudge"
    reward_is = "feature used within the week"
    delay_turns = 200

    def draw_facts(self, rng: random.Random, turn: int, /) -> User:
        """Editors are the rule."""
        sessions = rng.randint(1, 60)
        return User(
            role=rng.choices(tuple(ADOPTS), (45, 20, 10, 25))[0],
            plan=rng.choices(("free", "team", "business"), (50, 35, 15))[0],
            sessions=sessions,
            on_phone=rng.randint(0, sessions),
        )

    def describe(self, facts: User, /) -> Features:
        """Role and plan, and counts as shares."""
        phone = round(facts.on_phone / facts.sessions, 2)
        return [
            {"user": {"role": facts.role, "plan": facts.plan}},
            {"history": {"sessions30d": facts.sessions, "phoneShare": phone}},
        ]

    def list_options(self, facts: User, turn: int, /) -> tuple[Option, ...]:
        """The same six nudges; one of them is to leave the user in peace."""
        return NUDGES

    def mean_reward(self, facts: User, option: Option, turn: int, /) -> float:
        """By role; the app by how much the phone is used; a nudge to nowhere earns nothing."""
        if option.id == "none":
            return 0.0
        adopts = ADOPTS[facts.role].get(option.id, 0.05)
        if option.id == "mobile_app":
            adopts += 0.45 * facts.on_phone / facts.sessions
        return adopts * (0.8 if facts.plan == "free" else 1.0)
