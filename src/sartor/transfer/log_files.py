"""The files of a saved log: which files at a location are logs, and their lines, however large they are.

The retired service named them by configuration, day and number (contract, section 3.4), so that the order of
their names is the order in which they were written.
"""

import zlib
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import BinaryIO

from sartor.errors import LocationUnavailable
from sartor.transfer.locations import File, FileLocation

LONGEST_LINE = 16 * 2**20
"""Bytes of a line that is still read."""

_CHUNK = 2**20
_GZIP = b"\x1f\x8b"
_GZIP_BITS = 31

_NO_LOGS = {
    ".fb": "a binary log; only dsjson is read",
    ".vw": "a model; give it with --model",
    ".zip": "an archive; a model is given with --model, logs are unpacked first",
    ".dat": "a checkpoint of the retired service",
    ".parquet": "not a log in lines; only dsjson is read",
    ".csv": "not a log in lines; only dsjson is read",
}
_NO_LOG_FOLDERS = {
    "checkpoint": "a checkpoint of the retired service",
    "model": "the history of models; give one with --model",
    "exported-models": "a model; give it with --model",
    "imported-models": "a model; give it with --model",
    "invalid-models": "a model that was refused",
    "settings": "settings; give them with --policy or --config",
    "skipped-data": "what came too late for its decision",
}


def reject_reason(file: File, /) -> str | None:
    """Returns why a file can't be a log, by its name; None: it may be one."""
    *folders, name = file.path.replace("\\", "/").split("/")
    suffix = f".{name.rpartition('.')[2]}" if "." in name else ""
    found = _NO_LOGS.get(suffix.lower())
    if found is None and name.startswith("."):
        found = "a hidden file"
    if found is None and folders:
        found = _NO_LOG_FOLDERS.get(folders[-1])
    if found is None and "skipped-data" in folders:
        found = _NO_LOG_FOLDERS["skipped-data"]
    return found


class LogFileReader:
    """Reads one file line by line; ``read_bytes`` is how far it is, in bytes of the file."""

    def __init__(self, location: FileLocation, file: File, /) -> None:
        self._location = location
        self._file = file
        self.read_bytes = 0

    def lines(self) -> Iterator[bytes | None]:
        """Yields the lines, without their ends; None for one that is longer than ``LONGEST_LINE``.

        A file that begins as gzip does is decompressed.

        Raises:
            LocationUnavailable: the file can't be read to its end.
        """
        rest, lost = b"", False
        for chunk in self._chunks():
            first, *more = chunk.split(b"\n")
            rest += first
            for line in more:
                yield None if lost or len(rest) > LONGEST_LINE else rest
                rest, lost = line, False
            if len(rest) > LONGEST_LINE:
                rest, lost = b"", True
        if rest or lost:
            yield None if lost else rest

    def _chunks(self) -> Iterator[bytes]:
        try:
            with self._location.open(self._file.path) as stream:
                chunks = self._read_chunks(stream)
                head = next(chunks, b"")
                whole = chain([head], chunks)
                yield from _decompress(whole) if head.startswith(_GZIP) else whole
        except (OSError, EOFError, zlib.error) as error:
            raise LocationUnavailable(f"{self._file.path} can't be read to its end: {error}.") from error

    def _read_chunks(self, stream: BinaryIO) -> Iterator[bytes]:
        while chunk := stream.read(_CHUNK):
            self.read_bytes += len(chunk)
            yield chunk


def _decompress(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Decompresses gzip, member after member, in chunks of a bounded size."""
    member, started = zlib.decompressobj(_GZIP_BITS), False
    for packed in chunks:
        rest = packed
        while rest:
            yield member.decompress(rest, _CHUNK)
            rest, started = member.unconsumed_tail, True
            if member.eof:
                rest = member.unused_data
                member, started = zlib.decompressobj(_GZIP_BITS), False
    if started:
        raise EOFError("it was cut short")
