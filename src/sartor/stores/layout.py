"""Where things are in a data folder, and which names may become folders.

catalog.sqlite          loops, settings, encrypted keys, the audit log
secret.key              encrypts the keys, unless a key is given from outside
secrets/NAME            other secrets of the instance, encrypted with the same key
reports/ROLE-PID.json   what each process says about itself
made/LOOP_ID~KIND       a database of a loop that was made, and is not made again in silence
clock.json              the clock when it was last looked at, and the time by which data may be removed
loops/NAME/             one loop; move or back it up as a whole
    events.sqlite       decisions and observations
    latest-time         the latest time that the log assigned, and how it follows the clock
    outcomes.sqlite     outcomes, and the lineage of the models
    jobs.sqlite         jobs, once there was one
    models/ID.vw        the bytes of the last models
    shelf/LOOP_ID~NAME  the blob store: checkpoints, models of evaluations
loops/.deleted-ID/      a deleted loop that was not purged yet
loops/.unfinished-*/    what a backup or a restore has in hand
"""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from sartor.errors import InvalidSetting, StoreUnavailable
from sartor.private_files import FOLDER_MODE, is_open_to_others, make_private, make_private_folder
from sartor.stores.advice import OUT_OF_WAY
from sartor.stores.made_files import MadeFiles, shorten_path
from sartor.stores.unfinished import remove_left_behind, unfinished_folder

_LOOP_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_OURS = frozenset(
    (
        "secret.key",
        "secrets",
        "reports",
        "made",
        "loops",
        "rates",
        "clock.json",
        ".clock.lock",
        "lock",
        "learn.lock",
        "endpoint",
        "endpoint.new",
    )
)
"""What this service keeps in a data folder, besides the catalog. What others put there is theirs."""

_ID = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}")


def check_name(name: str, /) -> str:
    """Returns a name of a loop that is safe as a folder name.

    Raises:
        InvalidSetting: anything but 1 to 63 of a-z, 0-9, ``_`` and ``-``, the first a letter or digit.
    """
    if not _LOOP_NAME.fullmatch(name):
        raise InvalidSetting(
            f"{name!r} can't name a loop: use 1 to 63 of a-z, 0-9, - and _, a letter or digit first."
        )
    return name


def check_id(text: str, /) -> str:
    """Returns an id of a loop or a model that is safe as part of a file name.

    Raises:
        InvalidSetting: anything but 1 to 128 of A-Z, a-z, 0-9, ``_``, ``-`` and ``.``, the first no dot.
    """
    if not _ID.fullmatch(text):
        raise InvalidSetting(f"{text!r} can't be an id: use up to 128 of A-Z, a-z, 0-9, - and _.")
    return text


