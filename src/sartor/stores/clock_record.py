"""The record of the machine's clock in a small file of the data folder, replaced whole under a lock."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import msgspec

from sartor.clocks import ClockRecord
from sartor.errors import StoreUnavailable
from sartor.private_files import FILE_MODE, write_private

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(ClockRecord).decode


class FileClockRecords:
    """``ClockRecords`` in a data folder."""

    def __init__(self, folder: Path, /) -> None:
        """``folder``: the data folder; the file is created by the first ``update``."""
        self._path = folder / "clock.json"
        self._lock = folder / ".clock.lock"

    def read(self) -> ClockRecord | None:
        """Returns the record; None: there is none, or none that can be read.

        Raises:
            StoreUnavailable: the file can't be read now.
        """
        try:
            return _decode(self._path.read_bytes())
        except (FileNotFoundError, msgspec.DecodeError):  # then the log says what is known of the past
            return None
        except OSError as error:
            raise StoreUnavailable(f"{self._path.name} can't be read: {error.strerror}.") from error

    def update(self, change: Callable[[ClockRecord | None], ClockRecord], /) -> ClockRecord:
        """Replaces the record by what the function returns for it.

        Raises:
            StoreUnavailable: it can't be written now; the one before stays.
        """
        try:
            descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
        except OSError as error:
            raise StoreUnavailable(f"{self._lock.name} can't be opened: {error.strerror}.") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            record = change(self.read())
            self._write(record)
        except OSError as error:
            raise StoreUnavailable(f"{self._path.name} can't be written: {error.strerror}.") from error
        finally:
            os.close(descriptor)
        return record

    def _write(self, record: ClockRecord) -> None:
        draft = self._path.with_name(f".{uuid4().hex}")
        try:
            write_private(draft, _encode(record))
            os.replace(draft, self._path)
        finally:
            draft.unlink(missing_ok=True)
