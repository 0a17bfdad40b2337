"""Backup of a loop to one file while it is used, and its restoration: a compressed tar of snapshots, sealed.

The outcomes are copied before the events, so that every outcome in a backup has its decision. What was decided
after the events were copied is not in it.
"""

import os
import re
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import msgspec
from msgspec import Struct

from sartor.errors import Corrupt, ForeignBackup, StoreUnavailable
from sartor.stores.backup_reader import RATIO, GzipReader, Member, TarReader, UnpackingBounds
from sartor.stores.backup_seal import Origin, SealedContent, SealingFile, read_seal
from sartor.stores.connection import SqliteConnection
from sartor.stores.schema import flush

FORMAT = 2
"""The format that is written. Format 1 had no seal."""

KINDS = ("outcomes", "jobs", "events")
"""The databases in a backup."""

_MANIFEST = "loop.json"
_MANIFEST_BYTES = 1 << 20
_NAME = r"[A-Za-z0-9_-][A-Za-z0-9._~-]{0,250}"
_MEMBER = re.compile(rf"(outcomes|jobs|events)\.sqlite|(models|shelf)/{_NAME}", re.ASCII)
_MOST_OF_DISK = 0.9


class BackupManifest(Struct, frozen=True, kw_only=True):
    """The first member of a backup. ``body``: the loop without its keys; ``keys``: these, encrypted."""

    format: int
    loop_id: str
    body: str
    keys: bytes


def pack(folder: Path, target: Path, manifest: BackupManifest, /, *, key: bytes, scratch: Path) -> None:
    """Writes a loop's folder to a file, which appears when it is whole; ``key`` seals it.

    ``scratch``: an empty folder for copies of its databases.

    Raises:
        StoreUnavailable: the folder can't be read, or the file not be written.
    """
    draft = target.with_name(f".{target.name}.part")
    try:
        with _create(draft) as file:
            sealing = SealingFile(file, key)
            with tarfile.open(mode="w:gz", fileobj=sealing) as tar:  # type: ignore[call-overload]
                _pack_folder(tar, folder, scratch, manifest)
            sealing.seal()
        flush(draft)
        os.replace(draft, target)
    except (OSError, tarfile.TarError) as error:
        raise StoreUnavailable(f"The backup {target} can't be written: {error}.") from error
    finally:
        draft.unlink(missing_ok=True)


def _create(draft: Path) -> BinaryIO:
    """Opens a new file that its owner alone can read."""
    draft.unlink(missing_ok=True)
    return os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _pack_folder(tar: tarfile.TarFile, folder: Path, staging: Path, manifest: BackupManifest) -> None:
    (staging / _MANIFEST).write_bytes(msgspec.json.encode(manifest))
    _add(tar, staging / _MANIFEST, _MANIFEST)
    for kind in KINDS:
        if (folder / f"{kind}.sqlite").exists():
            _snapshot(folder, kind, staging, owner=manifest.loop_id)
            _add(tar, staging / f"{kind}.sqlite", f"{kind}.sqlite")
            (staging / f"{kind}.sqlite").unlink()
    for path in _contents(folder):
        _add(tar, path, f"{path.parent.name}/{path.name}")


def _add(tar: tarfile.TarFile, path: Path, name: str) -> None:
    with path.open("rb") as file:
        about = tarfile.TarInfo(name)
        about.size, about.mode = os.fstat(file.fileno()).st_size, 0o600
        tar.addfile(about, file)


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


class OpenBackup:
    """A backup that is read from front to back; ``open_backup`` opens it."""

    def __init__(self, file: BinaryIO, sealed: SealedContent, /, *, room: int) -> None:
        """Read its beginning.

        Args:
            file: the file.
            sealed: what its seal says.
            room: how many bytes it may unpack to.

        Raises:
            Corrupt: it is no backup of this service.
        """
        ratio = None if sealed.origin == "own" else RATIO
        self._stream = GzipReader(file, UnpackingBounds(most=room, ratio=ratio), size=sealed.size)
        self._tar = TarReader(self._stream)
        self._members = self._tar.members()
        self._digest = sealed.digest
        self.origin = sealed.origin
        self.manifest = self._read_manifest()

    def _read_manifest(self) -> BackupManifest:
        first = next(self._members, None)
        if first is None or first.name != _MANIFEST or first.size > _MANIFEST_BYTES:
            raise Corrupt("It does not begin as a backup of a loop does.")
        manifest = msgspec.json.decode(b"".join(self._tar.content(first)), type=BackupManifest)
        if manifest.format not in (1, FORMAT):
            raise Corrupt("It was written by another version of this service.")
        if self.origin == "unknown" and manifest.format != 1:
            raise Corrupt("It was cut or changed: its end, which authenticates it, is missing.")
        return manifest

    def unpack(self, folder: Path, /) -> None:
        """Unpacks it into a new folder; the caller removes the folder after an error.

        Raises:
            Corrupt: it is damaged, or holds something that belongs to no loop.
            OSError: the folder can't be written.
        """
        for name in ("models", "shelf"):
            (folder / name).mkdir(mode=0o700, parents=True)
        for member in self._members:
            self._unpack_member(folder, member)
        self._stream.finish(self._digest)

    def _unpack_member(self, folder: Path, member: Member) -> None:
        if not _MEMBER.fullmatch(member.name):
            raise Corrupt(f"It holds something that belongs to no loop: {member.name[:100]!r}.")
        try:
            descriptor = os.open(folder / member.name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError as error:
            raise Corrupt(f"It holds {member.name!r} twice.") from error
        with os.fdopen(descriptor, "wb") as target:
            for part in self._tar.content(member):
                target.write(part)
        flush(folder / member.name)


@contextmanager
def open_backup(source: Path, /, *, key: bytes, accepts_foreign: bool, beside: Path) -> Iterator[OpenBackup]:
    """Opens a backup, once its seal is checked.

    Args:
        source: the file.
        key: seals the backups of this instance.
        accepts_foreign: whether one is accepted that this key did not seal.
        beside: a folder on the disk to which it will be unpacked.

    Raises:
        StoreUnavailable: the file can't be read, or the folder not be written.
        ForeignBackup: this instance did not seal it, and only such are accepted.
        Corrupt: it is no backup of this service, is damaged, or was changed since.
    """
    try:
        with source.open("rb") as file:
            sealed = read_seal(file, key)
            opened = OpenBackup(file, sealed, room=int(_MOST_OF_DISK * shutil.disk_usage(beside).free))
            if sealed.origin != "own" and not accepts_foreign:
                raise ForeignBackup(_FOREIGN[sealed.origin].format(source=source))
            yield opened
    except (Corrupt, msgspec.DecodeError) as error:
        raise Corrupt(f"{source} is no backup of a loop, or damaged. {error}") from error
    except OSError as error:
        raise StoreUnavailable(f"{source} can't be read or unpacked: {error.strerror or error}.") from error


_FOREIGN: dict[Origin, str] = {
    "another": "{source} was written by another instance, with another secret key, so nothing shows whether "
    "somebody changed it. If you know where it comes from, say so: --from-another-instance.",
    "unknown": "{source} was written by an older version, which did not authenticate backups, so nothing shows "
    "whether somebody changed it. If you know where it comes from, say so: --from-another-instance.",
}
