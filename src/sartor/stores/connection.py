"""One connection to one SQLite file: opened at first use, with its pragmas, and errors translated to ours.

A connection may be used by several threads, which take turns. Between two uses it may be closed for others
(see ``open_connections``), and is opened again. Python must never open and close a database file by itself
while a connection of the same process is open: POSIX would drop the locks that SQLite holds.
"""

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from sartor.errors import Corrupt, SartorError, StoreUnavailable
from sartor.settings import Durability
from sartor.stores import schema
from sartor.stores.advice import OUT_OF_WAY, advise_on_damage
from sartor.stores.made_files import MadeFiles, shorten_path
from sartor.stores.open_connections import OPEN_CONNECTIONS, OpenConnections

Row = tuple[Any, ...]

DataVersion = tuple[int, int]
"""How often the connection was opened, and SQLite's ``data_version`` on it. Compare for equality only."""

BUSY_S = 2.0
"""How long a write waits for the lock: far above the 20 ms that a checkpoint holds it."""

_RETRY_S = 0.000_1

_SYNCHRONOUS = {"commit": "NORMAL", "fsync": "FULL"}

_UNAVAILABLE = {
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_INTERRUPT,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_AUTH,
}
# A file that could only be opened for reading stays so until it is opened again.
_REOPEN = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN}


def translate_error(error: sqlite3.Error, path: Path, /) -> SartorError:
    """Translates an error of SQLite into the error of ours that says what happened to this file."""
    where = shorten_path(path)
    if _code(error) in _UNAVAILABLE:
        what_to_do = f" {OUT_OF_WAY}" if _code(error) == sqlite3.SQLITE_CANTOPEN else ""
        return StoreUnavailable(f"{where} can't be read or written: {error}.{what_to_do}")
    return Corrupt(f"{where} is damaged, or no database of this service: {error}. {advise_on_damage(path)}")


def _code(error: BaseException) -> int:
    code: int = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    return code & 0xFF


