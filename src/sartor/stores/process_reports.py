"""The reports of processes as small files in ``reports/``, replaced whole.

The time of progress is the file's modification time: while nothing else changes, posting is one call that needs
no space, so that a full disk does not look like a process that hangs.
"""

import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import msgspec
from msgspec.structs import replace

from sartor.errors import StoreUnavailable
from sartor.private_files import make_private_folder, write_private
from sartor.problems import ProcessReport

_NS = 1_000
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(ProcessReport).decode


class FileProcessReports:
    """``ProcessReports`` in a data folder; ``reports/`` is created by the first ``post``."""

    def __init__(self, folder: Path, /) -> None:
        """``folder``: where the reports are; it may not exist."""
        self._folder = folder
        self._posted: dict[Path, ProcessReport] = {}

    def post(self, report: ProcessReport, /) -> None:
        """Replaces the report of this process, and removes those of processes that have ended.

        Raises:
            StoreUnavailable: it can't be written; the one before stays, with the new time of progress.
        """
        path = self._path(report)
        written = self._posted.get(path)
        try:
            if written is None:
                make_private_folder(self._folder)
                self._remove_ended(report)
            if written is not None and replace(written, progressed_us=report.progressed_us) == report:
                _set_time(path, report)
            else:
                self._write(path, report)
        except OSError as error:
            self._posted.pop(path, None)
            with suppress(OSError):
                _set_time(path, report)
            raise StoreUnavailable(f"reports/{path.name} can't be written: {error.strerror}.") from error
        self._posted[path] = report

    def all(self) -> Sequence[ProcessReport]:
        """Returns the reports of the processes that run; one that can't be read is left out.

        Raises:
            StoreUnavailable: the folder can't be read.
        """
        return [report for _, report in self._read() if not _has_ended(report)]

    def remove(self, report: ProcessReport, /) -> None:
        """Removes the report of a process that ends; idempotent."""
        path = self._path(report)
        self._posted.pop(path, None)
        with suppress(OSError):
            path.unlink()

    def _path(self, report: ProcessReport) -> Path:
        return self._folder / f"{report.role}-{report.pid}.json"

    def _write(self, path: Path, report: ProcessReport) -> None:
        draft = self._folder / f".{uuid4().hex}"
        try:
            write_private(draft, _encode(report))
            _set_time(draft, report)
            os.replace(draft, path)
        finally:
            draft.unlink(missing_ok=True)

    def _read(self) -> Iterator[tuple[Path, ProcessReport]]:
        try:
            names = sorted(os.listdir(self._folder))
        except FileNotFoundError:
            return
        except OSError as error:
            raise StoreUnavailable(f"reports can't be read: {error.strerror}.") from error
        for name in names:
            path = self._folder / name
            if name.startswith("."):
                continue
            with suppress(OSError, msgspec.DecodeError):  # it was removed just now, or is no report
                report = _decode(path.read_bytes())
                yield path, replace(report, progressed_us=os.stat(path).st_mtime_ns // _NS)

    def _remove_ended(self, report: ProcessReport) -> None:
        # One learn process at a time holds its lock: another's report is that of one that was killed.
        for path, other in self._read():
            alone = report.role == other.role == "learn" and other.pid != report.pid
            if alone or _has_ended(other):
                path.unlink(missing_ok=True)


def _set_time(path: Path, report: ProcessReport) -> None:
    time_ns = report.progressed_us * _NS
    os.utime(path, ns=(time_ns, time_ns))


def _has_ended(report: ProcessReport) -> bool:
    if report.host != socket.gethostname():
        return False
    try:
        os.kill(report.pid, 0)
    except ProcessLookupError:
        return True
    except OSError:  # it runs as another user
        return False
    return False
