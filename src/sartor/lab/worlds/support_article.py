"""The help article to show for a question, before it becomes a ticket."""

import random

from msgspec import Struct

from sartor.lab.world import Features, Option, World

WORDS = {
    "reset_password": "password reset forgot login locked account",
    "change_plan": "plan upgrade downgrade price billing change",
    "refund": "refund money back charged invoice billing",
    "export_data": "export download csv data backup file",
    "connect_calendar": "calendar sync connect google outlook events",
    "mobile_app": "app phone install android crash update",
    "invite_member": "invite member team user permission account",
    "two_factor": "code authenticator phone login security locked",
    "slow_pages": "slow loading page timeout browser wait",
    "delete_account": "delete close account cancel data leave",
}
NEIGHBOURS = {
    "reset_password": "two_factor",
    "two_factor": "reset_password",
    "refund": "change_plan",
    "change_plan": "refund",
    "delete_account": "export_data",
    "mobile_app": "slow_pages",
}
FILLER = ("how", "do", "i", "please", "help", "the", "my", "it", "not", "cannot", "why")
ARTICLES = tuple(
    Option(name, [{"title": {"_text": name.replace("_", " ")}, "minutes": 1 + len(words) % 4}])
    for name, words in WORDS.items()
)


class Question(Struct, frozen=True):
    """What was asked; ``problem`` is the article that would solve it, which no one but the world knows."""

    problem: str
    text: str
    product: str
    tickets: int


class SupportArticle(World[Question]):
    """Domain: customer support. Reward: 1 when no ticket follows.

    Best policy: the article about the problem behind the question. Difficulty: the question is free text
    with filler and shared words, and ten articles must each be met often enough to be known.
    """

    name = "support-article"
    reward_is = "solved without a ticket"
    turns = 5_000

    def draw_facts(self, rng: random.Random, turn: int, /) -> Question:
        """A problem, and three of its words among filler."""
        problem = rng.choices(tuple(WORDS), (20, 12, 10, 8, 8, 12, 8, 8, 8, 6))[0]
        words = rng.sample(WORDS[problem].split(), 3) + rng.sample(FILLER, 3)
        rng.shuffle(words)
        return Question(
            problem=problem,
            text=" ".join(words),
            product=rng.choice(("web", "mobile", "desktop")),
            tickets=rng.randrange(4),
        )

    def describe(self, facts: Question, /) -> Features:
        """The question as text, and who asks."""
        return [
            {"question": {"_text": facts.text}},
            {"account": {"product": facts.product, "ticketsBefore": facts.tickets}},
        ]

    def list_options(self, facts: Question, turn: int, /) -> tuple[Option, ...]:
        """The ten articles, the most asked first."""
        return ARTICLES

    def mean_reward(self, facts: Question, option: Option, turn: int, /) -> float:
        """The right article helps most, its neighbour sometimes, another one hardly ever."""
        helps = 0.06
        if option.id == facts.problem:
            helps = 0.78
        elif NEIGHBOURS.get(facts.problem) == option.id:
            helps = 0.35
        return helps * (1 - 0.05 * facts.tickets)
