"""The loops of one instance in ``catalog.sqlite``; their keys are sealed before they are written."""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress

import msgspec
from msgspec.structs import replace

from sartor.errors import Corrupt, LoopExists, LoopNotFound, StoreUnavailable
from sartor.ports import Loop
from sartor.records import Activity
from sartor.stores.audit import SqliteAudit
from sartor.stores.connection import DataVersion, Row, SqliteConnection
from sartor.stores.key_encryption import KeyEncryption
from sartor.stores.layout import Layout, checked_id, checked_name
from sartor.stores.schema import ensure
from sartor.stores.statements import statements

_SQL = statements("catalog")

_decode = msgspec.json.Decoder(Loop).decode


class SqliteCatalog:
    """A ``Catalog`` in a data folder."""

    def __init__(
        self, layout: Layout, connection: SqliteConnection, keyring: KeyEncryption, audit: SqliteAudit, /
    ) -> None:
        self._audit = audit
        self._layout = layout
        self._connection = connection
        self._keyring = keyring
        self._version = 0
        self._data_version: DataVersion | None = None

    def loops(self) -> Sequence[Loop]:
        """All loops in service, by name.

        Raises:
            StoreUnavailable: the catalog can't be read now.
            Corrupt: it is damaged, or its keys were sealed with another secret key.
        """
        return [self._opened(row) for row in self._connection.rows(_SQL["loops"])]

    def create(self, loop: Loop, /, *, activity: Activity | None = None) -> None:
        """Add a loop.

        Raises:
            LoopExists: the name is taken.
            InvalidSetting: the name or the id can't be a folder's.
            StoreUnavailable: the catalog can't be written now.
        """
        checked_name(loop.name)
        checked_id(loop.loop_id)
        with self._connection.transaction() as raw:
            try:
                raw.execute(_SQL["add_loop"], (loop.loop_id, loop.name, *self._sealed(loop)))
            except sqlite3.IntegrityError as error:
                raise LoopExists(f"There is a loop {loop.name!r} already.") from error
            self._free(raw, loop.name)
            self._changed(raw, activity)
        self._data_version = None
        self._claim(loop)

    def update(self, loop: Loop, /, *, activity: Activity | None = None) -> Loop:
        """Replace the loop of that name and id; returns it with the next version.

        Raises:
            LoopNotFound: there is no such loop, or another one has taken its name.
            StoreUnavailable: the catalog can't be written now.
        """
        with self._connection.transaction() as raw:
            stored = self._stored(raw, loop.name)
            if stored.loop_id != loop.loop_id:
                raise LoopNotFound(f"The loop {loop.name!r} was deleted; another one has its name.")
            updated = replace(loop, version=stored.version + 1)
            raw.execute(_SQL["replace_loop"], (*self._sealed(updated), loop.loop_id))
            self._changed(raw, activity)
        self._data_version = None
        return updated

    def delete(self, name: str, /, *, recoverable_until_us: int = 0, activity: Activity | None = None) -> None:
        """Take a loop out of service and free its name; its folder waits for ``purge``.

        Raises:
            LoopNotFound: there is no such loop.
            StoreUnavailable: the catalog can't be written now.
        """
        with self._connection.transaction() as raw:
            loop = replace(self._stored(raw, name), recoverable_until_us=recoverable_until_us)
            raw.execute(_SQL["delete_loop"], (_body(loop), loop.loop_id))
            self._changed(raw, activity)
        self._data_version = None
        # After the commit: a loop in service always has its folder. `create` and `purge` do it after a crash.
        self.set_aside_deleted()

    def deleted(self) -> Sequence[Loop]:
        """The deleted loops that were not removed yet, in the order of their making.

        Raises:
            StoreUnavailable: the catalog can't be read now.
            Corrupt: it is damaged, or its keys were sealed with another secret key.
        """
        return [self._opened(row[:3]) for row in self._connection.rows(_SQL["deleted_loops"])]

    def recover(self, loop_id: str, /, *, name: str | None = None, activity: Activity | None = None) -> Loop:
        """Bring a deleted loop back with its folder, under its name or another one.

        Raises:
            LoopNotFound: there is no such deleted loop.
            LoopExists: the name is taken.
            InvalidSetting: the name can't be a folder's.
            StoreUnavailable: the catalog can't be written now, or the folder can't be renamed.
        """
        with self._connection.transaction() as raw:
            loop = self._deleted(raw, loop_id)
            name = checked_name(name or loop.name)
            if raw.execute(_SQL["loop"], (name,)).fetchone() is not None:
                raise LoopExists(f"There is a loop {name!r} already.")
            self._free(raw, name)
            # Before the commit: should it fail, `set_aside_deleted` puts the folder back.
            self._layout.bring_back(name, loop_id=loop_id)
            loop = replace(loop, name=name, version=loop.version + 1, recoverable_until_us=0)
            raw.execute(_SQL["recover_loop"], (name, _body(loop), loop_id))
            self._changed(raw, activity)
        self._data_version = None
        return next(found for found in self.loops() if found.loop_id == loop_id)

    def sealed(self, loop: Loop, /) -> tuple[str, bytes]:
        """A loop as it is kept: without its keys, and its keys, sealed."""
        return self._sealed(loop)

    def unsealed(self, body: str, keys: bytes, /, *, loop_id: str) -> Loop:
        """A loop that was kept like that.

        Raises:
            Corrupt: it is damaged, or its keys were sealed with another secret key.
        """
        return self._opened((loop_id, body, keys))

    def adopt(self, loop: Loop, move: Callable[[], None], /) -> None:
        """Add a loop whose folder is there already; ``move`` puts it into its place, which is free.

        Raises:
            LoopExists: the name is taken, or the loop is there, in service or deleted.
            StoreUnavailable: the catalog can't be written now, or the folder can't be moved.
        """
        checked_name(loop.name)
        with self._connection.transaction() as raw:
            try:
                raw.execute(_SQL["add_loop"], (loop.loop_id, loop.name, *self._sealed(loop)))
            except sqlite3.IntegrityError as error:
                told = (
                    f"There is a loop {loop.name!r} already, or the same loop, perhaps deleted: purge it first."
                )
                raise LoopExists(told) from error
            self._free(raw, loop.name)
            move()
            raw.execute(_SQL["count_change"])
        self._data_version = None

    def give_up(self, loop_id: str, /, *, activity: Activity | None = None) -> None:
        """Let ``purge`` remove a deleted loop from now on.

        Raises:
            LoopNotFound: there is no such deleted loop.
            StoreUnavailable: the catalog can't be written now.
        """
        with self._connection.transaction() as raw:
            loop = replace(self._deleted(raw, loop_id), recoverable_until_us=0)
            raw.execute(_SQL["delete_loop"], (_body(loop), loop_id))
            self._changed(raw, activity)
        self._data_version = None

    def version(self) -> int:
        """How often the loops changed; a few microseconds while nothing changes.

        Raises:
            StoreUnavailable: the catalog can't be read now.
        """
        data_version = self._connection.data_version()
        if data_version != self._data_version:
            self._version = self._connection.rows(_SQL["version"])[0][0]
            self._data_version = data_version
        return self._version

    def _changed(self, raw: sqlite3.Connection, activity: Activity | None) -> None:
        self._audit.write(raw, activity)
        raw.execute(_SQL["count_change"])

    def forget(self, loop_id: str, /) -> None:
        """Drop the last trace of a deleted loop."""
        with self._connection.transaction() as raw:
            raw.execute(_SQL["forget_loop"], (loop_id,))

    def set_aside_deleted(self) -> None:
        """Rename the folders of deleted loops whose names no loop in service has."""
        with self._connection.transaction() as raw:
            for *_, name in raw.execute(_SQL["deleted_loops"]).fetchall():
                if raw.execute(_SQL["loop"], (name,)).fetchone() is None:
                    self._free(raw, name)

    def _free(self, raw: sqlite3.Connection, name: str) -> None:
        owners = [row[0] for row in raw.execute(_SQL["deleted_loops"]).fetchall() if row[-1] == name]
        if owners:
            self._layout.set_aside(name, loop_id=owners[-1])
        elif self._layout.loop(name).exists():
            raise LoopExists(f"{self._layout.loop(name)} is there, but belongs to no loop; move it away.")

    def _claim(self, loop: Loop) -> None:
        # At once, lest a process that has not heard of a deletion makes them for the loop that had the name.
        # Where it fails they are made at first use, like those of any loop.
        with suppress(StoreUnavailable, OSError, sqlite3.Error):
            folder = self._layout.make_loop(loop.name)
            for kind in ("events", "outcomes"):
                ensure(folder / f"{kind}.sqlite", kind, owner=loop.loop_id)

    def _stored(self, raw: sqlite3.Connection, name: str) -> Loop:
        row = raw.execute(_SQL["loop"], (name,)).fetchone()
        if row is None:
            raise LoopNotFound(f"There is no loop {name!r}.")
        return _decoded(row[1])

    def _deleted(self, raw: sqlite3.Connection, loop_id: str) -> Loop:
        row = raw.execute(_SQL["deleted_loop"], (loop_id,)).fetchone()
        if row is None:
            raise LoopNotFound(f"There is no deleted loop with the id {loop_id!r}.")
        return _decoded(row[1])

    def _sealed(self, loop: Loop) -> tuple[str, bytes]:
        return _body(loop), self._keyring.seal((loop.key1, loop.key2), loop_id=loop.loop_id)

    def _opened(self, row: Row) -> Loop:
        loop_id, body, sealed = row
        key1, key2 = self._keyring.open(sealed, loop_id=loop_id)
        return replace(_decoded(body), key1=key1, key2=key2)


def _body(loop: Loop) -> str:
    return msgspec.json.encode(replace(loop, key1="", key2="")).decode()


def _decoded(body: str) -> Loop:
    try:
        return _decode(body)
    except msgspec.DecodeError as error:
        raise Corrupt(f"A loop in the catalog can't be read: {error}.") from error
