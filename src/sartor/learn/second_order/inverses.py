"""The P of ridge regressions: symmetric, half of each stored, and spread out only where somebody learns."""

from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sartor.learn.second_order.columns import Indexes

Inverse: TypeAlias = NDArray[np.float32]


class InverseStack:
    """Several P of one size, by row. A process that only ranks never spreads them out."""

    def __init__(self, size: int) -> None:
        """No row yet. ``size``: how many columns each P has."""
        self._size = size
        self._full: Inverse = np.zeros((0, size, size), dtype=np.float32)
        self._packed: bytes | None = None

    @property
    def full(self) -> Inverse:
        """All of them, to be changed in place; shape (rows, size, size)."""
        if self._packed is not None:
            self._full = _unpack(self._packed, self._size)
            self._packed = None
        return self._full

    def ensure_rows(self, rows: int, /) -> None:
        """Have so many rows, at least."""
        full = self.full
        if rows > len(full):
            more = np.zeros((rows - len(full), self._size, self._size), dtype=np.float32)
            self._full = np.concatenate([full, more])

    def reset(self, row: int, penalty: float, /) -> None:
        """Begin a row: P is one over λ on the diagonal."""
        self.full[row] = np.eye(self._size, dtype=np.float32) * np.float32(1.0 / penalty)

    def load(self, packed: bytes, /) -> None:
        """Take the rows that ``pack`` returned, in place of what is there."""
        self._packed = packed

    def pack(self, rows: int, /) -> bytes:
        """Returns the lower triangles of the first rows; those that were loaded and not changed as they are."""
        if self._packed is not None:
            return self._packed
        below, columns = _triangle(self._size)
        return b"".join([inverse[below, columns].tobytes() for inverse in self._full[:rows]])


def count_packed_bytes(size: int, /) -> int:
    """Returns how many bytes a packed P of so many columns takes."""
    return 4 * (size * (size + 1) // 2)


def read_packed(packed: bytes, /) -> Inverse:
    """Returns the numbers of packed rows, one after the other, as they are in memory."""
    return np.frombuffer(packed, dtype=np.float32)


def _unpack(packed: bytes, size: int) -> Inverse:
    below, columns = _triangle(size)
    values = read_packed(packed).reshape(-1, len(below))
    full = np.zeros((len(values), size, size), dtype=np.float32)
    full[:, below, columns] = values
    full[:, columns, below] = values
    return full


@lru_cache(maxsize=64)
def _triangle(size: int) -> tuple[Indexes, Indexes]:
    rows, columns = np.tril_indices(size)
    return rows, columns
