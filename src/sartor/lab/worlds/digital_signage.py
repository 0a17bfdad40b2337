"""What a screen in a shopping street shows, by time and weather."""

import random
from collections.abc import Callable

from msgspec import Struct

from sartor.lab.world import Features, Option, World, draw_share

SPOTS = (
    Option("coffee", [{"kind": "drink", "served": "hot"}]),
    Option("ice_cream", [{"kind": "food", "served": "cold"}]),
    Option("umbrellas", [{"kind": "goods", "served": "none"}]),
    Option("lunch_menu", [{"kind": "food", "served": "hot"}]),
    Option("cinema", [{"kind": "event", "served": "none"}]),
    Option("sun_cream", [{"kind": "goods", "served": "none"}]),
    Option("soup", [{"kind": "food", "served": "hot"}]),
)


class Street(Struct, frozen=True):
    """The street at a moment; temperature in °C."""

    part_of_day: str
    weekend: bool
    sky: str
    temperature: int
    place: str


def _coffee(street: Street) -> float:
    return 0.32 * (street.part_of_day == "morning") - 0.006 * street.temperature + 0.08


def _ice_cream(street: Street) -> float:
    return 0.018 * (street.temperature - 10) - 0.25 * (street.sky == "rain")


def _umbrellas(street: Street) -> float:
    return 0.48 if street.sky == "rain" else -0.05


def _lunch_menu(street: Street) -> float:
    return 0.42 if street.part_of_day == "noon" else 0.02


def _cinema(street: Street) -> float:
    return 0.36 * (street.part_of_day == "evening") + 0.10 * street.weekend


def _sun_cream(street: Street) -> float:
    return (0.012 * street.temperature if street.sky == "clear" else -0.05) - 0.02


def _soup(street: Street) -> float:
    return 0.22 - 0.014 * street.temperature


PULL: dict[str, Callable[[Street], float]] = {
    "coffee": _coffee,
    "ice_cream": _ice_cream,
    "umbrellas": _umbrellas,
    "lunch_menu": _lunch_menu,
    "cinema": _cinema,
    "sun_cream": _sun_cream,
    "soup": _soup,
}
"""What time and weather add to each spot."""


class DigitalSignage(World[Street]):
    """Domain: digital out-of-home advertising. Reward: the share of passers-by who look, 0 to 1.

    Best policy: umbrellas in rain; ice cream, then sun cream, in the heat; lunch at noon; coffee on cold
    mornings; cinema on evenings. Difficulty: nobody is known, only the time and the weather are, and the
    temperature counts as a number, in opposite directions for different spots.
    """

    name = "digital-signage"
    reward_is = "share of passers-by who look"

    def draw_facts(self, rng: random.Random, turn: int, /) -> Street:
        """Any day of the year."""
        return Street(
            part_of_day=rng.choice(("morning", "noon", "afternoon", "evening")),
            weekend=rng.random() < 2 / 7,
            sky=rng.choices(("clear", "cloudy", "rain"), (45, 30, 25))[0],
            temperature=rng.randint(-5, 34),
            place=rng.choice(("station", "market", "mall")),
        )

    def describe(self, facts: Street, /) -> Features:
        """Time, weather and place; the temperature in tens of degrees, so that it is near 1."""
        return [
            {"time": {"partOfDay": facts.part_of_day, "weekend": facts.weekend}},
            {"weather": {"sky": facts.sky, "temperature": facts.temperature / 10}},
            {"place": {"kind": facts.place}},
        ]

    def list_options(self, facts: Street, turn: int, /) -> tuple[Option, ...]:
        """The same seven spots."""
        return SPOTS

    def mean_reward(self, facts: Street, option: Option, turn: int, /) -> float:
        """A floor, plus what time and weather add to each spot."""
        return min(0.9, max(0.04, 0.12 + PULL[option.id](facts)))

    def draw_reward(self, rng: random.Random, mean: float, /) -> float:
        """A share of the passers-by."""
        return draw_share(rng, mean, concentration=10.0)
