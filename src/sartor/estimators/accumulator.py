"""The base class of every estimator: sums that grow by batches, merge, and can be stored.

Memory is constant: a state holds sums and a few settings, never rows. ``a + b`` equals an accumulator to which
the batches of both were added (up to rounding in the last digits), in whatever order they came, so that
five-minute windows add up to hours, and the results of several processes to one.
"""

from abc import abstractmethod
from typing import ClassVar, Self

import msgspec
from msgspec import UNSET, Struct

from sartor.errors import Corrupt, InvalidColumns
from sartor.estimators.columns import Columns
from sartor.estimators.interval import Interval


class Mergeable(Struct, kw_only=True, tag=True):
    """Sums that can be added to others of their kind and stored.

    Every field is a sum (a number, a list or a dict of sums), unless a class variable names it: ``SETTINGS``
    must be equal in both, of ``LARGEST`` the maximum is kept, of ``SMALLEST`` the minimum.
    UNSET is an empty sum.
    """

    SETTINGS: ClassVar[frozenset[str]] = frozenset()
    LARGEST: ClassVar[frozenset[str]] = frozenset()
    SMALLEST: ClassVar[frozenset[str]] = frozenset()

    def __add__(self, other: Self) -> Self:
        """Returns a new accumulator with the sums of both.

        Raises:
            InvalidColumns: they are of different kinds or have different settings.
        """
        if type(other) is not type(self):
            raise InvalidColumns(f"{type(self).__name__} and {type(other).__name__} can't be merged.")
        return msgspec.structs.replace(self, **{n: self._merge_field(n, other) for n in self.__struct_fields__})

    def state(self) -> bytes:
        """Returns all fields as MessagePack, usually a few hundred bytes."""
        return msgspec.msgpack.encode(self)

    @classmethod
    def from_state(cls, state: bytes, /) -> Self:
        """Returns the accumulator whose ``state()`` this is.

        Raises:
            Corrupt: the bytes are not a state of this kind.
        """
        try:
            return msgspec.msgpack.decode(state, type=cls)
        except msgspec.DecodeError as error:
            raise Corrupt(f"Not a state of {cls.__name__}: {error}") from error

    def _merge_field(self, name: str, other: Self) -> object:
        mine, theirs = getattr(self, name), getattr(other, name)
        if name in self.SETTINGS:
            if mine != theirs:
                raise InvalidColumns(f"Merging needs equal {name}: {mine} is not {theirs}.")
            return mine
        if mine is UNSET or theirs is UNSET:
            return theirs if mine is UNSET else mine
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
    """Sums over the rows of batches of columns."""

    def add(self, columns: Columns, /) -> None:
        """Adds the rows of one batch.

        Raises:
            InvalidColumns: a column that is needed is missing; nothing was added.
        """
        for block in columns.blocks():
            self._take(block)

    @abstractmethod
    def _take(self, columns: Columns, /) -> None:
        """Adds one block of at least one row, checked already."""


class Estimator(Accumulator, kw_only=True):
    """An accumulator with a value and an interval, in units of reward per decision."""

    @abstractmethod
    def value(self) -> float | None:
        """Returns the estimate; None where the rows so far can't give one."""

    @abstractmethod
    def interval(self, alpha: float = 0.05) -> Interval | None:
        """Returns an interval at level 1 - ``alpha`` for the policy's value; None where there are too few rows.

        Each class says in which sense it covers the value: asymptotically, at one sample size, at all times.
        """
