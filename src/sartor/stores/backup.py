"""Backup of a loop to one file while it is used, and its restoration: a compressed tar of snapshots.

The outcomes are copied before the events, so that every outcome in a backup has its decision. What was decided
after the events were copied is not in it.
"""

import os
import re
import shutil
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
from msgspec import Struct

from sartor.errors import Corrupt, StoreUnavailable
from sartor.stores.connection import SqliteConnection
from sartor.stores.schema import flush

_MANIFEST = "loop.json"
_KINDS = ("outcomes", "jobs", "events")
_NAME = r"[A-Za-z0-9_-][A-Za-z0-9._~-]{0,250}"
_MEMBER = re.compile(rf"(outcomes|jobs|events)\.sqlite|(models|shelf)/{_NAME}")
_FORMAT = 1


class BackupManifest(Struct, frozen=True, kw_only=True):
    """The first member of a backup. ``body``: the loop without its keys; ``keys``: these, encrypted."""

    format: int
    loop_id: str
    body: str
    keys: bytes


def pack(folder: Path, target: Path, manifest: BackupManifest, /) -> None:
    """Writes a loop's folder to a file, which appears when it is whole.

    Raises:
        StoreUnavailable: the folder can't be read, or the file not be written.
    """
    draft = target.with_name(f".{target.name}.part")
    try:
        with TemporaryDirectory(prefix=".backup-", dir=folder) as made, tarfile.open(draft, "w:gz") as tar:
            staging = Path(made)
            (staging / _MANIFEST).write_bytes(msgspec.json.encode(manifest))
            tar.add(staging / _MANIFEST, _MANIFEST)
            for kind in _KINDS:
                if (folder / f"{kind}.sqlite").exists():
                    _snapshot(folder, kind, staging, owner=manifest.loop_id)
                    tar.add(staging / f"{kind}.sqlite", f"{kind}.sqlite")
                    (staging / f"{kind}.sqlite").unlink()
            for path in _contents(folder):
                tar.add(path, f"{path.parent.name}/{path.name}")
        flush(draft)
        os.replace(draft, target)
    except (OSError, tarfile.TarError) as error:
        raise StoreUnavailable(f"The backup {target} can't be written: {error}.") from error
    finally:
        draft.unlink(missing_ok=True)


def _snapshot(folder: Path, kind: str, staging: Path, *, owner: str) -> None:
    connection = SqliteConnection(folder / f"{kind}.sqlite", kind, owner=owner, checkpoints=False)
    try:
        connection.rows("VACUUM INTO ?", (str(staging / f"{kind}.sqlite"),))
    finally:
        connection.close()


def _contents(folder: Path) -> Iterator[Path]:
    for name in ("models", "shelf"):
        if (folder / name).is_dir():
            # Hidden ones are drafts of contents that are being written.
            yield from sorted(path for path in (folder / name).iterdir() if not path.name.startswith("."))


@contextmanager
def open_backup(source: Path, /) -> Iterator[tuple[BackupManifest, tarfile.TarFile]]:
    """Opens a backup; yields its manifest and the tar file.

    Raises:
        StoreUnavailable: the file can't be read.
        Corrupt: it is no backup of this service.
    """
    try:
        with tarfile.open(source, "r:gz") as tar:
            first = tar.next()
            file = None if first is None or first.name != _MANIFEST else tar.extractfile(first)
            if file is None:
                raise Corrupt(f"{source} is no backup of a loop.")
            manifest = msgspec.json.decode(file.read(), type=BackupManifest)
            if manifest.format != _FORMAT:
                raise Corrupt(f"{source} was written by another version of this service.")
            yield manifest, tar
    except (tarfile.TarError, EOFError, msgspec.DecodeError) as error:
        raise Corrupt(f"{source} is no backup of a loop, or damaged: {error}.") from error
    except OSError as error:
        raise StoreUnavailable(f"{source} can't be read: {error.strerror or error}.") from error


def unpack(tar: tarfile.TarFile, folder: Path, /) -> None:
    """Unpacks a backup into a new folder; the caller removes the folder after an error.

    Raises:
        Corrupt: it holds something that belongs to no loop.
        StoreUnavailable: the folder can't be written.
    """
    try:
        for name in ("models", "shelf"):
            (folder / name).mkdir(mode=0o700, parents=True)
        for member in tar:
            if member.name == _MANIFEST:
                continue
            source = tar.extractfile(member) if member.isfile() and _MEMBER.fullmatch(member.name) else None
            if source is None:
                raise Corrupt(f"The backup holds something that belongs to no loop: {member.name!r}.")
            with (folder / member.name).open("xb") as target:
                shutil.copyfileobj(source, target)
            flush(folder / member.name)
        for kind in _KINDS:
            _switch_to_wal(folder / f"{kind}.sqlite")
    except (OSError, sqlite3.Error) as error:
        raise StoreUnavailable(f"The backup can't be unpacked to {folder}: {error}.") from error


def _switch_to_wal(path: Path) -> None:
    """Switches a snapshot to WAL mode, as all files of a loop have it."""
    if path.exists():
        database = sqlite3.connect(path, isolation_level=None)
        database.execute("PRAGMA journal_mode = WAL")
        database.close()
