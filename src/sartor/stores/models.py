"""The models of one loop: lineage in ``outcomes.sqlite``, bytes in ``models/ID.vw``.

The bytes are on the disk before the row that names them is committed. A crash in between leaves a file that
no row names; the next ``publish`` removes it. One process publishes; any process may promote. Descriptions of
models, and whether they are kept, are columns of the same rows.
"""

import hashlib
import os
import sqlite3
from collections.abc import Hashable, Sequence
from pathlib import Path

import msgspec

from sartor.errors import Corrupt, ModelInUse, ModelNotFound, StoreUnavailable
from sartor.private_files import write_private
from sartor.records import Model, ModelNote
from sartor.stores.connection import DataVersion, SqliteConnection
from sartor.stores.file_marks import FileMarks
from sartor.stores.layout import check_id
from sartor.stores.schema import flush, read_statements

KEPT = 20
"""How many of the newest models keep their bytes by default, besides the live one."""

_SQL = read_statements("outcomes")

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Model).decode


class SqliteModels:
    """A ``ModelRegistry`` in a loop's folder."""

    def __init__(self, folder: Path, connection: SqliteConnection, /) -> None:
        self._folder = folder
        self._connection = connection
        self._marks = FileMarks([connection.path])
        self._live: Model | None = None
        self._live_mark: Hashable = None
        self._live_version: DataVersion | None = None

    def publish(self, model: Model, blob: bytes, /, *, live: bool, keep: int = KEPT) -> None:
        """Adds a model, and makes it the live one if ``live``. Prunes all but the newest ``keep``.

        Raises:
            StoreUnavailable: the model can't be written now.
            InvalidSetting: its id can't be a file name.
            Corrupt: there is a model with its id.
        """
        check_id(model.model_id)
        try:
            with self._connection.transaction() as raw:
                self._remove_unreferenced(raw)
                self._insert(raw, model, blob, live=live)
                pruned = [model_id for (model_id,) in raw.execute(_SQL["prune"], (keep,))]
                self._write(model.model_id, blob)
            self._live_version = self._live_mark = None
            for model_id in pruned:
                self._path(model_id).unlink(missing_ok=True)
        except OSError as error:
            raise StoreUnavailable(f"Model {model.model_id} can't be written: {error.strerror}.") from error

    def history(self, *, limit: int | None = None) -> Sequence[Model]:
        """Returns the lineage of every model ever published, or of the newest ``limit``, newest first.

        Raises:
            StoreUnavailable: the registry can't be read now.
        """
        rows = self._connection.rows(_SQL["history"], (-1 if limit is None else limit,))
        return [_decode_lineage(row[0]) for row in rows]

    def blob(self, model_id: str, /) -> bytes:
        """Returns the bytes of a model.

        Raises:
            ModelNotFound: no such model, or its bytes were pruned.
            Corrupt: the bytes are not those that were published.
            StoreUnavailable: they can't be read now.
        """
        rows = self._connection.rows(_SQL["digest"], (model_id,))
        if not rows:
            raise _not_found(model_id)
        try:
            blob = self._path(model_id).read_bytes()
        except FileNotFoundError as error:
            return self._explain_missing(model_id, error)
        except OSError as error:
            raise StoreUnavailable(f"Model {model_id} can't be read: {error.strerror}.") from error
        if digest_model(blob) != rows[0][0]:
            raise Corrupt(f"The bytes of model {model_id} are not those that were published.")
        return blob

    def live(self) -> Model | None:
        """Returns the model that serves; takes a few microseconds, and opens no file, while nothing changes.

        Raises:
            StoreUnavailable: the registry can't be read now.
        """
        mark = self._marks.read()
        if mark == self._live_mark:
            return self._live
        version = self._connection.data_version()
        if version != self._live_version:
            rows = self._connection.rows(_SQL["live"])
            self._live = _decode_lineage(rows[0][0]) if rows else None
            self._live_version = version
        self._live_mark = mark
        return self._live

    def promote(self, model_id: str | None, /) -> None:
        """Makes this model the live one; None: no model, decisions are uniform.

        Raises:
            ModelNotFound: no such model, or its bytes were pruned.
            StoreUnavailable: the registry can't be written now.
        """
        with self._connection.transaction() as raw:
            if model_id is not None and not raw.execute(_SQL["digest"], (model_id,)).fetchone():
                raise _not_found(model_id)
            raw.execute(_SQL["set_live"], (model_id,))
        self._live_version = self._live_mark = None

    def _insert(self, raw: sqlite3.Connection, model: Model, blob: bytes, *, live: bool) -> None:
        try:
            pinned = model.base_id == model.model_id
            raw.execute(_SQL["add_model"], (model.model_id, _encode(model), digest_model(blob), pinned))
        except sqlite3.IntegrityError as error:
            raise Corrupt(f"There is a model {model.model_id} already.") from error
        if live:
            raw.execute(_SQL["set_live"], (model.model_id,))

    def _write(self, model_id: str, blob: bytes) -> None:
        draft = self._folder / f"{model_id}.new"
        write_private(draft, blob)
        flush(draft)
        os.replace(draft, self._path(model_id))
        flush(self._folder)

    def _remove_unreferenced(self, raw: sqlite3.Connection) -> None:
        # Left by killed processes. Under the write lock: another process can't be publishing now.
        stored = {f"{model_id}.vw" for (model_id,) in raw.execute(_SQL["stored"])}
        for path in self._folder.iterdir():
            if path.name not in stored:
                path.unlink()

    def _explain_missing(self, model_id: str, error: OSError) -> bytes:
        # Pruned since the look-up, which is in order, or removed by somebody else, which is not.
        if self._connection.rows(_SQL["digest"], (model_id,)):
            raise Corrupt(f"The bytes of model {model_id} are missing.") from error
        raise ModelNotFound(f"Model {model_id!r} is too old to be kept.") from error

    def _path(self, model_id: str) -> Path:
        return self._folder / f"{model_id}.vw"


