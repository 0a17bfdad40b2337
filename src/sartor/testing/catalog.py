"""A catalog in memory."""

from collections.abc import Sequence

from msgspec.structs import replace

from sartor.errors import LoopExists, LoopNotFound
from sartor.ports import Loop
from sartor.testing.disk import Disk


class MemoryCatalog:
    """A ``Catalog`` that lives as long as the object. It takes any name."""

    def __init__(self, *, disk: Disk) -> None:
        self._disk = disk
        self._loops: dict[str, Loop] = {}
        self._version = 0
        self.deleted: list[str] = []

    def loops(self) -> Sequence[Loop]:
        """All loops, by name."""
        self._disk.check()
        return [self._loops[name] for name in sorted(self._loops)]

    def create(self, loop: Loop, /) -> None:
        """Add a loop.

        Raises:
            LoopExists: the name is taken.
        """
        self._disk.check()
        if loop.name in self._loops:
            raise LoopExists(f"There is a loop {loop.name!r} already.")
        self._loops[loop.name] = loop
        self._version += 1

    def update(self, loop: Loop, /) -> Loop:
        """Replace the loop of that name and id; returns it with the next version.

        Raises:
            LoopNotFound: there is no such loop, or another one has taken its name.
        """
        stored = self._stored(loop.name)
        if stored.loop_id != loop.loop_id:
            raise LoopNotFound(f"The loop {loop.name!r} was deleted; another one has its name.")
        updated = replace(loop, version=stored.version + 1)
        self._loops[loop.name] = updated
        self._version += 1
        return updated

    def delete(self, name: str, /) -> None:
        """Take a loop out of service.

        Raises:
            LoopNotFound: there is no such loop.
        """
        self.deleted.append(self._stored(name).loop_id)
        del self._loops[name]
        self._version += 1

    def version(self) -> int:
        """How often the loops changed."""
        self._disk.check()
        return self._version

    def _stored(self, name: str) -> Loop:
        self._disk.check()
        if name not in self._loops:
            raise LoopNotFound(f"There is no loop {name!r}.")
        return self._loops[name]
