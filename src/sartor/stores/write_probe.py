"""Tries whether an event could be committed now."""

import os
from contextlib import suppress
from uuid import uuid4

from sartor.errors import StoreUnavailable
from sartor.private_files import write_private
from sartor.stores.connection import SqliteConnection
from sartor.stores.layout import Layout
from sartor.stores.schema import read_statements

_TRY_WRITE = read_statements("catalog")["try_write"]

_BYTES = 65_536


class WriteProbe:
    """Tries a write in a data folder; takes under a millisecond, and does not wait for the disk."""

    def __init__(self, layout: Layout, /) -> None:
        self._folder = layout.root
        self._connection = SqliteConnection(layout.catalog, "catalog", made=layout.made)

    def check(self) -> None:
        """Commits something, and writes and removes a file of 64 KiB.

        Raises:
            StoreUnavailable: an event could not be committed now.
        """
        with self._connection.transaction() as raw:
            raw.execute(_TRY_WRITE)
        # A full disk still takes a small commit if the write-ahead log has free space.
        self._write_file()

    def close(self) -> None:
        """Closes the connection; idempotent."""
        self._connection.close()

    def _write_file(self) -> None:
        file = self._folder / f".probe-{uuid4().hex}"
        try:
            write_private(file, os.urandom(_BYTES))
        except OSError as error:
            raise StoreUnavailable(f"{self._folder} can't be written: {error.strerror}.") from error
        finally:
            with suppress(OSError):
                file.unlink(missing_ok=True)