def digest_model(blob: bytes, /) -> bytes:
    """Returns the digest of a model's bytes, as the registry keeps it: 16 bytes."""
    return hashlib.blake2b(blob, digest_size=16).digest()


def _decode_lineage(lineage: bytes) -> Model:
    try:
        return _decode(lineage)
    except msgspec.DecodeError as error:
        raise Corrupt(f"The lineage of a model can't be read: {error}.") from error


_SQL = read_statements("outcomes")


class SqliteModelNotes:
    """``ModelNotes`` in a loop's folder, in the rows of its models."""

    def __init__(self, folder: Path, connection: SqliteConnection, /) -> None:
        self._folder = folder
        self._connection = connection

    def all(self) -> Sequence[ModelNote]:
        """Returns one note for each model whose bytes are kept, newest first.

        Raises:
            StoreUnavailable: the registry can't be read now.
        """
        rows = self._connection.rows(_SQL["notes"])
        return [ModelNote(model_id=name, saved=bool(saved), description=text) for name, saved, text in rows]

    def note(self, note: ModelNote, /) -> None:
        """Replaces the note of a model.

        Raises:
            ModelNotFound: no such model, or its bytes were pruned.
            StoreUnavailable: the registry can't be written now.
        """
        with self._connection.transaction() as raw:
            if not raw.execute(_SQL["note"], (note.saved, note.description, note.model_id)).rowcount:
                raise _not_found(note.model_id)

    def remove(self, model_id: str, /) -> None:
        """Removes the bytes of a model that does not serve.

        Raises:
            ModelNotFound: no such model, or its bytes were pruned.
            ModelInUse: it is the live one.
            StoreUnavailable: the registry can't be written now.
        """
        with self._connection.transaction() as raw:
            if raw.execute(_SQL["live_id"]).fetchone()[0] == model_id:
                raise ModelInUse(f"The model {model_id} serves now: publish another one first.")
            if not raw.execute(_SQL["remove_blob"], (model_id,)).rowcount:
                raise _not_found(model_id)
        try:
            (self._folder / f"{model_id}.vw").unlink(missing_ok=True)
        except OSError as error:
            raise StoreUnavailable(f"Model {model_id} can't be removed: {error.strerror}.") from error


def _not_found(model_id: str) -> ModelNotFound:
    return ModelNotFound(f"There is no model {model_id!r}, or it is too old to be kept.")
