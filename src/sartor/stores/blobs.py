"""The blob store of one loop: small named contents as files in ``shelf/``, each replaced whole."""

import os
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

from sartor.errors import StoreUnavailable
from sartor.private_files import FOLDER_MODE, write_private
from sartor.stores.layout import check_id
from sartor.stores.schema import flush


class FileBlobStore:
    """A ``BlobStore`` in a loop's folder, which must exist; ``shelf/`` is created by the first ``put``."""

    def __init__(self, folder: Path, /, *, loop_id: str) -> None:
        """Prepares; nothing is created yet.

        Args:
            folder: the loop's folder.
            loop_id: part of each file's name, so that a loop inherits nothing from a deleted one of its name.
        """
        self._folder = folder / "shelf"
        self._prefix = f"{check_id(loop_id)}~"

    def put(self, name: str, content: bytes, /) -> None:
        """Stores a content under a name; it is on the disk when this returns.

        Raises:
            StoreUnavailable: it can't be written now; the previous content stays.
            InvalidSetting: the name can't be a file's.
        """
        path = self._path(name)
        draft = self._folder / f".{uuid4().hex}"
        try:
            self._folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
            try:
                write_private(draft, content)
                flush(draft)
                os.replace(draft, path)
            finally:
                draft.unlink(missing_ok=True)
            flush(self._folder)
        except OSError as error:
            raise StoreUnavailable(f"{path} can't be written: {error.strerror}.") from error

    def get(self, name: str, /) -> bytes | None:
        """Returns the content of a name; None: there is none.

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
        """Returns all names that have a content, in order.

        Raises:
            StoreUnavailable: the folder can't be read now.
        """
        try:
            found = sorted(os.listdir(self._folder))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StoreUnavailable(f"{self._folder} can't be read: {error.strerror}.") from error
        return [name.removeprefix(self._prefix) for name in found if name.startswith(self._prefix)]

    def delete(self, name: str, /) -> None:
        """Removes a name and its content; idempotent.

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
        return self._folder / f"{self._prefix}{check_id(name)}"
