"""A world whose numbers arrive in other units: what is known of its users and what they pay stay the same."""

import random
from collections.abc import Callable, Mapping
from typing import Any

from sartor.lab.world import Features, Option, World

RESCALINGS: Mapping[str, Callable[[float], float]] = {
    "plus-1000": lambda number: number + 1_000,
    "thousandth": lambda number: number * 0.001,
    "times-2.54": lambda number: number * 2.54,
    "million-times": lambda number: number * 1_000_000,
}
"""What is done to every number of the context and of the actions, by name."""


class RescaledWorld(World[Any]):
    """Another world with its numbers changed; an integer stays one where it can."""

    def __init__(self, inner: World[Any], rescaling: str, /) -> None:
        super().__init__(seed=inner.seed)
        self._inner = inner
        self._change = RESCALINGS[rescaling]
        vars(self).update(  # of this world, whatever its class says
            name=inner.name,
            reward_is=inner.reward_is,
            delay_turns=inner.delay_turns,
            batch_turns=getattr(inner, "batch_turns", 1),
        )

    def draw_facts(self, rng: random.Random, turn: int, /) -> Any:
        """As in the other world."""
        return self._inner.draw_facts(rng, turn)

    def describe(self, facts: Any, /) -> Features:
        """In other units."""
        return _change_features(self._inner.describe(facts), self._change)

    def list_options(self, facts: Any, turn: int, /) -> tuple[Option, ...]:
        """In other units."""
        options = self._inner.list_options(facts, turn)
        return tuple(Option(option.id, _change_features(option.features, self._change)) for option in options)

    def mean_reward(self, facts: Any, option: Option, turn: int, /) -> float:
        """As in the other world, for its option of the same id."""
        known = {one.id: one for one in self._inner.list_options(facts, turn)}
        return self._inner.mean_reward(facts, known[option.id], turn)

    def draw_reward(self, rng: random.Random, mean: float, /) -> float:
        """As in the other world."""
        return self._inner.draw_reward(rng, mean)


def _change_features(features: Features, change: Callable[[float], float]) -> Features:
    return [{name: _change_numbers(value, change) for name, value in one.items()} for one in features]


def _change_numbers(value: Any, change: Callable[[float], float]) -> Any:
    if isinstance(value, dict):
        return {name: _change_numbers(inner, change) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_change_numbers(inner, change) for inner in value]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    return change(value)
