"""Which database files were made: one that was made and is gone is never made again in silence.

An empty file ``made/LOOP_ID~KIND`` says that a database of a loop was made once. It lies outside the loop's own
folder, so that it outlives that. Databases of older versions get theirs when they are opened.
"""

import os
from contextlib import suppress
from pathlib import Path

from sartor.errors import Corrupt, LoopDeleted, SartorError, StoreUnavailable
from sartor.private_files import FILE_MODE, FOLDER_MODE
from sartor.stores.advice import NOT_FROM_ELSEWHERE, advise_on_damage

KINDS = ("events", "outcomes", "jobs")


class MadeFiles:
    """The files that were made in one data folder."""

    def __init__(self, root: Path, /) -> None:
        """``root``: the data folder."""
        self._root = root
        self._folder = root / "made"

    def has(self, loop_id: str, kind: str, /) -> bool:
        """Whether the database of this kind was ever made for a loop."""
        return os.path.exists(self._path(loop_id, kind))

    def note(self, loop_id: str, kind: str, /) -> None:
        """A database was made, or found; where that can't be written now, it is when it is opened again."""
        if self.has(loop_id, kind):
            return
        with suppress(OSError):
            self._folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
            os.close(os.open(self._path(loop_id, kind), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, FILE_MODE))

    def forget(self, loop_id: str, /, *kinds: str) -> None:
        """The databases of these kinds, or of all, may be made anew."""
        for kind in kinds or KINDS:
            with suppress(OSError):
                self._path(loop_id, kind).unlink(missing_ok=True)

    def check_missing(self, path: Path, /, *, loop_id: str, kind: str) -> None:
        """Checks that a database that does not exist may be made.

        Raises:
            Corrupt: it was made before, and is gone.
            LoopDeleted: its loop was deleted.
            StoreUnavailable: its folder can't be read.
        """
        if not self.has(loop_id, kind):
            return
        try:
            os.stat(path)
        except FileNotFoundError as error:
            raise self._explain(path, loop_id) from error
        except OSError as error:
            raise StoreUnavailable(f"{shorten_path(path)} can't be opened: {error.strerror}.") from error

    def is_deleted(self, loop_id: str, /) -> bool:
        """Whether the folder of a loop was set aside: the loop was deleted."""
        return os.path.exists(self._root / "loops" / f".deleted-{loop_id}")

    def _explain(self, path: Path, loop_id: str) -> SartorError:
        if loop_id and self.is_deleted(loop_id):
            return LoopDeleted(f"{shorten_path(path)}: the loop was deleted.")
        if path.parent.is_dir() or not loop_id:
            return Corrupt(f"{shorten_path(path)} is missing. {advise_on_damage(path)}")
        return Corrupt(f"{shorten_path(path.parent)} is missing. {NOT_FROM_ELSEWHERE}")

    def _path(self, loop_id: str, kind: str) -> Path:
        return self._folder / f"{loop_id}~{kind}"


def shorten_path(path: Path, /) -> str:
    """Returns the name of a file with that of its folder, which no other loop has: what messages say of it."""
    return f"{path.parent.name}/{path.name}"
