"""A blob store in memory."""

from collections.abc import Sequence

from sartor.testing.disk import Disk


class MemoryBlobStore:
    """A ``Shelf`` that lives as long as the object."""

    def __init__(self, *, disk: Disk) -> None:
        self._disk = disk
        self._kept: dict[str, bytes] = {}

    def put(self, name: str, content: bytes, /) -> None:
        """Keep a content under a name."""
        self._disk.check()
        self._kept[name] = content

    def get(self, name: str, /) -> bytes | None:
        """What was kept under a name."""
        self._disk.check()
        return self._kept.get(name)

    def names(self) -> Sequence[str]:
        """All names that hold something, in order."""
        self._disk.check()
        return sorted(self._kept)

    def delete(self, name: str, /) -> None:
        """Forget a name; idempotent."""
        self._disk.check()
        self._kept.pop(name, None)
