"""The folders of the loops of one instance: that of a loop that was deleted is not made again."""

from pathlib import Path

from sartor.errors import LoopDeleted
from sartor.loops import Loop
from sartor.stores.catalog import SqliteCatalog
from sartor.stores.layout import Layout


class LoopFolders:
    """Finds and makes folders of loops, on behalf of those who may not know of a deletion yet."""

    def __init__(self, layout: Layout, catalog: SqliteCatalog, /) -> None:
        """Nothing is made yet."""
        self._layout = layout
        self._catalog = catalog
        self._found: set[str] = set()

    def find(self, loop: Loop, /, *, is_listed: bool = False) -> Path:
        """Returns the folder of a loop, created at first use.

        Args:
            loop: the loop.
            is_listed: whether it was in the catalog when the caller learned of it: it is gone if it is not now.

        Raises:
            LoopDeleted: the loop was deleted.
            StoreUnavailable: the folder can't be created, or the catalog can't be read.
            InvalidSetting: the name can't be a folder's.
            Corrupt: it was there, with the events of this loop, and is gone.
        """
        is_known = is_listed or loop.loop_id in self._found
        if not self._layout.loop(loop.name).exists() and self._is_deleted(loop.loop_id, is_known=is_known):
            raise LoopDeleted(f"The loop {loop.name!r} was deleted.")
        folder = self._layout.make_loop(loop.name, loop_id=loop.loop_id)
        self._found.add(loop.loop_id)
        return folder

    def _is_deleted(self, loop_id: str, *, is_known: bool) -> bool:
        # A loop that was purged left nothing behind: that there was one, only the caller knows.
        gone = is_known and self._catalog.find_by_id(loop_id) is None
        return gone or self._catalog.is_deleted(loop_id)
