"""A cache by bytes that can't grow with the length of what callers send."""

from typing import Generic, TypeVar

_V = TypeVar("_V")


class BoundedCache(Generic[_V]):
    """Values by bytes, emptied when there are too many or when the bytes are too many together."""

    def __init__(self, *, entries: int = 4096, key_bytes: int = 4_000_000) -> None:
        """``entries`` and ``key_bytes``: the most of each."""
        self._entries = entries
        self._key_bytes = key_bytes
        self._values: dict[bytes, _V] = {}
        self._held_bytes = 0

    def get(self, key: bytes, /) -> _V | None:
        """Returns the value of a key; None: there is none."""
        return self._values.get(key)

    def put(self, key: bytes, value: _V, /) -> _V:
        """Keep a value, unless its key alone is too long; returns the value."""
        if len(key) > self._key_bytes:
            return value
        if len(self._values) >= self._entries or self._held_bytes + len(key) > self._key_bytes:
            self.clear()
        self._values[key] = value
        self._held_bytes += len(key)
        return value

    def clear(self) -> None:
        """Forget everything."""
        self._values.clear()
        self._held_bytes = 0
