"""The SQLite store of one instance: a folder that holds everything (see ``layout``)."""

import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from sartor.errors import StoreUnavailable
from sartor.ports import Loop
from sartor.settings import Durability
from sartor.stores.catalog import SqliteCatalog
from sartor.stores.checkpoint import checkpoint
from sartor.stores.connection import Connection
from sartor.stores.events import SqliteEvents
from sartor.stores.jobs import SqliteJobs
from sartor.stores.keyring import Keyring, master_key_of
from sartor.stores.layout import Layout
from sartor.stores.models import SqliteModels
from sartor.stores.outcomes import SqliteOutcomes
from sartor.stores.probe import Probe


def now_us() -> int:
    """The time of this machine, in microseconds since 1970."""
    return time.time_ns() // 1000


def open_stores(
    folder: Path,
    /,
    *,
    durability: Durability = "commit",
    master_key: bytes | None = None,
    clock_us: Callable[[], int] = now_us,
) -> "SqliteStores":
    """Everything that an instance keeps, in this folder; made at first use.

    Args:
        folder: the data folder.
        durability: ``fsync`` lets each commit of a loop wait for the disk. The catalog always waits.
        master_key: seals the keys of loops; by default the text in ``secret.key``, made at first use.
        clock_us: microseconds since 1970.

    Raises:
        StoreUnavailable: the folder can't be made or written.
        InvalidSetting: the master key is too short.
    """
    layout = Layout(folder)
    layout.prepare()
    keyring = Keyring(master_key_of(layout.secret_key) if master_key is None else master_key)
    return SqliteStores(layout, keyring, durability=durability, clock_us=clock_us)


class SqliteLoopStores:
    """The stores of one loop. Open one for each thread; opening costs nothing until it is used."""

    def __init__(
        self,
        folder: Path,
        /,
        *,
        loop_id: str,
        durability: Durability,
        clock_us: Callable[[], int],
    ) -> None:
        self._connection = Connection(
            folder / "outcomes.sqlite", "outcomes", owner=loop_id, durability=durability
        )
        self.outcomes = SqliteOutcomes(self._connection)
        self.models = SqliteModels(folder / "models", self._connection)
        self.events = SqliteEvents(
            folder,
            loop_id=loop_id,
            durability=durability,
            clock_us=clock_us,
            settled=lambda: self.outcomes.counts().cursor,
        )
        self.jobs = SqliteJobs(folder, loop_id=loop_id)

    def close(self) -> None:
        """Release files and connections; idempotent."""
        self.events.close()
        self.jobs.close()
        self._connection.close()


class SqliteStores:
    """A ``Stores`` in one folder. ``close`` it at the end."""

    def __init__(
        self,
        layout: Layout,
        keyring: Keyring,
        /,
        *,
        durability: Durability,
        clock_us: Callable[[], int],
    ) -> None:
        self._layout = layout
        self._durability: Durability = durability
        self._clock_us = clock_us
        self._connection = Connection(layout.catalog, "catalog", durability="fsync")
        self._probe = Probe(layout)
        self.catalog = SqliteCatalog(layout, self._connection, keyring)

    def open(self, loop: Loop, /) -> SqliteLoopStores:
        """The stores of a loop, made at first use. The caller closes them.

        Raises:
            StoreUnavailable: its folder can't be made.
            InvalidSetting: its name can't be a folder's.
        """
        return SqliteLoopStores(
            self._layout.make_loop(loop.name),
            loop_id=loop.loop_id,
            durability=self._durability,
            clock_us=self._clock_us,
        )

    def tidy(self, loop: Loop, /) -> None:
        """Copy the loop's write-ahead logs back.

        Raises:
            StoreUnavailable: its folder can't be written now.
        """
        folder = self._layout.loop(loop.name)
        for kind in ("events", "outcomes"):
            checkpoint(folder / f"{kind}.sqlite", kind, owner=loop.loop_id)

    def purge(self) -> Sequence[str]:
        """Remove the folders of deleted loops.

        Raises:
            StoreUnavailable: they can't be removed now; the next purge goes on.
        """
        self.catalog.set_aside_deleted()
        deleted = self.catalog.deleted()
        for loop_id in deleted:
            for remains in self._layout.remains(loop_id):
                _remove(remains)
            self.catalog.forget(loop_id)
        return deleted

    def check_writable(self) -> None:
        """Try to commit something.

        Raises:
            StoreUnavailable: an event could not be committed now.
        """
        self._probe.check()

    def close(self) -> None:
        """Release files and connections; idempotent."""
        self._probe.close()
        self._connection.close()


def _remove(folder: Path) -> None:
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise StoreUnavailable(f"{folder} can't be removed: {error.strerror}.") from error
