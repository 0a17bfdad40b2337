"""What the worlds of this comparison have beside those of the lab: batches, and parameters from the seed."""

import math
import random
from typing import Any, ClassVar, TypeAlias

from sartor.lab.world import Option, World

Facts: TypeAlias = "dict[str, Any]"


class StreamWorld(World[Facts]):
    """A world whose facts are a dictionary of what is known about a turn.

    As in every world of the lab, all randomness comes from the name, the seed and the turn, so that all
    learners meet the same users, and an action would have earned the same whoever chose it.
    """

    batch_turns: ClassVar[int] = 1
    """Outcomes are learned in batches of so many turns; between them the model is the same."""

    def __init__(self, *, seed: int = 0) -> None:
        super().__init__(seed=seed)
        self.prepare(self._random("parameters"))

    def prepare(self, rng: random.Random, /) -> None:
        """Draw what stays the same for the whole run; here nothing."""


def list_plain(count: int, /, *, prefix: str = "a") -> tuple[Option, ...]:
    """Returns options that have an id and no features."""
    return tuple(Option(f"{prefix}{number}", []) for number in range(count))


def squash(value: float, /) -> float:
    """Returns the logistic function of a value: between 0 and 1."""
    return 1.0 / (1.0 + math.exp(-max(-50.0, min(50.0, value))))


def draw_amount(rng: random.Random, mean: float, /, *, chance: float, spread: float) -> float:
    """Draws a heavy-tailed amount: 0, or with this chance log-normal.

    Args:
        rng: the random numbers of the turn.
        mean: the mean of the amount, the zeros included.
        chance: how often it is not 0.
        spread: standard deviation of the logarithm.
    """
    bought = rng.random() < chance
    amount = rng.lognormvariate(math.log(max(mean, 1e-12) / chance) - spread * spread / 2, spread)
    return amount if bought else 0.0
