"""The subject line of a newsletter, judged by the clicks inside it."""

import random

from msgspec import Struct

from sartor.lab.world import Features, Option, World

SUBJECTS = (
    Option("plain", [{"tone": "neutral", "words": 4, "emoji": False, "personal": False}]),
    Option("question", [{"tone": "curious", "words": 7, "emoji": False, "personal": False}]),
    Option("last_chance", [{"tone": "urgent", "words": 5, "emoji": True, "personal": False}]),
    Option("by_name", [{"tone": "warm", "words": 6, "emoji": False, "personal": True}]),
)
CLICKS = {
    "reader": {"question": 0.028, "by_name": 0.010},
    "shopper": {"last_chance": 0.029, "plain": 0.008},
    "sleeper": {"by_name": 0.020, "last_chance": 0.004},
}


class Subscriber(Struct, frozen=True):
    """Who gets the mail; ``opened`` counts the last ten."""

    segment: str
    opened: int
    weekday: str
    client: str


class EmailSubject(World[Subscriber]):
    """Domain: e-mail marketing. Reward: 1 for a click inside the mail.

    Best policy: readers get the question, shoppers the last chance, sleepers their name. Difficulty: it
    is sparse. Even the best subject line is clicked in fewer than 3 mails of 100, so a thousand mails hold
    some twenty facts.
    """

    name = "email-subject"
    reward_is = "a click inside the mail"
    turns = 10_000
    sparse = True

    def draw_facts(self, rng: random.Random, turn: int, /) -> Subscriber:
        """Segments in fixed shares; sleepers open next to nothing."""
        segment = rng.choices(("reader", "shopper", "sleeper"), (40, 40, 20))[0]
        return Subscriber(
            segment=segment,
            opened=rng.randrange(2) if segment == "sleeper" else rng.randint(2, 10),
            weekday=rng.choice(("weekday", "weekend")),
            client=rng.choices(("phone", "webmail", "desktop"), (55, 30, 15))[0],
        )

    def describe(self, facts: Subscriber, /) -> Features:
        """The subscriber and the sending, each in its own namespace."""
        return [
            {"subscriber": {"segment": facts.segment, "openedOfTen": facts.opened}},
            {"sending": {"day": facts.weekday, "client": facts.client}},
        ]

    def list_options(self, facts: Subscriber, turn: int, /) -> tuple[Option, ...]:
        """The same four kinds of subject line."""
        return SUBJECTS

    def mean_reward(self, facts: Subscriber, option: Option, turn: int, /) -> float:
        """By segment; a little less at weekends."""
        clicks = CLICKS[facts.segment].get(option.id, 0.006)
        return clicks * (0.9 if facts.weekday == "weekend" else 1.0)
