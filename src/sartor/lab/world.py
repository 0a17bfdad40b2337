"""What a world is: situations, options, and rewards from known distributions, determined by a seed."""

import random
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Generic, TypeAlias, TypeVar

from msgspec import Struct

JSONValue: TypeAlias = "str | int | float | bool | Sequence[JSONValue] | dict[str, JSONValue]"
Features: TypeAlias = "list[dict[str, JSONValue]]"
Facts = TypeVar("Facts")


class Option(Struct, frozen=True):
    """One action as it is sent to the service."""

    id: str
    features: Features


class Situation(Struct, Generic[Facts], frozen=True, kw_only=True):
    """One situation in which an option must be chosen.

    ``facts`` is what the world knows about it; only ``context`` and ``options`` are sent to the service. The
    first option is the baseline: what the application would have shown.
    """

    turn: int
    facts: Facts
    context: Features
    options: tuple[Option, ...]


class World(ABC, Generic[Facts]):
    """An application with its users. Two worlds of one name and seed are the same, turn for turn.

    A world draws what it knows about a user (``draw_facts``), how the application describes it (``describe``,
    ``list_options``), the mean reward of each option (``mean_reward``), and a reward with that mean
    (``draw_reward``).
    """

    name: ClassVar[str]
    reward_is: ClassVar[str]
    """What one reward measures, in words."""
    turns: ClassVar[int] = 2_000
    """How many turns ``sartor lab`` plays by default."""
    delay_turns: ClassVar[int] = 0
    """How many turns pass before a reward is known."""
    drifts: ClassVar[bool] = False
    """Whether expected rewards change over time."""
    options_change: ClassVar[bool] = False
    """Whether options come and go."""
    sparse: ClassVar[bool] = False
    """Whether rewards other than 0 are rare."""

    def __init__(self, *, seed: int = 0) -> None:
        self.seed = seed

    def situation(self, turn: int, /) -> Situation[Facts]:
        """Returns the situation of a turn; turns count from 0."""
        facts = self.draw_facts(self._random("meet", turn), turn)
        return Situation(
            turn=turn, facts=facts, context=self.describe(facts), options=self.list_options(facts, turn)
        )

    def expected_reward(self, situation: Situation[Facts], option: int, /) -> float:
        """Returns the mean reward of an option in a situation; ``reward`` draws around it."""
        return self.mean_reward(situation.facts, situation.options[option], situation.turn)

    def expected_rewards(self, situation: Situation[Facts], /) -> list[float]:
        """Returns the expected reward of every option, in order."""
        return [self.expected_reward(situation, option) for option in range(len(situation.options))]

    def reward(self, situation: Situation[Facts], option: int, /, *, repeat: int = 0) -> float:
        """Draws the reward of an option. The random numbers of a turn are the same for every option.

        Args:
            situation: one of this world.
            option: the index of the option that was shown.
            repeat: another number gives another draw for the same turn.
        """
        return self.draw_reward(
            self.reward_rng(situation.turn, repeat=repeat), self.expected_reward(situation, option)
        )

    def reward_rng(self, turn: int, /, *, repeat: int = 0) -> random.Random:
        """Returns the random numbers from which the rewards of a turn are drawn."""
        return self._random("pay", turn, repeat)

    @abstractmethod
    def draw_facts(self, rng: random.Random, turn: int, /) -> Facts:
        """Draws the user and the time of a turn."""

    @abstractmethod
    def describe(self, facts: Facts, /) -> Features:
        """Returns the context features that the application would send."""

    @abstractmethod
    def list_options(self, facts: Facts, turn: int, /) -> tuple[Option, ...]:
        """Returns the options of a turn, the baseline first."""

    @abstractmethod
    def mean_reward(self, facts: Facts, option: Option, turn: int, /) -> float:
        """Returns the expected reward of an option."""

    def draw_reward(self, rng: random.Random, mean: float, /) -> float:
        """Draws a reward with this mean; here 1 with that probability, else 0."""
        return 1.0 if rng.random() < mean else 0.0

    def _random(self, *purpose: object) -> random.Random:
        return random.Random("/".join(map(str, (self.name, self.seed, *purpose))))


def draw_share(rng: random.Random, mean: float, /, *, concentration: float = 6.0) -> float:
    """Draws a number between 0 and 1 with this mean (Beta distribution): a score, or a share of time."""
    return rng.betavariate(concentration * mean, concentration * (1 - mean))