class Layout:
    """The paths of one data folder."""

    def __init__(self, root: Path, /) -> None:
        self.root = root
        self.catalog = root / "catalog.sqlite"
        self.secret_key = root / "secret.key"
        self.secrets = root / "secrets"
        self.reports = root / "reports"
        self.made = MadeFiles(root)
        self._loops = root / "loops"

    def prepare(self) -> None:
        """Creates the folder, readable by its owner only; one that others may read becomes private.

        Raises:
            StoreUnavailable: it can't be created.
        """
        self._make(self._loops)
        if is_open_to_others(self.root) or is_open_to_others(self.catalog):
            self.make_private()

    def make_private(self) -> None:
        """Takes the permissions of others away from the folder and everything of ours in it.

        All of it is looked at: some microseconds for each file.
        """
        with suppress(OSError):  # it may be another user's, who lets us write there
            os.chmod(self.root, FOLDER_MODE)
        with suppress(OSError):
            for name in os.listdir(self.root):
                if name in _OURS or name.startswith("catalog.sqlite-"):
                    make_private(self.root / name)
        # Last: as long as it is open to others, the next opening does all of this again.
        make_private(self.catalog)

    def note_catalog(self) -> None:
        """A folder with loops has a catalog: without it, none is made in silence."""
        try:
            has_loops = any(not name.startswith(".") for name in os.listdir(self._loops))
        except OSError:
            return
        if has_loops:
            self.made.note("", "catalog")

    def make_secrets(self) -> Path:
        """Returns the folder of secrets, created at first use.

        Raises:
            StoreUnavailable: it can't be created.
        """
        self._make(self.secrets)
        return self.secrets

    def loop(self, name: str, /) -> Path:
        """Returns the folder of a loop; it may not exist.

        Raises:
            InvalidSetting: the name can't be a folder's.
        """
        return self._loops / check_name(name)

    def make_loop(self, name: str, /, *, loop_id: str) -> Path:
        """Returns the folder of a loop, created at first use.

        Raises:
            InvalidSetting: the name can't be a folder's.
            StoreUnavailable: it can't be created.
            Corrupt: it was there, with the events of this loop, and is gone.
        """
        folder = self.loop(name)
        if not folder.exists():
            self.made.check_missing(folder / "events.sqlite", loop_id=loop_id, kind="events")
        self._make(folder / "models")
        if is_open_to_others(folder) or is_open_to_others(folder / "events.sqlite"):
            make_private(folder)
        return folder

    def set_aside(self, name: str, /, *, loop_id: str) -> None:
        """Renames the folder of a deleted loop, if it exists, so that the name is free.

        Raises:
            StoreUnavailable: it can't be renamed.
        """
        target = self._loops / f".deleted-{check_id(loop_id)}"
        number = 1
        while target.exists():
            number += 1
            target = self._loops / f".deleted-{loop_id}~{number}"
        try:
            os.rename(self.loop(name), target)
        except FileNotFoundError:
            return
        except OSError as error:
            raise StoreUnavailable(f"{self.loop(name)} can't be renamed: {error.strerror}.") from error

    def put_back(self, name: str, /, *, loop_id: str) -> None:
        """Renames the folder of a deleted loop back, to a name that is free; does nothing if it never had one.

        Raises:
            StoreUnavailable: it can't be renamed.
        """
        remains = self.remains(loop_id)
        if not remains:
            return
        try:
            os.rename(remains[0], self.loop(name))
        except OSError as error:
            raise StoreUnavailable(f"{remains[0]} can't be renamed: {error.strerror}.") from error

    @contextmanager
    def staging(self, purpose: str, /) -> Iterator[Path]:
        """Creates a temporary folder beside those of loops; removed at the end unless installed.

        Raises:
            StoreUnavailable: it can't be created.
        """
        with ExitStack() as stack:
            try:
                place = stack.enter_context(unfinished_folder(self._loops, check_id(purpose)))
            except OSError as error:
                raise StoreUnavailable(f"{self._loops} can't be written: {error.strerror}.") from error
            yield place

    def remove_left_behind(self) -> None:
        """Removes the temporary folders of processes that were killed."""
        remove_left_behind(self._loops)

    def install(self, folder: Path, name: str, /) -> None:
        """Renames a folder to that of the loop of a name that is free.

        Raises:
            StoreUnavailable: it can't be renamed.
        """
        try:
            os.rename(folder, self.loop(name))
        except OSError as error:
            raise StoreUnavailable(f"{folder} can't be renamed: {error.strerror}.") from error

    def remains(self, loop_id: str, /) -> list[Path]:
        """Returns the folders of a deleted loop that were not removed yet."""
        first = self._loops / f".deleted-{loop_id}"
        return [path for path in (first, *sorted(self._loops.glob(f"{first.name}~*"))) if path.exists()]

    def _make(self, folder: Path) -> None:
        try:
            make_private_folder(folder)
        except OSError as error:
            message = f"{shorten_path(folder)} can't be created: {error.strerror}. {OUT_OF_WAY}"
            raise StoreUnavailable(message) from error


def remove_folder(folder: Path, /) -> None:
    """Removes a folder with all that is in it.

    Raises:
        StoreUnavailable: something in it can't be removed.
    """
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise StoreUnavailable(f"{folder} can't be removed: {error.strerror}.") from error
