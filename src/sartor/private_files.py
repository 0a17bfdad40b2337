"""Files and folders that only their owner can read, whatever the umask of the process.

Files have mode 600 and folders 700: what this service writes holds data about people.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

FILE_MODE = 0o600
FOLDER_MODE = 0o700

_OTHERS = 0o077


def use_private_umask() -> None:
    """Lets whatever this process and its children create be their owner's alone, libraries' files included."""
    os.umask(_OTHERS)


def open_private(path: Path, /) -> BinaryIO:
    """Opens a file for writing, from its beginning; one that exists becomes private before it is written.

    What is no plain file, such as a pipe, keeps its mode.

    Raises:
        OSError: it can't be opened, or its mode not be changed.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
    try:
        found = os.fstat(descriptor)
        if stat.S_ISREG(found.st_mode):
            if found.st_mode & _OTHERS:
                os.fchmod(descriptor, FILE_MODE)
            os.ftruncate(descriptor, 0)
        return os.fdopen(descriptor, "wb")
    except BaseException:
        os.close(descriptor)
        raise


def write_private(path: Path, content: bytes, /) -> None:
    """Writes a file, as ``open_private`` opens it.

    Raises:
        OSError: it can't be written.
    """
    with open_private(path) as file:
        file.write(content)


def make_private_folder(folder: Path, /) -> None:
    """Creates a folder, and those above it that are missing.

    Raises:
        OSError: it can't be created.
    """
    if folder.is_dir():
        return
    # Path.mkdir gives its mode to the last of them only.
    for missing in reversed([one for one in (folder, *folder.parents) if not one.exists()]):
        with suppress(FileExistsError):
            os.mkdir(missing, FOLDER_MODE)
    folder.mkdir(mode=FOLDER_MODE, exist_ok=True)  # raises where something else has the name


def is_open_to_others(path: Path, /) -> bool:
    """Whether somebody else than its owner has a permission; False if it does not exist."""
    try:
        return bool(os.lstat(path).st_mode & _OTHERS)
    except OSError:
        return False


def make_private(path: Path, /) -> None:
    """Takes the permissions of others away from a file, or from a folder and all below it. Idempotent.

    Links are not followed. What belongs to another user stays as it is, and so does what is gone meanwhile.
    """
    for one in _walk(path):
        with suppress(OSError):
            found = os.lstat(one)
            is_folder = stat.S_ISDIR(found.st_mode)
            if found.st_mode & _OTHERS and (is_folder or stat.S_ISREG(found.st_mode)):
                os.chmod(one, FOLDER_MODE if is_folder else FILE_MODE)


def _walk(path: Path) -> Iterator[str]:
    """Yields a path and all below it, folders first."""
    waiting = [str(path)]
    while waiting:
        one = waiting.pop()
        yield one
        with suppress(OSError):  # it is no folder, or not ours to read
            if not os.path.islink(one):
                with os.scandir(one) as entries:
                    waiting += [entry.path for entry in entries]
