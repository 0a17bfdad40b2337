"""Folders that are filled before they have their place, such as a loop that is being restored.

Their process holds a lock on each (flock). One that was killed leaves its folder behind, with a copy of a log
that no erasure reaches: it is found by the lock that nobody holds, and removed.
"""

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from sartor.private_files import make_private_folder

LEFT_AFTER_S = 3600.0
"""How old a folder is at least that counts as left behind: older versions lock none."""

_PREFIXES = (".unfinished-", ".restoring-")  # the second is that of older versions


@contextmanager
def unfinished_folder(parent: Path, purpose: str, /) -> Iterator[Path]:
    """Creates a folder in another; removed at the end unless it was renamed.

    Raises:
        OSError: it can't be created.
    """
    place = parent / f"{_PREFIXES[0]}{purpose}-{uuid4().hex}"
    make_private_folder(place)
    descriptor = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)
        os.close(descriptor)


def remove_left_behind(parent: Path, /, *, age_s: float = LEFT_AFTER_S) -> None:
    """Removes the unfinished folders in another that no process fills any more, and that are ``age_s`` old.

    What can't be removed now is left to the next time.
    """
    try:
        names = [name for name in os.listdir(parent) if name.startswith(_PREFIXES)]
    except FileNotFoundError:
        return
    for name in names:
        _remove_if_left(parent / name, age_s)


def _remove_if_left(place: Path, age_s: float) -> None:
    try:
        descriptor = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:  # gone, or no folder
        return
    try:
        if time.time() - os.fstat(descriptor).st_mtime < age_s:
            return
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(place, ignore_errors=True)
    except BlockingIOError:  # it is being filled
        return
    finally:
        os.close(descriptor)
