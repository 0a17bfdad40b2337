"""What every estimator is: sums that grow by batches, merge, and can be stored.

Memory is constant: a state holds sums and a few settings, never rows. ``a + b`` equals an accumulator that
was fed with the batches of both (up to rounding in the last digits), in whatever order they came, so that
five-minute windows make hours, and processes that share a log make one answer.
"""

from abc import abstractmethod
from typing import ClassVar, Self

import msgspec
from msgspec import Struct

from sartor.errors import Corrupt, InvalidColumns
from sartor.estimators.columns import Columns
from sartor.estimators.interval import Interval


class Mergeable(Struct, kw_only=True, tag=True):
    """Fields are sums, unless named in one of the class variables."""

    SETTINGS: ClassVar[frozenset[str]] = frozenset()
    LARGEST: ClassVar[frozenset[str]] = frozenset()
    SMALLEST: ClassVar[frozenset[str]] = frozenset()

    def __add__(self, other: Self) -> Self:
        """A new accumulator that has seen what both have seen.

        Raises:
            InvalidColumns: they are of different kinds or have different settings.
        """
        if type(other) is not type(self):
            raise InvalidColumns(f"{type(self).__name__} and {type(other).__name__} can't be merged.")
        return msgspec.structs.replace(self, **{n: self._merged(n, other) for n in self.__struct_fields__})

    def state(self) -> bytes:
        """All of it in a few hundred bytes (MessagePack)."""
        return msgspec.msgpack.encode(self)

    @classmethod
    def from_state(cls, state: bytes, /) -> Self:
        """The accumulator whose ``state()`` this is.

        Raises:
            Corrupt: the bytes are not a state of this kind.
        """
        try:
            return msgspec.msgpack.decode(state, type=cls)
        except msgspec.DecodeError as error:
            raise Corrupt(f"Not a state of {cls.__name__}: {error}") from error

    def _merged(self, name: str, other: Self) -> object:
        mine, theirs = getattr(self, name), getattr(other, name)
        if name in self.SETTINGS:
            if mine != theirs:
                raise InvalidColumns(f"Merging needs equal {name}: {mine} is not {theirs}.")
            return mine
        if name in self.LARGEST:
            return max(mine, theirs)
        if name in self.SMALLEST:
            return min(mine, theirs)
        if isinstance(mine, list):
            return [a + b for a, b in zip(mine, theirs, strict=True)]
        if isinstance(mine, dict):
            both = {key: mine[key] + theirs[key] for key in mine.keys() & theirs.keys()}
            return mine | theirs | both
        return mine + theirs


class Accumulator(Mergeable, kw_only=True):
    """Sums over batches of columns."""

    def add(self, columns: Columns, /) -> None:
        """Take in one batch.

        Raises:
            InvalidColumns: a column that is needed is missing; nothing was added.
        """
        for block in columns.blocks():
            self._take(block)

    @abstractmethod
    def _take(self, columns: Columns, /) -> None:
        """Take in one block, of at least one row."""


class Estimator(Accumulator, kw_only=True):
    """An accumulator that answers: a value and an interval, in units of reward per decision."""

    @abstractmethod
    def value(self) -> float | None:
        """The estimate; None where nothing was seen that could give one."""

    @abstractmethod
    def interval(self, alpha: float = 0.05) -> Interval | None:
        """Holds the policy's value with probability 1 - ``alpha``; None where there is too little to say.

        In which sense it holds is said by each class.
        """
