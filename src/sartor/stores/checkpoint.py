"""Copying a write-ahead log back into its database, away from the request path.

A passive checkpoint disturbs no writer, but never catches up with one that does not pause; so a log that is
copied whole, or has grown large, is also cut. Cutting holds the write lock for the little that is left.

The first commit after a checkpoint waits for the disk (4-12 ms): SQLite syncs the header of a log that begins
anew. So it is not done oftener than it must: when a log has grown, or its loop has been quiet for a while.
"""

import time
from pathlib import Path

from sartor.stores.connection import Connection

LONGEST_WAL_BYTES = 64 * 2**20
"""A log of this size is cut even though there is more to copy under the lock."""

GROWN_WAL_BYTES = 32 * 2**20
"""A log of this size is copied back although its loop is busy."""

QUIET_S = 60.0
"""A log that nobody wrote to for so long is copied back, however small."""

_PATIENCE_MS = 20


def is_due(path: Path, /) -> bool:
    """Whether the write-ahead log of this database holds anything; one look at the folder."""
    return _size(_wal(path)) > 0


def is_worth_it(path: Path, /) -> bool:
    """Whether the write-ahead log has grown, or holds something and was left alone; one look at the folder."""
    try:
        found = _wal(path).stat()
    except FileNotFoundError:
        return False
    if found.st_size >= GROWN_WAL_BYTES:
        return True
    return found.st_size > 0 and time.time() - found.st_mtime >= QUIET_S


def checkpoint(path: Path, kind: str, /, *, owner: str, cuts: bool = True) -> None:
    """Copy back what the write-ahead log of this database holds, if it holds anything.

    Args:
        path: the database.
        kind: ``events``, ``outcomes`` or ``jobs``.
        owner: the loop that it belongs to.
        cuts: whether a log that is copied whole is cut, which holds up a commit for 10-20 ms.

    Raises:
        StoreUnavailable: the database can't be read or written now.
    """
    if not is_due(path):
        return
    connection = Connection(path, kind, owner=owner, checkpoints=False)
    try:
        connection.rows(f"PRAGMA busy_timeout = {_PATIENCE_MS}")
        _, pages, copied = connection.rows("PRAGMA wal_checkpoint(PASSIVE)")[0]
        if (cuts and pages == copied) or _size(_wal(path)) > LONGEST_WAL_BYTES:
            connection.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()


def _wal(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0
