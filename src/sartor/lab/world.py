"""What a world is: situations, options, and rewards from known distributions, all pure given a seed."""

import random
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Generic, TypeAlias, TypeVar

from msgspec import Struct

JSONValue: TypeAlias = "str | int | float | bool | Sequence[JSONValue] | dict[str, JSONValue]"
Features: TypeAlias = "list[dict[str, JSONValue]]"
Facts = TypeVar("Facts")


class Option(Struct, frozen=True):
    """One action as it goes over the wire."""

    id: str
    features: Features


class Situation(Struct, Generic[Facts], frozen=True, kw_only=True):
    """One moment in which something must be chosen.

    ``facts`` is what the world knows about it; only ``context`` and ``options`` go over the wire. The first
    option is the baseline: what the application would have shown by itself.
    """

    turn: int
    facts: Facts
    context: Features
    options: tuple[Option, ...]


class World(ABC, Generic[Facts]):
    """A trade with its users. Two worlds of one name and seed are the same world, turn for turn.

    A world says what it knows (``meet``), how the application describes it (``describe``, ``offer``), the
    expected reward of each option (``value``), and how a reward is drawn around it (``pay``).
    """

    name: ClassVar[str]
    reward_is: ClassVar[str]
    """What one reward measures, for people."""
    turns: ClassVar[int] = 2_000
    """How many turns ``sartor lab`` plays by default."""
    delay_turns: ClassVar[int] = 0
    """How many turns pass before a reward is known."""
    drifts: ClassVar[bool] = False
    comes_and_goes: ClassVar[bool] = False
    sparse: ClassVar[bool] = False

    def __init__(self, *, seed: int = 0) -> None:
        self.seed = seed

    def situation(self, turn: int, /) -> Situation[Facts]:
        """The situation of a turn; turns count from 0."""
        facts = self.meet(self._random("meet", turn), turn)
        return Situation(turn=turn, facts=facts, context=self.describe(facts), options=self.offer(facts, turn))

    def expected(self, situation: Situation[Facts], option: int, /) -> float:
        """The mean of the rewards of this option in this situation: what ``reward`` draws around."""
        return self.value(situation.facts, situation.options[option], situation.turn)

    def expectations(self, situation: Situation[Facts], /) -> list[float]:
        """The expected reward of every option, in order."""
        return [self.expected(situation, option) for option in range(len(situation.options))]

    def reward(self, situation: Situation[Facts], option: int, /, *, repeat: int = 0) -> float:
        """The reward of this option. The same turn draws the same luck, whatever was chosen.

        Args:
            situation: one of this world's.
            option: the index of the option that was shown.
            repeat: other numbers give other draws for the same turn.
        """
        return self.pay(self.luck(situation.turn, repeat=repeat), self.expected(situation, option))

    def luck(self, turn: int, /, *, repeat: int = 0) -> random.Random:
        """What the rewards of a turn are drawn from."""
        return self._random("pay", turn, repeat)

    @abstractmethod
    def meet(self, rng: random.Random, turn: int, /) -> Facts:
        """Who is there, and when."""

    @abstractmethod
    def describe(self, facts: Facts, /) -> Features:
        """The context features that the application would send."""

    @abstractmethod
    def offer(self, facts: Facts, turn: int, /) -> tuple[Option, ...]:
        """The options of a turn, the application's own choice first."""

    @abstractmethod
    def value(self, facts: Facts, option: Option, turn: int, /) -> float:
        """The expected reward of an option."""

    def pay(self, rng: random.Random, mean: float, /) -> float:
        """A reward whose mean is ``mean``; here: 1 with that probability, else 0."""
        return 1.0 if rng.random() < mean else 0.0

    def _random(self, *purpose: object) -> random.Random:
        return random.Random("/".join(map(str, (self.name, self.seed, *purpose))))


def share(rng: random.Random, mean: float, /, *, concentration: float = 6.0) -> float:
    """A draw between 0 and 1 with this mean (Beta): a score, or a share of time."""
    return rng.betavariate(concentration * mean, concentration * (1 - mean))
