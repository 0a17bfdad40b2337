"""The blob store of one loop: small named contents as files in ``shelf/``, each replaced whole."""

import os
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

from sartor.errors import StoreUnavailable
from sartor.stores.layout import checked_id
from sartor.stores.schema import flush


class FileBlobStore:
    """A ``Shelf`` in a loop's folder, which must exist; the folder ``blobs`` is made by the first ``put``."""

    def __init__(self, folder: Path, /, *, loop_id: str) -> None:
        """Prepare; nothing is made yet.

        Args:
            folder: the loop's folder.
            loop_id: part of each file's name, so that a deleted loop leaves nothing to one of its name.
        """
        self._folder = folder / "shelf"
        self._mark = f"{checked_id(loop_id)}~"

    def put(self, name: str, content: bytes, /) -> None:
        """Keep a content under a name, on the disk when this returns.

        Raises:
            StoreUnavailable: it can't be written now; what was there before still is.
            InvalidSetting: the name can't be a file's.
        """
        path = self._path(name)
        draft = self._folder / f".{uuid4().hex}"
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            try:
                draft.write_bytes(content)
                flush(draft)
                os.replace(draft, path)
            finally:
                draft.unlink(missing_ok=True)
            flush(self._folder)
        except OSError as error:
            raise StoreUnavailable(f"{path} can't be written: {error.strerror}.") from error

    def get(self, name: str, /) -> bytes | None:
        """What was kept under a name.

        Raises:
            StoreUnavailable: it can't be read now.
            InvalidSetting: the name can't be a file's.
        """
        path = self._path(name)
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreUnavailable(f"{path} can't be read: {error.strerror}.") from error

    def names(self) -> Sequence[str]:
        """All names that hold something, in order.

        Raises:
            StoreUnavailable: the folder can't be read now.
        """
        try:
            found = sorted(os.listdir(self._folder))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StoreUnavailable(f"{self._folder} can't be read: {error.strerror}.") from error
        return [name.removeprefix(self._mark) for name in found if name.startswith(self._mark)]

    def delete(self, name: str, /) -> None:
        """Forget a name; idempotent.

        Raises:
            StoreUnavailable: it can't be removed now.
            InvalidSetting: the name can't be a file's.
        """
        path = self._path(name)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise StoreUnavailable(f"{path} can't be removed: {error.strerror}.") from error

    def _path(self, name: str) -> Path:
        return self._folder / f"{self._mark}{checked_id(name)}"
