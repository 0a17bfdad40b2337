"""The stores of loops, kept from one visit to the next: to make them anew costs more than most visits."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from sartor.ports import Loop, LoopStores, Stores

_Result = TypeVar("_Result")


class KeptLoopStores:
    """Stores of loops, for one thread. ``drop`` those of loops that are gone."""

    def __init__(self, stores: Stores, /) -> None:
        """Nothing is opened yet."""
        self._stores = stores
        self._kept: dict[str, tuple[str, LoopStores]] = {}

    def of(self, loop: Loop, /) -> LoopStores:
        """Returns the stores of a loop, opened at the first call; don't close them.

        Raises:
            StoreUnavailable: they can't be opened now.
        """
        kept = self._kept.get(loop.loop_id)
        if kept is not None and kept[0] == loop.name:
            return kept[1]
        self.drop(loop.loop_id)  # a loop that was recovered under another name has another folder
        opened = self._stores.open(loop)
        self._kept[loop.loop_id] = (loop.name, opened)
        return opened

    def call(self, loop: Loop, act: Callable[[LoopStores], _Result], /) -> _Result:
        """Call a function with the stores of a loop; after it raised, the next call opens them anew."""
        try:
            return act(self.of(loop))
        except Exception:
            self.drop(loop.loop_id)
            raise

    def drop(self, loop_id: str, /) -> None:
        """Close the stores of a loop, if any are kept: it is gone, or what is kept of it may be broken."""
        kept = self._kept.pop(loop_id, None)
        if kept is not None:
            kept[1].close()

    def keep_only(self, loops: Iterable[Loop], /) -> None:
        """Close those of all other loops."""
        for loop_id in self._kept.keys() - {loop.loop_id for loop in loops}:
            self.drop(loop_id)

    def close(self) -> None:
        """Close all of them."""
        for loop_id in list(self._kept):
            self.drop(loop_id)
