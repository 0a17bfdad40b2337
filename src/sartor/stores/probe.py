"""Whether an event could be committed now, found out by trying."""

import os
from contextlib import suppress
from uuid import uuid4

from sartor.errors import StoreUnavailable
from sartor.stores.connection import SqliteConnection
from sartor.stores.layout import Layout
from sartor.stores.statements import statements

_TRY_WRITE = statements("catalog")["try_write"]

_BYTES = 65_536


class Probe:
    """Tries a write in a data folder; under a millisecond, and without waiting for the disk."""

    def __init__(self, layout: Layout, /) -> None:
        self._folder = layout.root
        self._connection = SqliteConnection(layout.catalog, "catalog")

    def check(self) -> None:
        """Commit something, and find room for something larger.

        Raises:
            StoreUnavailable: an event could not be committed now.
        """
        with self._connection.transaction() as raw:
            raw.execute(_TRY_WRITE)
        # A full disk still takes a small commit where the write-ahead log has room from before.
        self._find_room()

    def close(self) -> None:
        """Close the connection; idempotent."""
        self._connection.close()

    def _find_room(self) -> None:
        file = self._folder / f".probe-{uuid4().hex}"
        try:
            file.write_bytes(os.urandom(_BYTES))
        except OSError as error:
            raise StoreUnavailable(f"{self._folder} can't be written: {error.strerror}.") from error
        finally:
            with suppress(OSError):
                file.unlink(missing_ok=True)
