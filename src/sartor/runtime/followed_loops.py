"""The loops of an instance, followed: after the first reading, a change costs what changed."""

from collections.abc import Sequence

from sartor.loops import LoopChanges
from sartor.ports import Catalog, Loop


class FollowedLoops:
    """The loops in service as of the last ``follow``. One for each thread that visits them."""

    def __init__(self, catalog: Catalog, /) -> None:
        """Nothing is read yet."""
        self._catalog = catalog
        self._version: int | None = None
        self._by_id: dict[str, Loop] = {}
        self._by_name: Sequence[Loop] | None = None

    def follow(self) -> LoopChanges:
        """Read what changed since the last call; returns it. Costs microseconds while nothing changes.

        Of the result, ``gone`` holds every loop that was known and is not in service any more, and ``loops``
        those that are new or not as they were.

        Raises:
            StoreUnavailable: the catalog can't be read now; the loops stay as they are known.
            Corrupt: it is damaged, or its keys were encrypted with another secret key.
        """
        version = self._catalog.version()
        if version == self._version:
            return LoopChanges(version=version)
        changes = self._catalog.changes(since=self._version)
        gone = changes.gone
        if changes.complete:
            gone = tuple(self._by_id.keys() - {loop.loop_id for loop in changes.loops})
        left = tuple(loop_id for loop_id in gone if self._by_id.pop(loop_id, None) is not None)
        new = tuple(loop for loop in changes.loops if self._by_id.get(loop.loop_id) != loop)
        self._by_id.update((loop.loop_id, loop) for loop in new)
        self._by_name = None
        self._version = changes.version
        return LoopChanges(version=changes.version, loops=new, gone=left)

    def all(self) -> Sequence[Loop]:
        """Returns the loops by name, as of the last ``follow``."""
        if self._by_name is None:
            self._by_name = sorted(self._by_id.values(), key=lambda loop: loop.name)
        return self._by_name

    def current(self) -> Sequence[Loop]:
        """Follow, and return the loops by name.

        Raises:
            StoreUnavailable: the catalog can't be read now.
            Corrupt: it is damaged, or its keys were encrypted with another secret key.
        """
        self.follow()
        return self.all()
