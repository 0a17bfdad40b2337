"""Public tables as bandits: the numbers of a row are the context as they are, its class is the right action."""

import csv
import random
from functools import cache
from pathlib import Path
from typing import ClassVar

from msgspec import Struct

from benchmarks.quality.stream import Facts, StreamWorld
from sartor.lab.world import Features, Option

FOLDER = Path(__file__).parents[2] / ".venv" / "quality" / "tables"
"""Where ``environment.py`` writes the tables; the libraries that hold them are installed there only."""


class Table(Struct, frozen=True):
    """The names of the columns, the rows, and the right class of each row as a number from 0."""

    columns: tuple[str, ...]
    rows: tuple[tuple[float, ...], ...]
    classes: tuple[int, ...]


@cache
def read_table(name: str, /) -> Table:
    """Reads a table: a line of names, then numbers, the class last.

    Raises:
        SystemExit: the table was not fetched yet; the message says how.
    """
    path = FOLDER / f"{name}.csv"
    if not path.exists():
        raise SystemExit(f"There is no {path}: run `python -m benchmarks.quality.environment` once.")
    with path.open(newline="") as file:
        names, *lines = csv.reader(file)
    rows = tuple(tuple(map(float, line[:-1])) for line in lines)
    return Table(tuple(names[:-1]), rows, tuple(int(line[-1]) for line in lines))


class TableWorld(StreamWorld):
    """Domain: a table with known classes. Reward: 1 for the right class, else 0.

    Best policy: the class of the row, always worth 1. Rows are drawn with replacement, so that a run may be
    longer than the table. Difficulty: plain numbers of any scale, and no features of the actions beyond their
    ids.
    """

    reward_is = "the right class"
    table: ClassVar[str]
    whole_numbers: ClassVar[bool] = False
    """Whether numbers without a fraction are sent as integers."""

    def prepare(self, rng: random.Random, /) -> None:
        """Read the table."""
        self._table = read_table(self.table)
        self._options = tuple(Option(f"class-{number}", []) for number in sorted(set(self._table.classes)))

    def draw_facts(self, rng: random.Random, turn: int, /) -> Facts:
        """Any row of the table."""
        return {"row": rng.randrange(len(self._table.rows))}

    def describe(self, facts: Facts, /) -> Features:
        """All columns."""
        row = self._table.rows[facts["row"]]
        values = [int(value) if self.whole_numbers and value.is_integer() else value for value in row]
        return [dict(zip(self._table.columns, values, strict=True))]

    def list_options(self, facts: Facts, turn: int, /) -> tuple[Option, ...]:
        """The classes of the table."""
        return self._options

    def mean_reward(self, facts: Facts, option: Option, turn: int, /) -> float:
        """1 for the right class."""
        return float(int(option.id.removeprefix("class-")) == self._table.classes[facts["row"]])


class Iris(TableWorld):
    """150 flowers, 4 numbers, 3 classes."""

    name = table = "iris"


class Wine(TableWorld):
    """178 wines, 13 numbers of scales from 0.1 to 1,000, 3 classes."""

    name = table = "wine"


class BreastCancer(TableWorld):
    """569 tumours, 30 numbers of scales from 0.001 to 1,000, 2 classes."""

    name = table = "breast-cancer"


class Digits(TableWorld):
    """1,797 pictures of 8 × 8 points from 0 to 16, 10 classes."""

    name = table = "digits"
    whole_numbers = True


class Segment(TableWorld):
    """2,310 pieces of outdoor pictures, 18 numbers, 7 classes."""

    name = table = "segment"


class Banana(TableWorld):
    """5,300 points of a plane, 2 classes that no line separates."""

    name = table = "banana"


class Phishing(TableWorld):
    """1,250 web pages, 9 numbers of three values each, 2 classes."""

    name = table = "phishing"


class Diabetes(TableWorld):
    """442 patients, 10 numbers, the progression of the disease in 4 ordered classes.

    The reward is 1 less a third for each class that the action is away from the right one.
    """

    name = table = "diabetes"
    reward_is = "closeness to the right class"

    def mean_reward(self, facts: Facts, option: Option, turn: int, /) -> float:
        """The closer, the better."""
        away = abs(int(option.id.removeprefix("class-")) - self._table.classes[facts["row"]])
        return 1.0 - away / 3.0
