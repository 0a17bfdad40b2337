"""Reads the compressed tar of a backup, within bounds, and nothing in it but plain files.

It is stricter than the standard library's reader, which keeps extended headers of any size in memory, follows
sparse maps, and remembers every member.
"""

import hashlib
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from msgspec import Struct

from sartor.errors import Corrupt

MEMBERS = 100_000
"""How many files a backup may hold."""

RATIO = 100
"""How many times its size a backup may unpack to that nothing authenticates. Logs unpack to about 10 times."""

_BLOCK = 512
_CHUNK_BYTES = 65_536
_EXTENDED_BYTES = 65_536
_END_BYTES = 20 * _BLOCK
_FREE_BYTES = 16 << 20
_GZIP = 31
_EXTENDED_NAMES = frozenset({"path", "size", "mtime", "atime", "ctime", "uid", "gid", "uname", "gname"})


class UnpackingBounds(Struct, frozen=True, kw_only=True):
    """How much a backup may unpack to.

    ``most``: bytes in all. ``ratio``: how many times its own size, beyond the first 16 MiB; None: any.
    """

    most: int
    ratio: int | None = RATIO


class GzipReader:
    """The unpacked bytes of the first ``size`` bytes of a file, one after the other, in constant memory."""

    def __init__(self, file: BinaryIO, bounds: UnpackingBounds, /, *, size: int) -> None:
        file.seek(0)
        self._file = file
        self._bounds = bounds
        self._left = size
        self._engine = zlib.decompressobj(_GZIP)
        self._read = self._made = 0
        self._sum = hashlib.sha256()
        self._ready = b""

    def take(self, count: int, /) -> bytes:
        """The next so many bytes; ``count`` is 64 KiB at most.

        Raises:
            Corrupt: there are not that many, they can't be unpacked, or are beyond the bounds.
        """
        parts, missing = [], count
        while missing:
            part = self.take_some(missing)
            if not part:
                raise Corrupt("The backup ends early.")
            parts.append(part)
            missing -= len(part)
        return b"".join(parts)

    def take_some(self, most: int, /) -> bytes:
        """Some of the next bytes; empty at the end.

        Raises:
            Corrupt: they can't be unpacked, or are beyond the bounds.
        """
        if not self._ready:
            self._ready = self._unpack()
        part, self._ready = self._ready[:most], self._ready[most:]
        return part

    def finish(self, digest: bytes, /) -> None:
        """Check that nothing follows, and that the file is still the one with this digest, if it has any.

        Raises:
            Corrupt: something does, or it is not.
        """
        if self.take_some(1) or self._left or self._engine.unused_data:
            raise Corrupt("Something follows the end of the backup.")
        if digest and self._sum.digest() != digest:
            raise Corrupt("The backup was changed while it was read.")

    def _unpack(self) -> bytes:
        while not self._engine.eof:
            packed = self._engine.unconsumed_tail or self._read_file()
            try:
                made = self._engine.decompress(packed, _CHUNK_BYTES)
            except zlib.error as error:
                raise Corrupt(f"The backup can't be unpacked: {error}.") from error
            self._check_bounds(len(made))
            if made:
                return made
            if not packed:
                raise Corrupt("The backup ends early.")
        return b""

    def _read_file(self) -> bytes:
        packed = self._file.read(min(self._left, _CHUNK_BYTES))
        self._sum.update(packed)
        self._left -= len(packed)
        self._read += len(packed)
        return packed

    def _check_bounds(self, count: int) -> None:
        self._made += count
        ratio = self._bounds.ratio
        if ratio is not None and self._made > _FREE_BYTES + ratio * self._read:
            raise Corrupt(f"The backup unpacks to more than {ratio} times its size.")
        if self._made > self._bounds.most:
            raise Corrupt(f"The backup unpacks to more than there is room for: {self._bounds.most:,} bytes.")


