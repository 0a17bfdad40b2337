"""The first result of a frequent, ambiguous search."""

import random

from msgspec import Struct

from sartor.lab.world import Features, Option, World

DOCUMENTS = (
    ("overview", "page"),
    ("quickstart", "guide"),
    ("install_guide", "guide"),
    ("api_reference", "reference"),
    ("changelog", "reference"),
    ("pricing", "shop"),
    ("buy_licence", "shop"),
    ("forum_thread", "community"),
    ("video_course", "community"),
    ("bug_tracker", "reference"),
)
WANTS = {
    "learn": {"guide": 0.42, "community": 0.25, "page": 0.20},
    "look_up": {"reference": 0.45, "guide": 0.18},
    "buy": {"shop": 0.48, "page": 0.22},
    "fix": {"community": 0.36, "reference": 0.28},
}
SIGNS = {
    "learn": "how to start",
    "look_up": "options list",
    "buy": "price licence",
    "fix": "error does not work",
}


class Search(Struct, frozen=True):
    """A search; ``relevance`` is the search engine's own score of each document (0 to 1)."""

    intent: str
    words: str
    seniority: str
    clicks: int
    relevance: tuple[float, ...]


class SearchReranking(World[Search]):
    """Domain: site search. Reward: 1 when the first result is clicked and the searcher does not come back.

    Best policy: among documents of the kind that the intent wants, the one that the search engine scores
    highest. Difficulty: the kind and the score multiply, the intent shows only in the words and the
    searcher's history, and the engine's own order (the baseline) is already better than chance.
    """

    name = "search-reranking"
    reward_is = "satisfied click on the first result"
    turns = 5_000

    def draw_facts(self, rng: random.Random, turn: int, /) -> Search:
        """An intent, its words (one search in five gives none away), and the engine's scores."""
        intent = rng.choices(tuple(WANTS), (35, 25, 15, 25))[0]
        return Search(
            intent=intent,
            words=SIGNS[intent] if rng.random() < 0.8 else "docs",
            seniority=rng.choice(("new", "regular", "expert")),
            clicks=rng.randrange(30),
            relevance=tuple(round(rng.uniform(0.2, 1.0), 2) for _ in DOCUMENTS),
        )

    def describe(self, facts: Search, /) -> Features:
        """The words of the query, and the searcher."""
        return [
            {"query": {"_text": facts.words}},
            {"searcher": {"seniority": facts.seniority, "clicks30d": facts.clicks}},
        ]

    def list_options(self, facts: Search, turn: int, /) -> tuple[Option, ...]:
        """The ten documents in the order of the search engine."""
        order = sorted(range(len(DOCUMENTS)), key=lambda place: -facts.relevance[place])
        return tuple(
            Option(DOCUMENTS[place][0], [{"kind": DOCUMENTS[place][1], "score": facts.relevance[place]}])
            for place in order
        )

    def mean_reward(self, facts: Search, option: Option, turn: int, /) -> float:
        """What the intent wants of that kind, scaled by the relevance; experts skip the guides."""
        place = next(i for i, (name, _) in enumerate(DOCUMENTS) if name == option.id)
        wanted = WANTS[facts.intent].get(DOCUMENTS[place][1], 0.05)
        if facts.seniority == "expert" and DOCUMENTS[place][1] == "guide":
            wanted *= 0.5
        return wanted * (0.5 + facts.relevance[place])
