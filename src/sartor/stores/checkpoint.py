"""Copies a write-ahead log back into its database, away from the request path.

A passive checkpoint disturbs no writer, but never catches up with one that does not pause; so a log that is
copied whole, or has grown large, is also truncated. That holds the write lock for the little that is left.

The first commit after a checkpoint waits for the disk (4-12 ms): SQLite syncs the header of a log that is
restarted. So it is done only when needed: when a log has grown, or its loop has been quiet for a while.
"""

import os
import time
from pathlib import Path

from sartor.stores.connection import SqliteConnection
from sartor.stores.made_files import MadeFiles

LONGEST_WAL_BYTES = 64 * 2**20
"""A log of this size is truncated even though there is more to copy under the lock."""

GROWN_WAL_BYTES = 8 * 2**20
"""A log of this size is copied back although its loop is busy."""

QUIET_S = 60.0
"""A log that was not written to for this long is copied back, however small."""

_PATIENCE_MS = 20

# The rest is copied, and waited for, under the write lock: appends wait meanwhile.
_ROUNDS = 4
_FEW_PAGES = 50


def is_due(path: str | Path, /) -> bool:
    """Whether the write-ahead log of this database holds anything: a single ``stat``."""
    return _size(_wal(path)) > 0


def is_quiet(path: str | Path, /) -> bool:
    """Whether the write-ahead log holds something and was left alone for a while: a single ``stat``."""
    try:
        found = os.stat(_wal(path))
    except FileNotFoundError:
        return False
    # A time in the future is of before the clock was set back.
    return found.st_size > 0 and not -1 <= time.time() - found.st_mtime < QUIET_S


def has_grown(path: str | Path, /) -> bool:
    """Whether the write-ahead log takes much room: a single ``stat``."""
    return _size(_wal(path)) >= GROWN_WAL_BYTES


def checkpoint_wal(
    path: Path,
    kind: str,
    /,
    *,
    owner: str,
    truncates: bool = True,
    busy: bool = False,
    made: MadeFiles | None = None,
) -> None:
    """Copies back what the write-ahead log of this database holds, if it holds anything.

    Args:
        path: the database.
        kind: ``events``, ``outcomes`` or ``jobs``.
        owner: the loop that it belongs to.
        truncates: whether a log that is copied whole is truncated, which holds up a commit for 10-20 ms.
        busy: restart the log in its file rather than truncate it: its next commit waits 4 ms, not 35 ms.
        made: knows which databases are not made again.

    Raises:
        StoreUnavailable: the database can't be read or written now.
    """
    if not is_due(path):
        return
    connection = SqliteConnection(path, kind, owner=owner, checkpoints=False, made=made)
    try:
        connection.rows(f"PRAGMA busy_timeout = {_PATIENCE_MS}")
        left = _copy(connection)
        if _size(_wal(path)) > LONGEST_WAL_BYTES or (truncates and left == 0 and not busy):
            connection.rows("PRAGMA wal_checkpoint(TRUNCATE)")
        elif busy and left < _FEW_PAGES:
            connection.rows("PRAGMA wal_checkpoint(RESTART)")
    finally:
        connection.close()


def _copy(connection: SqliteConnection) -> int:
    """Copies until next to nothing is left, each time what came meanwhile; returns how many pages are left."""
    left = 0
    for _ in range(_ROUNDS):
        _, pages, copied = connection.rows("PRAGMA wal_checkpoint(PASSIVE)")[0]
        left = pages - copied
        if left < _FEW_PAGES:
            break
    return left


def _wal(path: str | Path) -> str:
    return f"{path}-wal"


def _size(file: str) -> int:
    try:
        return os.stat(file).st_size
    except FileNotFoundError:
        return 0