class SqliteConnection:
    """A lazily opened connection that survives failures: where needed, the next call opens it again."""

    def __init__(
        self,
        path: Path,
        kind: str,
        /,
        *,
        owner: str = "",
        durability: Durability = "commit",
        checkpoints: bool = True,
        overwrites: bool = False,
        on_open: Callable[[sqlite3.Connection], None] = lambda _: None,
        on_close: Callable[[], None] = lambda: None,
        open_connections: OpenConnections = OPEN_CONNECTIONS,
        made: MadeFiles | None = None,
    ) -> None:
        """Prepares; nothing is opened yet.

        Args:
            path: the database; created at first use, its folder must exist by then.
            kind: ``events``, ``outcomes``, ``jobs`` or ``catalog``.
            owner: the loop that the file must belong to; empty for the catalog.
            durability: whether a commit waits for the disk.
            checkpoints: whether commits copy the write-ahead log back from time to time (10-20 ms).
            overwrites: whether what is deleted or replaced is overwritten with zeros.
            on_open: called each time it was opened, before its first use.
            on_close: called when it is closed, by its owner or for others; quick, and raises nothing.
            open_connections: those among which it counts.
            made: knows which databases were made and are not made again; None: any may be.
        """
        self.path = path
        self._kind = kind
        self._owner = owner
        self._pragmas = (
            f"PRAGMA synchronous = {_SYNCHRONOUS[durability]}",
            "PRAGMA busy_timeout = 0",
            f"PRAGMA wal_autocheckpoint = {1000 if checkpoints else 0}",
            f"PRAGMA secure_delete = {'ON' if overwrites else 'FAST'}",
        )
        self._on_open = on_open
        self._on_close = on_close
        self._open_connections = open_connections
        self._made = made
        self._file, self._wal = str(path), f"{path}-wal"
        self._files: tuple[_FileId, _FileId] = (None, None)
        self._raw: sqlite3.Connection | None = None
        self._openings = 0
        self._closed = False
        # One thread at a time, whose use is over when it has left; a transaction reads on the same connection.
        self._lock = threading.RLock()

    def rows(self, sql: str, parameters: Sequence[object] = (), /) -> list[Row]:
        """Returns all rows of a query.

        Raises:
            StoreUnavailable: the file can't be read now.
            Corrupt: it is damaged, of a newer version, or another loop's.
        """
        with self._lock:
            self._open_connections.enter(self)
            try:
                raw = self._open_in_place()
                return self._execute(raw, sql, parameters).fetchall()
            except sqlite3.Error as error:
                self._recover(error)
                raise translate_error(error, self.path) from error
            finally:
                self._open_connections.leave(self, is_open=self._raw is not None)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Holds the write lock; commits at the end, or rolls back when an error is raised.

        Raises:
            StoreUnavailable: the file can't be written now.
            Corrupt: it is damaged, of a newer version, or another loop's.
        """
        with self._lock:
            self._open_connections.enter(self)
            try:
                raw = self._open_in_place()
                self._execute(raw, "BEGIN IMMEDIATE")
                yield raw
                raw.execute("COMMIT")
            except BaseException as error:
                self._recover(error)
                if isinstance(error, sqlite3.Error):
                    raise translate_error(error, self.path) from error
                raise
            finally:
                self._open_connections.leave(self, is_open=self._raw is not None)

    def data_version(self) -> DataVersion:
        """Returns what changes when another connection has committed; costs about two microseconds.

        It also changes when this connection was opened again: SQLite's number counts within one connection
        only, so that two of them may show the same number for different data.

        Raises:
            StoreUnavailable: the file can't be read now.
            Corrupt: it is damaged, of a newer version, or another loop's.
        """
        number: int = self.rows("PRAGMA data_version")[0][0]
        return self._openings, number

    def close(self) -> None:
        """Closes it; it is not opened again. Idempotent."""
        self._closed = True
        self._drop()

    def _execute(self, raw: sqlite3.Connection, sql: str, parameters: Sequence[object] = ()) -> sqlite3.Cursor:
        # SQLite's own busy handler sleeps longer each time, up to 100 ms: with two busy writers the whole event
        # loop would stall for a lock that is held for a tenth of a millisecond.
        deadline_s: float | None = None
        while True:
            try:
                return raw.execute(sql, parameters)
            except sqlite3.OperationalError as error:
                now_s = time.monotonic()
                deadline_s = deadline_s or now_s + BUSY_S
                if _code(error) != sqlite3.SQLITE_BUSY or now_s >= deadline_s:
                    raise
            time.sleep(_RETRY_S)

    def _recover(self, error: BaseException) -> None:
        raw = self._raw
        if raw is None:
            return
        if raw.in_transaction:
            with suppress(sqlite3.Error):
                raw.execute("ROLLBACK")
        if _code(error) in _REOPEN or raw.in_transaction:
            self._drop()

    def release(self) -> Callable[[], None] | None:
        """Gives up the open file for others; returns what closes it, None if it is not open."""
        raw, self._raw = self._raw, None
        self._on_close()
        return None if raw is None else partial(_close, raw)

    def _drop(self) -> None:
        # In use, or else another thread might be closing it for others.
        self._open_connections.enter(self)
        try:
            close = self.release()
            if close is not None:
                self._open_connections.note_closed()
                close()
        finally:
            self._open_connections.leave(self, is_open=False)

    def _open_in_place(self) -> sqlite3.Connection:
        """The open connection, if its files are those under its name; costs two calls of ``stat``."""
        raw = self._raw
        if raw is None:
            return self._open()
        if self._made is None:
            return raw
        is_same = _file_id(self._file) == self._files[0]
        if is_same and self._files[1] in (None, _file_id(self._wal)):
            return raw
        if self._made.is_deleted(self._owner):
            return raw
        if is_same:
            # Kept open: whoever closes the database last copies the log that is gone from the folder into it.
            raise StoreUnavailable(_describe_lost_wal(self.path))
        self._drop()
        return self._open()

    def _open(self) -> sqlite3.Connection:
        if self._closed:
            raise StoreUnavailable(f"{self.path.name} was closed.")
        try:
            raw = self._connect()
        except sqlite3.Error as error:
            raise translate_error(error, self.path) from error
        except OSError as error:
            raise StoreUnavailable(f"{shorten_path(self.path)} can't be opened: {error.strerror}.") from error
        self._raw = raw
        self._files = _file_id(self._file), _file_id(self._wal)
        self._openings += 1
        self._open_connections.note_opened()
        return raw

    def _connect(self) -> sqlite3.Connection:
        while True:
            try:
                if self._made is not None:
                    self._made.check_missing(self.path, loop_id=self._owner, kind=self._kind)
                    self._check_wal()
                schema.create_database(self.path, self._kind, owner=self._owner)
                raw = _connect(self.path, setup=self._set_up)
            except (sqlite3.Error, OSError) as error:
                out_of_files = isinstance(error, OSError) or _code(error) == sqlite3.SQLITE_CANTOPEN
                if not out_of_files or not self._open_connections.make_room():
                    raise
            else:
                if self._made is not None:
                    self._made.note(self._owner, self._kind)
                return raw

    def _check_wal(self) -> None:
        # SQLite makes the log before the memory that processes share about it, and removes it after that: only
        # where somebody else removed it there is one without the other. Opened all the same, the database would
        # have two logs, and lose one.
        shared = f"{self.path}-shm"
        if _file_id(self._wal) is None and _file_id(shared) is not None and _file_id(self._wal) is None:
            raise Corrupt(_describe_lost_wal(self.path))

    def _set_up(self, raw: sqlite3.Connection) -> None:
        version = raw.execute("PRAGMA user_version").fetchone()[0]
        known = schema.SCHEMA_VERSIONS[self._kind]
        if version > known:
            raise Corrupt(
                f"{shorten_path(self.path)} was written by a newer version of Sartor "
                f"(schema {version}; this one knows {known}). Run that version, or a newer one."
            )
        (owner,) = raw.execute("SELECT owner FROM about").fetchone()
        if owner != self._owner:
            advice = advise_on_damage(self.path)
            raise StoreUnavailable(f"{shorten_path(self.path)} belongs to another loop. {advice}")
        schema.migrate(raw, self._kind)
        self._on_open(raw)
        for pragma in self._pragmas:
            raw.execute(pragma)


def _connect(path: Path, *, setup: Callable[[sqlite3.Connection], None]) -> sqlite3.Connection:
    # mode=rw: a file that vanished since it was created must not be created again without a schema.
    address = f"file:{_quote(path)}?mode=rw"
    raw = sqlite3.connect(address, uri=True, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        setup(raw)
    except BaseException:
        raw.close()
        raise
    return raw


_FileId = tuple[int, int] | None
"""Device and number of a file; None: there is none."""


def _file_id(path: str) -> _FileId:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _describe_lost_wal(path: Path) -> str:
    return (
        f"{shorten_path(path)}-wal, the write-ahead log, was removed: stop the service; it saves then "
        "what it still can. If this stays, run `sartor doctor --repair`."
    )


def _close(raw: sqlite3.Connection) -> None:
    with suppress(sqlite3.Error):
        raw.close()


def _quote(path: Path) -> str:
    absolute = os.path.abspath(path)
    return absolute.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
