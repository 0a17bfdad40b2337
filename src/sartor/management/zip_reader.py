"""Reads members of a small zip in memory, piece by piece, without believing what its directory says.

The standard library's reader lists any number of members, lets them overlap, and returns a member as a whole.
"""

import struct
import zlib
from collections.abc import Iterator, Mapping

from msgspec import Struct

from sartor.errors import InvalidModel

_MOST_MEMBERS = 64
_MOST_DIRECTORY_BYTES = 65_536
_LONGEST_COMMENT = 65_535
_CHUNK_BYTES = 65_536
_FREE_BYTES = 1 << 20
_RATIO = 100
_STORED, _DEFLATED = 0, 8
_ENCRYPTED = 1

_END = struct.Struct("<4sHHHHIIH")
_ENTRY = struct.Struct("<4sHHHHHHIIIHHHHHII")
_LOCAL = struct.Struct("<4sHHHHHIIIHH")


class ZipMember(Struct, frozen=True, kw_only=True):
    """A member: how it is packed, where, and what the directory says of its content."""

    name: bytes
    method: int
    start: int
    end: int
    size: int
    crc: int


class ZipReader:
    """The members of a zip."""

    def __init__(self, body: bytes, /) -> None:
        """Read its directory.

        Raises:
            InvalidModel: it is no zip, has too many members, two of one name, or members that overlap.
        """
        self._body = memoryview(body)
        self.members: Mapping[bytes, ZipMember] = self._read_directory()

    def parts(self, member: ZipMember, /, *, most: int) -> Iterator[bytes]:
        """The content of a member, in parts; no more than ``most`` bytes are ever unpacked.

        Raises:
            InvalidModel: it is larger, more than 100 times as large as it is packed, or not what it should be.
        """
        name = member.name.decode("ascii", errors="replace")
        size = crc = 0
        free = _FREE_BYTES + _RATIO * (member.end - member.start)
        for part in self._unpack(member, name):
            size += len(part)
            if size > most:
                raise InvalidModel(f"{name} is larger than {most} bytes.")
            if size > free:
                raise InvalidModel(f"{name} unpacks to more than {_RATIO} times its size.")
            crc = zlib.crc32(part, crc)
            yield part
        if (size, crc) != (member.size, member.crc):
            raise InvalidModel(f"The zip can't be read: {name} is not what its directory says.")

    def _unpack(self, member: ZipMember, name: str) -> Iterator[bytes]:
        if member.method not in (_STORED, _DEFLATED):
            raise InvalidModel(f"{name} is packed in a way that is not accepted; use deflate.")
        places = range(member.start, member.end, _CHUNK_BYTES)
        packed = (self._body[at : min(at + _CHUNK_BYTES, member.end)] for at in places)
        if member.method == _STORED:
            yield from map(bytes, packed)
            return
        engine = zlib.decompressobj(-15)
        try:
            for chunk in packed:
                rest: bytes | memoryview = chunk
                while rest and not engine.eof:
                    yield engine.decompress(rest, _CHUNK_BYTES)
                    rest = engine.unconsumed_tail
            while not engine.eof and (made := engine.decompress(b"", _CHUNK_BYTES)):
                yield made
        except zlib.error as error:
            raise InvalidModel(f"The zip can't be read: {error}.") from error
        if not engine.eof or engine.unused_data:
            raise InvalidModel(f"The zip can't be read: {name} does not end where it should.")

    def _read_directory(self) -> dict[bytes, ZipMember]:
        end, count, start, size = self._find_end()
        if count > _MOST_MEMBERS or size > _MOST_DIRECTORY_BYTES or start + size != end:
            raise InvalidModel(f"The zip can't be read, or has more than {_MOST_MEMBERS} members.")
        found: dict[bytes, ZipMember] = {}
        place, taken = start, []
        for _ in range(count):
            member, begin, place = self._read_entry(place, end)
            if member.name in found:
                raise InvalidModel(f"The zip holds {member.name.decode('utf-8', 'replace')} more than once.")
            found[member.name] = member
            taken.append((begin, member.end))
        _check_apart(taken, start)
        if place != end:
            raise InvalidModel("The zip can't be read: its directory does not end where it should.")
        return found

    def _find_end(self) -> tuple[int, int, int, int]:
        """Where the end record is; the number of members, the place and the size of the directory."""
        tail = bytes(self._body[-_END.size - _LONGEST_COMMENT :])
        at = tail.rfind(b"PK\5\6")
        if at < 0 or len(tail) - at < _END.size:
            raise InvalidModel("The zip can't be read: it has no end.")
        _, disk, first, here, count, size, start, comment = _END.unpack_from(tail, at)
        if disk or first or here != count or len(tail) - at != _END.size + comment:
            raise InvalidModel("The zip can't be read: it has several parts, or something follows its end.")
        return len(self._body) - len(tail) + at, count, start, size

    def _read_entry(self, place: int, end: int) -> tuple[ZipMember, int, int]:
        """A member of the directory, where its own header begins, and where the next member is."""
        if place + _ENTRY.size > end:
            raise InvalidModel("The zip can't be read: its directory is cut.")
        fields = _ENTRY.unpack_from(self._body, place)
        signature, flags, method, crc, packed, size = *fields[:1], *fields[3:5], *fields[7:10]
        length, extra, comment, begin = *fields[10:13], fields[16]
        after = place + _ENTRY.size
        name = bytes(self._body[after : after + length])
        if signature != b"PK\1\2" or after + length + extra + comment > end or flags & _ENCRYPTED:
            raise InvalidModel("The zip can't be read: its directory is damaged, or a member is encrypted.")
        start = self._find_content(begin, name, method)
        member = ZipMember(name=name, method=method, start=start, end=start + packed, size=size, crc=crc)
        return member, begin, after + length + extra + comment

    def _find_content(self, begin: int, name: bytes, method: int) -> int:
        """Where the content of a member begins, whose own header must say the same as the directory."""
        if begin + _LOCAL.size > len(self._body):
            raise InvalidModel("The zip can't be read: a member is missing.")
        fields = _LOCAL.unpack_from(self._body, begin)
        after = begin + _LOCAL.size
        if fields[0] != b"PK\3\4" or fields[3] != method or self._body[after : after + fields[9]] != name:
            raise InvalidModel("The zip can't be read: a member is not what the directory says.")
        start: int = after + fields[9] + fields[10]
        return start


def _check_apart(taken: list[tuple[int, int]], directory: int) -> None:
    """Each member has its bytes for itself: two that share some unpack to more than is there."""
    ends = 0
    for begin, end in [*sorted(taken), (directory, directory)]:
        if begin < ends:
            raise InvalidModel("The zip can't be read: its members overlap.")
        ends = max(ends, end)
