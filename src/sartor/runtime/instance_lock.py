"""One instance per data folder: locks between processes, and the endpoint that the instance announced."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sartor.errors import DataFolderInUse, StoreUnavailable
from sartor.private_files import make_private_folder, write_private

DEFAULT_ENDPOINT = "http://127.0.0.1:5000"
_RETRY_S = 0.05


class InstanceLock:
    """Locks of a data folder between processes, and the endpoint where the instance is reached.

    The locks are advisory locks of the kernel: they end with the process that holds them, however it ends, so
    that a folder is free again as soon as its supervisor has ended.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def only_supervisor(self, *, patience_s: float = 0.0) -> Iterator[None]:
        """Hold the lock of the supervisor while the context is entered.

        Raises:
            DataFolderInUse: another one holds it, and still does after ``patience_s`` seconds.
        """
        message = f"Another running instance uses the data folder {self._folder}."
        with self._hold("lock", message, patience_s=patience_s):
            yield

    @contextmanager
    def only_learner(self, *, patience_s: float) -> Iterator[None]:
        """Hold the lock of the learn process while the context is entered: outcomes and models have one writer.

        Raises:
            DataFolderInUse: another one holds it, and still does after ``patience_s`` seconds.
        """
        message = f"Another learn process uses the data folder {self._folder}."
        with self._hold("learn.lock", message, patience_s=patience_s):
            yield

    @contextmanager
    def _hold(self, name: str, message: str, *, patience_s: float) -> Iterator[None]:
        descriptor = self._open_file(name)
        try:
            until = time.monotonic() + patience_s
            while not _try_lock(descriptor):
                if time.monotonic() >= until:
                    raise DataFolderInUse(message)
                time.sleep(_RETRY_S)
            yield
        finally:
            os.close(descriptor)

    def _open_file(self, name: str) -> int:
        try:
            make_private_folder(self._folder)
            return os.open(self._folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreUnavailable(f"The data folder {self._folder} can't be used: {error}.") from error

    def announce(self, endpoint: str, /) -> None:
        """Store the endpoint for ``sartor loop keys``; an error of the disk is ignored."""
        draft = self._folder / "endpoint.new"
        try:
            write_private(draft, f"{endpoint}\n".encode())
            draft.replace(self._folder / "endpoint")
        except OSError:
            draft.unlink(missing_ok=True)

    def endpoint(self) -> str:
        """Returns the endpoint that was announced last, or the default one."""
        try:
            return (self._folder / "endpoint").read_text().strip() or DEFAULT_ENDPOINT
        except OSError:
            return DEFAULT_ENDPOINT


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
