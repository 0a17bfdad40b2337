"""The loops of an instance, followed: after the first reading, a change costs what changed."""

from collections.abc import Sequence

from sartor.loops import LoopChanges, UnreadableLoop
from sartor.ports import Catalog, Loop


class FollowedLoops:
    """The loops in service as of the last ``follow``. One for each thread that visits them."""

    def __init__(self, catalog: Catalog, /) -> None:
        """Nothing is read yet."""
        self._catalog = catalog
        self._version: int | None = None
        self._by_id: dict[str, Loop] = {}
        self._by_name: Sequence[Loop] | None = None
        self._unreadable: dict[str, UnreadableLoop] = {}

    def follow(self) -> LoopChanges:
        """Read what changed since the last call; returns it. Costs microseconds while nothing changes.

        Of the result, ``gone`` holds every loop that was known and is not in service any more, or can't be read
        any more, and ``loops`` those that are new or not as they were.

        Raises:
            StoreUnavailable: the catalog can't be read now; the loops stay as they are known.
            Corrupt: it is damaged, or its keys were encrypted with another secret key.
        """
        version = self._catalog.version()
        if version == self._version:
            return LoopChanges(version=version)
        changes = self._catalog.changes(since=self._version)
        damaged = {loop.loop_id: loop for loop in changes.unreadable}
        gone = (*changes.gone, *damaged)
        if changes.complete:
            gone = tuple(self._by_id.keys() - {loop.loop_id for loop in changes.loops})
            self._unreadable.clear()
        for loop_id in (*changes.gone, *(loop.loop_id for loop in changes.loops)):
            self._unreadable.pop(loop_id, None)
        self._unreadable.update(damaged)
        left = tuple(loop_id for loop_id in gone if self._by_id.pop(loop_id, None) is not None)
        new = tuple(loop for loop in changes.loops if self._by_id.get(loop.loop_id) != loop)
        self._by_id.update((loop.loop_id, loop) for loop in new)
        self._by_name = None
        self._version = changes.version
        return LoopChanges(version=changes.version, loops=new, unreadable=changes.unreadable, gone=left)

    def retry(self) -> None:
        """Read all loops at the next ``follow``: an entry that was damaged may have been mended."""
        self._version = None

    @property
    def unreadable(self) -> Sequence[UnreadableLoop]:
        """The loops in service whose entry is damaged, as of the last ``follow``."""
        return list(self._unreadable.values())

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
