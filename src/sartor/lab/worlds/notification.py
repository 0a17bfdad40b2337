"""The push notification to send, or not to send."""

import math
import random

from msgspec import Struct

from sartor.lab.world import Features, Option, Situation, World

CYCLE_TURNS = 6_000
"""How long it takes for tastes to turn once around."""

MESSAGES = (
    Option("digest", [{"kind": "summary", "urgency": "low", "length": 3}]),
    Option("friend_activity", [{"kind": "social", "urgency": "mid", "length": 1}]),
    Option("price_alert", [{"kind": "offer", "urgency": "high", "length": 1}]),
    Option("breaking_news", [{"kind": "news", "urgency": "high", "length": 2}]),
    Option("send_nothing", [{"kind": "none", "urgency": "none", "length": 0}]),
)
ENGAGES = {
    "social": {"friend_activity": 0.34, "digest": 0.12},
    "saver": {"price_alert": 0.36, "digest": 0.10},
    "informed": {"breaking_news": 0.32, "digest": 0.22},
    "tired": {"digest": 0.06},
}
PHASE = {"friend_activity": 0.0, "price_alert": 0.5, "breaking_news": 0.25, "digest": 0.75}


class Receiver(Struct, frozen=True):
    """Who would get it; ``sent_today`` counts what they got already."""

    segment: str
    sent_today: int
    part_of_day: str
    opted: str


class Outcomes(Struct, frozen=True):
    """The chances of the two things that can happen, besides nothing."""

    engages: float
    opts_out: float


class Notification(World[Receiver]):
    """Domain: mobile apps. Reward: +1 for engagement, -1 for an opt-out, 0 for neither.

    Best policy: the message of the receiver's segment, as long as it is worth its risk; nothing for the
    tired and for those who got enough today. Difficulty: it drifts slowly (each kind of message wears
    out and recovers over 6,000 turns), rewards are negative where one errs, and doing nothing is an option.
    """

    name = "notification"
    reward_is = "engagement minus opt-out"
    turns = 5_000
    drifts = True

    def draw_facts(self, rng: random.Random, turn: int, /) -> Receiver:
        """One in four is tired of it all."""
        return Receiver(
            segment=rng.choice(tuple(ENGAGES)),
            sent_today=rng.choices((0, 1, 2, 3, 4), (30, 25, 20, 15, 10))[0],
            part_of_day=rng.choice(("morning", "noon", "evening", "night")),
            opted=rng.choice(("all", "important")),
        )

    def describe(self, facts: Receiver, /) -> Features:
        """The receiver, and the moment."""
        return [
            {"receiver": {"segment": facts.segment, "sentToday": facts.sent_today, "opted": facts.opted}},
            {"moment": {"partOfDay": facts.part_of_day}},
        ]

    def list_options(self, facts: Receiver, turn: int, /) -> tuple[Option, ...]:
        """Four messages, and silence."""
        return MESSAGES

    def mean_reward(self, facts: Receiver, option: Option, turn: int, /) -> float:
        """The chance of engagement less the chance of an opt-out."""
        chances = self.chances(facts, option, turn)
        return chances.engages - chances.opts_out

    def reward(self, situation: Situation[Receiver], option: int, /, *, repeat: int = 0) -> float:
        """Engagement, an opt-out, or neither; never both."""
        chances = self.chances(situation.facts, situation.options[option], situation.turn)
        point = self.reward_rng(situation.turn, repeat=repeat).random()
        return 1.0 if point < chances.engages else -1.0 if point > 1 - chances.opts_out else 0.0

    def chances(self, facts: Receiver, option: Option, turn: int, /) -> Outcomes:
        """What may happen when this is sent."""
        if option.id == "send_nothing":
            return Outcomes(0.0, 0.0)
        wear = math.sin(2 * math.pi * (turn / CYCLE_TURNS + PHASE[option.id]))
        engages = ENGAGES[facts.segment].get(option.id, 0.04) * (1 + 0.4 * wear)
        annoys = 0.02 + 0.03 * facts.sent_today + (0.10 if facts.part_of_day == "night" else 0.0)
        return Outcomes(engages, annoys + (0.12 if facts.segment == "tired" else 0.0))
