"""The next exercise for a learner, out of fifty."""

import random

from msgspec import Struct

from sartor.lab.world import Features, Option, World, draw_share

TOPICS = ("fractions", "algebra", "geometry", "statistics", "logic")
FORMS = ("video", "quiz")
LEVELS = 5
EXERCISES = tuple(
    (f"{topic}_{level}_{form}", topic, level, form)
    for topic in TOPICS
    for level in range(1, LEVELS + 1)
    for form in FORMS
)
TEACHES = {"easy": 0.18, "next": 0.60, "stretch": 0.32, "far": 0.05}
STEPS = {1: "next", 2: "stretch"}


class Learner(Struct, frozen=True):
    """A learner: mastery of each topic (levels 0 to 5), what they study for, and how they like to learn."""

    mastery: tuple[int, ...]
    goal: str
    likes: str
    streak: int


class LearningContent(World[Learner]):
    """Domain: teaching. Reward: the score of the check after the exercise, weighted by what it taught, 0 to 1.

    Best policy: an exercise of the goal's topic, one level above the learner's mastery, in the form that the
    learner likes. Difficulty: there are 50 actions, so an id is met once in fifty turns at first; a
    learner has to carry over from topic, distance in level and form.
    """

    name = "learning-content"
    reward_is = "score after the exercise"
    turns = 5_000

    def draw_facts(self, rng: random.Random, turn: int, /) -> Learner:
        """Mastery is anything; goals and likings are in equal shares."""
        return Learner(
            mastery=tuple(rng.randrange(LEVELS) for _ in TOPICS),
            goal=rng.choice(TOPICS),
            likes=rng.choice(FORMS),
            streak=rng.randrange(15),
        )

    def describe(self, facts: Learner, /) -> Features:
        """The goal, the liking and the streak; mastery goes with the exercises."""
        return [{"learner": {"goal": facts.goal, "likes": facts.likes, "streakDays": facts.streak}}]

    def list_options(self, facts: Learner, turn: int, /) -> tuple[Option, ...]:
        """All fifty exercises, each with its distance from what the learner masters."""
        mastery = dict(zip(TOPICS, facts.mastery, strict=True))
        return tuple(
            Option(name, [{"topic": topic, "form": form, "step": step(level - mastery[topic])}])
            for name, topic, level, form in EXERCISES
        )

    def mean_reward(self, facts: Learner, option: Option, turn: int, /) -> float:
        """One level above mastery teaches most; too hard teaches nothing, too easy little."""
        exercise = option.features[0]
        score = TEACHES[str(exercise["step"])] * (1.0 if exercise["topic"] == facts.goal else 0.45)
        return score + (0.2 if exercise["form"] == facts.likes else 0.02)

    def draw_reward(self, rng: random.Random, mean: float, /) -> float:
        """A score around the mean."""
        return draw_share(rng, mean)


def step(levels: int) -> str:
    """How far an exercise lies above what is mastered, in levels: as a word."""
    return "easy" if levels <= 0 else STEPS.get(levels, "far")
