"""The SQL files of this room, and the creation and migration of database files.

A new database file appears whole: it is built under another name and then linked into place. So no process ever
sees half a schema, and two that create the same file at once end up with one. The exclusive lock that switching
to WAL mode needs is never contended either.
"""

import os
import re
import sqlite3
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from uuid import uuid4

from sartor.private_files import write_private

SCHEMA_VERSIONS: Mapping[str, int] = {"catalog": 5, "events": 3, "outcomes": 2, "jobs": 2}
"""``PRAGMA user_version`` of the files of each kind that this code reads and writes."""

_HEADER = re.compile(r"^-- (\w+) --$", re.MULTILINE)


def read_schema(kind: str, /) -> str:
    """Returns the script that creates an empty database: ``events``, ``outcomes``, ``jobs`` or ``catalog``."""
    return _read(f"{kind}_schema.sql")


def read_migration(kind: str, version: int, /) -> list[str]:
    """Returns the statements that bring a database of a kind from the version before to this one."""
    found, statement = [], ""
    for line in _strip_comments(_read(f"{kind}_to_{version}.sql")).splitlines():
        statement += f"{line}\n"
        if sqlite3.complete_statement(statement):
            found.append(statement)
            statement = ""
    return [*found, statement] if statement else found


def read_statements(kind: str, /) -> Mapping[str, str]:
    """Returns the statements for a database of a kind, by name, without comments.

    Each stands in ``sql/KIND.sql`` under a line ``-- its_name --``.
    """
    _, *parts = _HEADER.split(_read(f"{kind}.sql"))
    return {name: _strip_comments(sql) for name, sql in zip(parts[::2], parts[1::2], strict=True)}


def create_database(path: Path, kind: str, /, *, owner: str) -> None:
    """Creates the database unless it exists; its folder must exist.

    Args:
        path: the file to create.
        kind: ``events``, ``outcomes``, ``jobs`` or ``catalog``.
        owner: the id of the loop that it belongs to; empty for the catalog.

    Raises:
        OSError: the file can't be created.
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
    write_private(draft, b"")  # the write-ahead log and its index get the mode of their database
    connection = sqlite3.connect(draft, isolation_level=None)
    try:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(f"BEGIN; {read_schema(kind)} COMMIT;")
        connection.execute("INSERT INTO about (one, owner) VALUES (1, ?)", (owner,))
    finally:
        connection.close()
    flush(draft)


def migrate(raw: sqlite3.Connection, kind: str, /) -> None:
    """Brings an open database of an older version to this one, in one transaction.

    Raises:
        sqlite3.Error: it can't be written.
    """
    if _version(raw) >= SCHEMA_VERSIONS[kind]:
        return
    raw.execute("BEGIN IMMEDIATE")
    try:
        # Asked again: another process may have migrated it before this one got the lock.
        for version in range(_version(raw) + 1, SCHEMA_VERSIONS[kind] + 1):
            for statement in read_migration(kind, version):
                raw.execute(statement)
        raw.execute("COMMIT")
    except BaseException:
        raw.execute("ROLLBACK")
        raise


def _version(raw: sqlite3.Connection) -> int:
    version: int = raw.execute("PRAGMA user_version").fetchone()[0]
    return version


def flush(path: Path, /) -> None:
    """Flushes a file, or the entries of a folder, to the disk. Never a database that this process has open."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read(file: str) -> str:
    return files("sartor.stores").joinpath("sql", file).read_text("utf-8")


def _strip_comments(sql: str) -> str:
    lines = (line for line in sql.splitlines() if line and not line.startswith("--"))
    return "\n".join(lines).removesuffix(";")
