"""Checks what a backup was unpacked to, before it becomes a loop: its databases, its models, its blobs.

Databases of unknown origin are opened read-only here first: one may hold nothing that the schema does not have
and that would act by itself (triggers, views, virtual tables).
"""

import hashlib
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec

from sartor.errors import Corrupt, InvalidModel, InvalidPolicy, StoreUnavailable
from sartor.loops import RestoreChecks
from sartor.records import Model
from sartor.stores.backup import KINDS
from sartor.stores.models import digest_model
from sartor.stores.schema import flush, read_statements

_log = logging.getLogger(__name__)

_SQL = read_statements("backup")
_MOST_MODEL_BYTES = 268_435_456


class UnpackedBackup:
    """The folder to which a backup was unpacked."""

    def __init__(self, folder: Path, checks: RestoreChecks, /, *, loop_id: str, is_own: bool) -> None:
        self._folder = folder
        self._checks = checks
        self._loop_id = loop_id
        self._is_own = is_own

    def check(self) -> None:
        """Check all of it. Models of another instance are replaced by what ``checks`` makes of them.

        Raises:
            Corrupt: it belongs to another loop, or something in it can't be accepted.
            StoreUnavailable, OSError: it can't be written.
        """
        try:
            for kind in KINDS:
                if self._path(kind).exists():
                    self._check_database(kind)
            self._check_models()
        except sqlite3.Error as error:
            raise Corrupt(f"A database in it can't be read: {error}.") from error
        if not self._is_own:
            self._check_shelf()
        for kind in KINDS:
            self._switch_to_wal(self._path(kind))

    def _path(self, kind: str) -> Path:
        return self._folder / f"{kind}.sqlite"

    def _check_database(self, kind: str) -> None:
        with _open(self._path(kind), writable=False) as database:
            if database.execute(_SQL["acting"]).fetchone():
                raise Corrupt(f"Its {kind}.sqlite holds a trigger, a view or a virtual table.")
            if not self._is_own and database.execute(_SQL["quick_check"]).fetchone() != ("ok",):
                raise Corrupt(f"Its {kind}.sqlite is damaged.")
            if database.execute(_SQL["owner"]).fetchone() != (self._loop_id,):
                raise Corrupt(f"Its {kind}.sqlite belongs to another loop.")

    def _check_models(self) -> None:
        """Each model with a row is checked; a file without one is removed, as the next model would."""
        files = {path.name: path for path in (self._folder / "models").iterdir()}
        if self._path("outcomes").exists():
            with _open(self._path("outcomes"), writable=True) as database:
                for model_id, lineage, digest in database.execute(_SQL["models"]).fetchall():
                    path = files.pop(f"{model_id}.vw", None)
                    if path is not None:
                        self._check_digest(path, digest)
                        self._check_model(database, path, lineage)
        for path in files.values():
            path.unlink()

    def _check_digest(self, path: Path, digest: object) -> None:
        if path.stat().st_size > _MOST_MODEL_BYTES or _digest_file(path) != digest:
            raise Corrupt(f"The bytes of the model {path.stem} are not those that were published.")

    def _check_model(self, database: sqlite3.Connection, path: Path, lineage: bytes) -> None:
        try:
            model = msgspec.msgpack.decode(lineage, type=Model)
            blob = path.read_bytes()
            checked = self._checks.check_model(blob, model.arguments, is_own=self._is_own)
        except (Corrupt, InvalidModel, InvalidPolicy, msgspec.DecodeError, TypeError) as error:
            if not self._is_own:
                raise Corrupt(f"The model {path.stem} is not accepted. {error}") from error
            self._leave_out(database, path, error)
            return
        if checked != blob:
            path.write_bytes(checked)
            flush(path)
            database.execute(_SQL["set_digest"], (digest_model(checked), path.stem))

    def _leave_out(self, database: sqlite3.Connection, path: Path, error: Exception) -> None:
        # A model of our own that this version does not accept any more must not hold back the log.
        _log.warning("The model %s is left out: %s", path.stem, error, extra={"action": "restore"})
        database.execute(_SQL["leave_out"], (path.stem,))
        database.execute(_SQL["leave_out_live"], (path.stem,))
        path.unlink()

    def _check_shelf(self) -> None:
        for path in (self._folder / "shelf").iterdir():
            if path.stat().st_size > _MOST_MODEL_BYTES:
                raise Corrupt(f"The blob {path.name} is too large.")
            try:
                self._checks.check_blob(path.read_bytes())
            except InvalidModel as error:
                raise Corrupt(f"The blob {path.name} is not accepted. {error}") from error

    def _switch_to_wal(self, path: Path) -> None:
        """Switches a snapshot to WAL mode, as all files of a loop have it."""
        if not path.exists():
            return
        try:
            with _open(path, writable=True) as database:
                database.execute("PRAGMA journal_mode = WAL")
        except sqlite3.Error as error:
            raise StoreUnavailable(f"{path} can't be written: {error}.") from error


@contextmanager
def _open(path: Path, *, writable: bool) -> Iterator[sqlite3.Connection]:
    mode = "rw" if writable else "ro"
    address = f"{path.absolute().as_uri()}?mode={mode}"
    with closing(sqlite3.connect(address, uri=True, isolation_level=None)) as raw:
        raw.execute("PRAGMA trusted_schema = OFF")
        raw.execute("PRAGMA cell_size_check = ON")
        yield raw


def _digest_file(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).digest()
