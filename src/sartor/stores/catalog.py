"""The loops of one instance in ``catalog.sqlite``; their secrets are encrypted before they are written."""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress

from msgspec.structs import replace

from sartor.errors import LoopExists, LoopNotFound, StoreUnavailable
from sartor.loops import LoopChanges, UnreadableLoop
from sartor.ports import Loop
from sartor.records import AuditEntry
from sartor.stores.audit import SqliteAudit
from sartor.stores.catalog_rows import CatalogRows, decode_loop, encode_loop
from sartor.stores.connection import DataVersion, SqliteConnection
from sartor.stores.layout import Layout, check_id, check_name
from sartor.stores.schema import create_database, read_statements

_SQL = read_statements("catalog")


class SqliteCatalog:
    """A ``Catalog`` in a data folder."""

    def __init__(
        self, layout: Layout, connection: SqliteConnection, rows: CatalogRows, audit: SqliteAudit, /
    ) -> None:
        self._audit = audit
        self._layout = layout
        self._connection = connection
        self._rows = rows
        self._version = 0
        self._data_version: DataVersion | None = None

    def loops(self) -> Sequence[Loop]:
        """Returns all loops in service, by name, without those whose entry is damaged.

        Raises:
            StoreUnavailable: the catalog can't be read now.
            Corrupt: it is damaged, or its keys were encrypted with another secret key.
        """
        return self._rows.read_all(self._connection.rows(_SQL["loops"]))[0]

    def unreadable(self) -> Sequence[UnreadableLoop]:
        """Returns the loops whose entry is damaged.

        Raises:
            StoreUnavailable: the catalog can't be read now.
            Corrupt: it is damaged, or its keys were encrypted with another secret key.
        """
        _, found = self._rows.read_all(self._connection.rows(_SQL["loops"]))
        _, deleted = self._rows.read(self._connection.rows(_SQL["deleted_loops"]))
        return [*found, *(replace(loop, deleted=True) for loop in deleted)]

    def find(self, name: str, /) -> Loop:
        """Returns the loop in service of that name; reads no other one.

        Raises:
            LoopNotFound: there is no such loop.
            StoreUnavailable: the catalog can't be read now.
            Corrupt: it is damaged, or its keys were encrypted with another secret key.
        """
        rows = self._connection.rows(_SQL["loop"], (name,))
        if not rows:
            raise LoopNotFound(f"There is no loop {name!r}.")
        return self._rows.decrypt(rows[0][1], rows[0][2], loop_id=rows[0][0])

    def find_by_id(self, loop_id: str, /) -> Loop | None:
        """Returns the loop in service with that id; None: there is none. Reads no other one.

        Raises:
            StoreUnavailable: the catalog can't be read now.
            Corrupt: it is damaged, or its keys were encrypted with another secret key.
        """
        rows = self._connection.rows(_SQL["loop_by_id"], (loop_id,))
        return self._rows.decrypt(rows[0][1], rows[0][2], loop_id=rows[0][0]) if rows else None

    def is_deleted(self, loop_id: str, /) -> bool:
        """Whether the loop with that id was deleted, and not purged yet.

        Raises:
            StoreUnavailable: the catalog can't be read now.
        """
        return bool(self._connection.rows(_SQL["deleted_loop"], (loop_id,)))

    def changes(self, *, since: int | None) -> LoopChanges:
        """Returns what happened since a version; None: all loops. Reads and decrypts only what changed.

        Raises:
            StoreUnavailable: the catalog can't be read now.
            Corrupt: it is damaged, or its keys were encrypted with another secret key.
        """
        if since is not None:
            rows = self._connection.rows(_SQL["changes"], (since,))
            version, forgotten = rows[0][:2]
            if forgotten <= since <= version:
                changed = [row[2:] for row in rows if row[2] is not None]
                loops, damaged = self._rows.read([row[:4] for row in changed if not row[4]])
                return LoopChanges(
                    version=version,
                    loops=tuple(loops),
                    unreadable=tuple(damaged),
                    gone=tuple(row[0].decode("utf-8", "replace") for row in changed if row[4]),
                )
        rows = self._connection.rows(_SQL["all_with_version"])
        loops, damaged = self._rows.read_all(row[1:] for row in rows if row[1] is not None)
        return LoopChanges(version=rows[0][0], loops=tuple(loops), unreadable=tuple(damaged), complete=True)

    def create(self, loop: Loop, /, *, entry: AuditEntry | None = None) -> None:
        """Adds a loop.

        Raises:
            LoopExists: the name is taken.
            InvalidSetting: the name or the id can't be a folder's.
            StoreUnavailable: the catalog can't be written now.
        """
        check_name(loop.name)
        check_id(loop.loop_id)
        with self._connection.transaction() as raw:
            try:
                raw.execute(_SQL["add_loop"], (loop.loop_id, loop.name, *self.encrypt(loop)))
            except sqlite3.IntegrityError as error:
                raise LoopExists(f"There is a loop {loop.name!r} already.") from error
            self._free_folder(raw, loop.name)
            self._note_change(raw, entry, loop_id=loop.loop_id)
        self._create_files(loop)

    def update(self, loop: Loop, /, *, entry: AuditEntry | None = None) -> Loop:
        """Replaces the loop of that name and id; returns it with the next version.

        Raises:
            LoopNotFound: there is no such loop, or another one has taken its name.
            StoreUnavailable: the catalog can't be written now.
        """
        with self._connection.transaction() as raw:
            stored = self._find(raw, loop.name)
            if stored.loop_id != loop.loop_id:
                raise LoopNotFound(f"The loop {loop.name!r} was deleted.")
            updated = replace(loop, version=stored.version + 1)
            raw.execute(_SQL["replace_loop"], (*self.encrypt(updated), loop.loop_id))
            self._note_change(raw, entry, loop_id=loop.loop_id)
        return updated

    def delete(self, name: str, /, *, recoverable_until_us: int = 0, entry: AuditEntry | None = None) -> None:
        """Takes a loop out of service and frees its name; its folder stays until ``purge``.

        Raises:
            LoopNotFound: there is no such loop.
            StoreUnavailable: the catalog can't be written now.
        """
        with self._connection.transaction() as raw:
            loop = replace(self._find(raw, name), recoverable_until_us=recoverable_until_us)
            raw.execute(_SQL["delete_loop"], (encode_loop(loop), loop.loop_id))
            self._note_change(raw, entry, loop_id=loop.loop_id)
        # After the commit: a loop in service always has its folder. `create` and `purge` do it after a crash.
        self.set_aside_deleted()

    def deleted(self) -> Sequence[Loop]:
        """Returns the deleted loops that were not purged yet, in the order of their creation; no damaged ones.

        Raises:
            StoreUnavailable: the catalog can't be read now.
            Corrupt: it is damaged, or its keys were encrypted with another secret key.
        """
        return self._rows.read(self._connection.rows(_SQL["deleted_loops"]))[0]

    def recover(self, loop_id: str, /, *, name: str | None = None, entry: AuditEntry | None = None) -> Loop:
        """Puts a deleted loop back into service with its folder, under its name or another one.

        Raises:
            LoopNotFound: there is no such deleted loop.
            LoopExists: the name is taken.
            InvalidSetting: the name can't be a folder's.
            StoreUnavailable: the catalog can't be written now, or the folder can't be renamed.
        """
        with self._connection.transaction() as raw:
            loop = self._find_deleted(raw, loop_id)
            name = check_name(name or loop.name)
            if raw.execute(_SQL["loop"], (name,)).fetchone() is not None:
                raise LoopExists(f"There is a loop {name!r} already.")
            self._free_folder(raw, name)
            # Before the commit: should it fail, `set_aside_deleted` puts the folder back.
            self._layout.put_back(name, loop_id=loop_id)
            loop = replace(loop, name=name, version=loop.version + 1, recoverable_until_us=0)
            raw.execute(_SQL["recover_loop"], (name, encode_loop(loop), loop_id))
            self._note_change(raw, entry, loop_id=loop_id)
        return self.find(name)

    def encrypt(self, loop: Loop, /) -> tuple[str, bytes]:
        """Returns a loop as it is stored: JSON without its secrets, and these, encrypted."""
        return self._rows.encrypt(loop)

    def decrypt(self, body: str, keys: bytes, /, *, loop_id: str) -> Loop:
        """Returns a loop that was stored like that.

        Raises:
            Corrupt: it is damaged, or its keys were encrypted with another secret key.
        """
        return self._rows.decrypt(body, keys, loop_id=loop_id)

    def add_restored(self, loop: Loop, move: Callable[[], None], /) -> None:
        """Adds a loop whose folder exists already; ``move`` puts it into its place, which is free.

        Raises:
            LoopExists: the name is taken, or the loop exists, in service or deleted.
            StoreUnavailable: the catalog can't be written now, or the folder can't be moved.
        """
        check_name(loop.name)
        with self._connection.transaction() as raw:
            try:
                raw.execute(_SQL["add_loop"], (loop.loop_id, loop.name, *self.encrypt(loop)))
            except sqlite3.IntegrityError as error:
                message = (
                    f"There is a loop {loop.name!r} already, or the same loop, perhaps deleted: purge it first."
                )
                raise LoopExists(message) from error
            self._free_folder(raw, loop.name)
            move()
            self._note_change(raw, None, loop_id=loop.loop_id)

    def give_up(self, loop_id: str, /, *, entry: AuditEntry | None = None) -> None:
        """Lets ``purge`` remove a deleted loop from now on.

        Raises:
            LoopNotFound: there is no such deleted loop.
            StoreUnavailable: the catalog can't be written now.
        """
        with self._connection.transaction() as raw:
            loop = replace(self._find_deleted(raw, loop_id), recoverable_until_us=0)
            raw.execute(_SQL["delete_loop"], (encode_loop(loop), loop_id))
            self._note_change(raw, entry, loop_id=loop_id)

    def version(self) -> int:
        """Returns how often the loops changed; takes a few microseconds while nothing changes.

        Raises:
            StoreUnavailable: the catalog can't be read now.
        """
        data_version = self._connection.data_version()
        if data_version != self._data_version:
            self._version = self._connection.rows(_SQL["version"])[0][0]
            self._data_version = data_version
        return self._version

    def forget(self, loop_id: str, /) -> None:
        """Removes the row of a deleted loop."""
        with self._connection.transaction() as raw:
            raw.execute(_SQL["note_forgotten"], (loop_id,))
            raw.execute(_SQL["forget_loop"], (loop_id,))
        self._layout.made.forget(loop_id)

    def set_aside_deleted(self) -> None:
        """Renames the folders of deleted loops whose names no loop in service has."""
        with self._connection.transaction() as raw:
            for _, name in raw.execute(_SQL["deleted_names"]).fetchall():
                if raw.execute(_SQL["loop"], (name,)).fetchone() is None:
                    self._free_folder(raw, name)

    def _note_change(self, raw: sqlite3.Connection, entry: AuditEntry | None, *, loop_id: str) -> None:
        self._audit.write(raw, entry)
        raw.execute(_SQL["count_change"])
        raw.execute(_SQL["mark_changed"], (loop_id,))
        self._data_version = None  # SQLite's number does not change with commits of the same connection

    def _free_folder(self, raw: sqlite3.Connection, name: str) -> None:
        owners = [row[0] for row in raw.execute(_SQL["deleted_names"]).fetchall() if row[1] == name]
        if owners:
            self._layout.set_aside(name, loop_id=owners[-1])
        elif self._layout.loop(name).exists():
            raise LoopExists(f"{self._layout.loop(name)} exists, but belongs to no loop; move it away.")

    def _create_files(self, loop: Loop) -> None:
        # Now: a process that does not know of a deletion yet could create them for the loop that had the name.
        # Where it fails they are created at first use, like those of any loop.
        with suppress(StoreUnavailable, OSError, sqlite3.Error):
            folder = self._layout.make_loop(loop.name, loop_id=loop.loop_id)
            for kind in ("events", "outcomes"):
                create_database(folder / f"{kind}.sqlite", kind, owner=loop.loop_id)
                self._layout.made.note(loop.loop_id, kind)

    def _find(self, raw: sqlite3.Connection, name: str) -> Loop:
        row = raw.execute(_SQL["loop"], (name,)).fetchone()
        if row is None:
            raise LoopNotFound(f"There is no loop {name!r}.")
        return decode_loop(row[1])

    def _find_deleted(self, raw: sqlite3.Connection, loop_id: str) -> Loop:
        row = raw.execute(_SQL["deleted_loop"], (loop_id,)).fetchone()
        if row is None:
            raise LoopNotFound(f"There is no deleted loop with the id {loop_id!r}.")
        return decode_loop(row[1])