class Member(Struct, frozen=True, kw_only=True):
    """A file in a tar: its name and its size in bytes."""

    name: str
    size: int


class TarReader:
    """The files in a tar, one after the other."""

    def __init__(self, stream: GzipReader, /) -> None:
        self._stream = stream

    def members(self) -> Iterator[Member]:
        """Each file in turn; its content must be read with ``content`` before the next.

        Raises:
            Corrupt: it is no tar, or holds anything but plain files.
        """
        for _ in range(MEMBERS):
            member = self._read_member()
            if member is None:
                return
            yield member
        raise Corrupt(f"The backup holds more than {MEMBERS:,} files.")

    def content(self, member: Member, /) -> Iterator[bytes]:
        """The content of the file that came last, in parts.

        Raises:
            Corrupt: it ends early.
        """
        left = member.size
        while left:
            part = self._stream.take_some(min(left, _CHUNK_BYTES))
            if not part:
                raise Corrupt("The backup ends early.")
            left -= len(part)
            yield part
        self._stream.take(-member.size % _BLOCK)

    def _read_member(self) -> Member | None:
        header = self._stream.take(_BLOCK)
        if not any(header):
            self._read_end()
            return None
        kind, member = _parse_header(header)
        if kind == b"x":
            return self._read_extended(member)
        return _check_plain(kind, member)

    def _read_extended(self, extended: Member) -> Member:
        """A file whose name or size does not fit into its header: an extended header comes before it."""
        if extended.size > _EXTENDED_BYTES:
            raise Corrupt("The backup holds an extended header that is too large.")
        changes = _parse_extended(b"".join(self.content(extended)))
        member = _check_plain(*_parse_header(self._stream.take(_BLOCK)))
        size = changes.get("size", str(member.size))
        if not (size.isascii() and size.isdigit() and len(size) < 16):
            raise Corrupt("The backup holds a file without a size.")
        return Member(name=changes.get("path", member.name), size=int(size))

    def _read_end(self) -> None:
        left = _END_BYTES
        while part := self._stream.take_some(_CHUNK_BYTES):
            left -= len(part)
            if left < 0 or any(part):
                raise Corrupt("Something follows the end of the backup.")


def _check_plain(kind: bytes, member: Member) -> Member:
    if kind not in (b"0", b"\0"):
        raise Corrupt(f"The backup holds something that is no plain file: {member.name!r}.")
    return member


def _parse_header(header: bytes) -> tuple[bytes, Member]:
    """The kind of the entry, and its name and size."""
    checked = header[:148] + b" " * 8 + header[156:]
    if sum(checked) != _parse_octal(header[148:156]) or header[257:262] != b"ustar":
        raise Corrupt("The backup can't be read: it is no tar.")
    name, prefix = _parse_text(header[:100]), _parse_text(header[345:500])
    path = f"{prefix}/{name}" if prefix else name
    return header[156:157], Member(name=path, size=_parse_octal(header[124:136]))


def _parse_text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("utf-8", errors="replace")


def _parse_octal(field: bytes) -> int:
    digits = field.strip(b"\0 ")
    if not digits.isdigit() or b"8" in digits or b"9" in digits:
        raise Corrupt("The backup can't be read: a number in it is none.")
    return int(digits, 8)


def _parse_extended(content: bytes) -> dict[str, str]:
    """The fields of an extended header: lines ``LENGTH NAME=VALUE``, the length that of the whole line."""
    found: dict[str, str] = {}
    while content:
        digits, _, _ = content[:8].partition(b" ")
        length = int(digits) if digits.isdigit() else 0
        line, content = content[:length], content[length:]
        name, separator, value = line[len(digits) + 1 : -1].partition(b"=")
        field = name.decode("utf-8", errors="replace")
        if not separator or line[-1:] != b"\n" or len(line) < length or field not in _EXTENDED_NAMES:
            raise Corrupt("The backup holds an extended header that can't be read.")
        found[field] = value.decode("utf-8", errors="replace")
    return found
