"""One instance on one data folder: who may use it, and where it is reached."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sartor.errors import DataFolderInUse, StoreUnavailable

DEFAULT_ENDPOINT = "http://127.0.0.1:5000"
_RETRY_S = 0.05


class InstanceLock:
    """The files by which processes of one data folder know of one another.

    The locks are advisory locks of the kernel: they end with the process that holds them, however it ends, so
    that a folder is free again the moment its supervisor is dead.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def only_supervisor(self, *, patience_s: float = 0.0) -> Iterator[None]:
        """Hold the folder for one supervisor.

        Raises:
            DataFolderInUse: another one holds it, and still does after ``patience_s`` seconds.
        """
        message = f"Another running instance uses the data folder {self._folder}."
        with self._held("lock", message, patience_s=patience_s):
            yield

    @contextmanager
    def only_learner(self, *, patience_s: float) -> Iterator[None]:
        """Hold the folder for one learn process: outcomes and models have one writer.

        Raises:
            DataFolderInUse: another one holds it, and still does after ``patience_s`` seconds.
        """
        message = f"Another learn process uses the data folder {self._folder}."
        with self._held("learn.lock", message, patience_s=patience_s):
            yield

    @contextmanager
    def _held(self, name: str, message: str, *, patience_s: float) -> Iterator[None]:
        descriptor = self._opened(name)
        try:
            until = time.monotonic() + patience_s
            while not _locked(descriptor):
                if time.monotonic() >= until:
                    raise DataFolderInUse(message)
                time.sleep(_RETRY_S)
            yield
        finally:
            os.close(descriptor)

    def _opened(self, name: str) -> int:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            return os.open(self._folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreUnavailable(f"The data folder {self._folder} can't be used: {error}.") from error

    def announce(self, endpoint: str, /) -> None:
        """Keep the endpoint, so that ``sartor loop keys`` can tell it; a full disk does not matter here."""
        draft = self._folder / "endpoint.new"
        try:
            draft.write_text(endpoint + "\n")
            draft.replace(self._folder / "endpoint")
        except OSError:
            draft.unlink(missing_ok=True)

    def endpoint(self) -> str:
        """The endpoint that was announced last; the default one when none ever was."""
        try:
            return (self._folder / "endpoint").read_text().strip() or DEFAULT_ENDPOINT
        except OSError:
            return DEFAULT_ENDPOINT


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
