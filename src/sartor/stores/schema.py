"""New database files appear whole: made under another name, then linked into place.

So no process ever sees half a schema, and two that make the same file at once end up with one. The exclusive
lock that switching to WAL mode needs is never contended either.
"""

import os
import sqlite3
from pathlib import Path
from uuid import uuid4

from sartor.stores.statements import migration, schema

SCHEMA_VERSION = 2
"""What ``PRAGMA user_version`` says in files that this code reads and writes."""


def ensure(path: Path, kind: str, /, *, owner: str) -> None:
    """Make the database unless it is there; its folder must exist.

    Args:
        path: the file to make.
        kind: ``events``, ``outcomes``, ``jobs`` or ``catalog``.
        owner: the id of the loop that it belongs to; empty for the catalog.

    Raises:
        OSError: the file can't be made.
        sqlite3.Error: the file can't be written.
    """
    if path.exists():
        return
    draft = path.with_name(f".{path.name}-{uuid4().hex}")
    try:
        _build(draft, kind, owner=owner)
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink(missing_ok=True)


def _build(draft: Path, kind: str, *, owner: str) -> None:
    connection = sqlite3.connect(draft, isolation_level=None)
    try:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(f"BEGIN; {schema(kind)} COMMIT;")
        connection.execute("INSERT INTO about (one, owner) VALUES (1, ?)", (owner,))
    finally:
        connection.close()
    flush(draft)


def migrate(raw: sqlite3.Connection, kind: str, /) -> None:
    """Bring an open database to this version, if it is older; all of it or nothing, whoever comes first.

    Raises:
        sqlite3.Error: it can't be written.
    """
    if _version(raw) >= SCHEMA_VERSION:
        return
    raw.execute("BEGIN IMMEDIATE")
    try:
        for version in range(_version(raw) + 1, SCHEMA_VERSION + 1):
            for statement in migration(kind, version):
                raw.execute(statement)
        raw.execute("COMMIT")
    except BaseException:
        raw.execute("ROLLBACK")
        raise


def _version(raw: sqlite3.Connection) -> int:
    version: int = raw.execute("PRAGMA user_version").fetchone()[0]
    return version


def flush(path: Path, /) -> None:
    """Bring a file, or the entries of a folder, to the disk. Never a database that this process has open."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
