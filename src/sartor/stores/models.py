"""The models of one loop: lineage in ``outcomes.sqlite``, bytes in ``models/ID.vw``.

The bytes are on the disk before the row that names them is committed. A crash in between leaves a file that
no row names; the next publishing removes it. One process publishes; any process may promote.
"""

import hashlib
import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import msgspec

from sartor.errors import Corrupt, ModelNotFound, StoreUnavailable
from sartor.records import Model
from sartor.stores.connection import DataVersion, SqliteConnection
from sartor.stores.layout import checked_id
from sartor.stores.schema import flush
from sartor.stores.statements import statements

KEPT = 20
"""How many of the newest models keep their bytes, besides the live one, when nothing else is said."""

_SQL = statements("outcomes")

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Model).decode


class SqliteModels:
    """A ``ModelRegistry`` in a loop's folder."""

    def __init__(self, folder: Path, connection: SqliteConnection, /) -> None:
        self._folder = folder
        self._connection = connection
        self._live: Model | None = None
        self._live_version: DataVersion | None = None

    def publish(self, model: Model, blob: bytes, /, *, live: bool, keep: int = KEPT) -> None:
        """Add a model; make it the live one when asked.

        Raises:
            StoreUnavailable: the model can't be written now.
            InvalidSetting: its id can't be a file name.
            Corrupt: there is a model with its id.
        """
        checked_id(model.model_id)
        try:
            with self._connection.transaction() as raw:
                self._remove_unnamed(raw)
                self._insert(raw, model, blob, live=live)
                pruned = [model_id for (model_id,) in raw.execute(_SQL["prune"], (keep,))]
                self._write(model.model_id, blob)
            self._live_version = None
            for model_id in pruned:
                self._path(model_id).unlink(missing_ok=True)
        except OSError as error:
            raise StoreUnavailable(f"Model {model.model_id} can't be kept: {error.strerror}.") from error

    def history(self, *, limit: int | None = None) -> Sequence[Model]:
        """Every model ever published, or the newest so many, newest first.

        Raises:
            StoreUnavailable: the registry can't be read now.
        """
        rows = self._connection.rows(_SQL["history"], (-1 if limit is None else limit,))
        return [_decoded(row[0]) for row in rows]

    def blob(self, model_id: str, /) -> bytes:
        """The bytes of a model.

        Raises:
            ModelNotFound: no such model, or its bytes were pruned.
            Corrupt: the bytes are not those that were published.
            StoreUnavailable: they can't be read now.
        """
        rows = self._connection.rows(_SQL["digest"], (model_id,))
        if not rows:
            raise ModelNotFound(f"There is no model {model_id!r}, or it is too old to be kept.")
        try:
            blob = self._path(model_id).read_bytes()
        except FileNotFoundError as error:
            return self._vanished(model_id, error)
        except OSError as error:
            raise StoreUnavailable(f"Model {model_id} can't be read: {error.strerror}.") from error
        if _digest(blob) != rows[0][0]:
            raise Corrupt(f"The bytes of model {model_id} are not those that were published.")
        return blob

    def live(self) -> Model | None:
        """The model that serves; a few microseconds while nothing changes.

        Raises:
            StoreUnavailable: the registry can't be read now.
        """
        version = self._connection.data_version()
        if version != self._live_version:
            rows = self._connection.rows(_SQL["live"])
            self._live = _decoded(rows[0][0]) if rows else None
            self._live_version = version
        return self._live

    def promote(self, model_id: str | None, /) -> None:
        """Make this model the live one; None: no model.

        Raises:
            ModelNotFound: no such model, or its bytes were pruned.
            StoreUnavailable: the registry can't be written now.
        """
        with self._connection.transaction() as raw:
            if model_id is not None and not raw.execute(_SQL["digest"], (model_id,)).fetchone():
                raise ModelNotFound(f"There is no model {model_id!r}, or it is too old to be kept.")
            raw.execute(_SQL["set_live"], (model_id,))
        self._live_version = None

    def _insert(self, raw: sqlite3.Connection, model: Model, blob: bytes, *, live: bool) -> None:
        try:
            pinned = model.base_id == model.model_id
            raw.execute(_SQL["add_model"], (model.model_id, _encode(model), _digest(blob), pinned))
        except sqlite3.IntegrityError as error:
            raise Corrupt(f"There is a model {model.model_id} already.") from error
        if live:
            raw.execute(_SQL["set_live"], (model.model_id,))

    def _write(self, model_id: str, blob: bytes) -> None:
        draft = self._folder / f"{model_id}.new"
        draft.write_bytes(blob)
        flush(draft)
        os.replace(draft, self._path(model_id))
        flush(self._folder)

    def _remove_unnamed(self, raw: sqlite3.Connection) -> None:
        # What killed processes left. Under the write lock, so that it can't be what another one publishes now.
        stored = {f"{model_id}.vw" for (model_id,) in raw.execute(_SQL["stored"])}
        for path in self._folder.iterdir():
            if path.name not in stored:
                path.unlink()

    def _vanished(self, model_id: str, error: OSError) -> bytes:
        # Pruned since we looked, which is in order, or taken by other hands, which is not.
        if self._connection.rows(_SQL["digest"], (model_id,)):
            raise Corrupt(f"The bytes of model {model_id} are gone.") from error
        raise ModelNotFound(f"Model {model_id!r} is too old to be kept.") from error

    def _path(self, model_id: str) -> Path:
        return self._folder / f"{model_id}.vw"


def _digest(blob: bytes) -> bytes:
    return hashlib.blake2b(blob, digest_size=16).digest()


def _decoded(lineage: bytes) -> Model:
    try:
        return _decode(lineage)
    except msgspec.DecodeError as error:
        raise Corrupt(f"The lineage of a model can't be read: {error}.") from error
