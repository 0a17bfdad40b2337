"""The tar of a backup: plain files, read in constant memory; everything else that a tar can hold is refused."""

import gzip
import io
import tarfile
import tracemalloc
import zlib
from collections.abc import Iterator

import pytest

from sartor.errors import Corrupt
from sartor.stores import backup_reader
from sartor.stores.backup_reader import GzipReader, TarReader, UnpackingBounds

WIDE = UnpackingBounds(most=1 << 40, ratio=None)


def read(packed: bytes, bounds: UnpackingBounds = WIDE) -> list[tuple[str, bytes]]:
    stream = GzipReader(io.BytesIO(packed), bounds, size=len(packed))
    tar = TarReader(stream)
    found = [(member.name, b"".join(tar.content(member))) for member in tar.members()]
    stream.finish(b"")
    return found


def pack(*members: tuple[tarfile.TarInfo, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", format=form) as tar:
        for about, content in members:
            about.size = len(content)
            tar.addfile(about, io.BytesIO(content))
    return packed.getvalue()


def info(name: str = "models/a.vw", kind: bytes = tarfile.REGTYPE, **changes: object) -> tarfile.TarInfo:
    about = tarfile.TarInfo(name)
    about.type = kind
    for field, value in changes.items():
        setattr(about, field, value)
    return about


def test_plain_files_are_read_as_they_are() -> None:
    long = f"shelf/{'n' * 200}"
    packed = pack(
        (info(), b"content" * 1000),
        (info("empty"), b""),
        (info(long, mtime=1.5), bytes(512)),
        (info("models/é"), b"x" * 513),
    )
    assert read(packed) == [
        ("models/a.vw", b"content" * 1000),
        ("empty", b""),
        (long, bytes(512)),
        ("models/é", b"x" * 513),
    ]


@pytest.mark.parametrize(
    "kind",
    [
        tarfile.LNKTYPE,
        tarfile.SYMTYPE,
        tarfile.CHRTYPE,
        tarfile.BLKTYPE,
        tarfile.DIRTYPE,
        tarfile.FIFOTYPE,
        tarfile.CONTTYPE,
        tarfile.GNUTYPE_SPARSE,
        tarfile.GNUTYPE_LONGNAME,
        tarfile.GNUTYPE_LONGLINK,
        b"g",
        b"V",
    ],
)
def test_anything_but_a_plain_file_is_refused(kind: bytes) -> None:
    packed = io.BytesIO()
    with gzip.open(packed, "wb") as out:
        about = info(kind=kind, linkname="/etc/passwd")
        out.write(about.tobuf(tarfile.USTAR_FORMAT) + bytes(1024))
    with pytest.raises(Corrupt, match="no plain file"):
        read(packed.getvalue())


@pytest.mark.parametrize(
    "fields",
    [
        {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "99999999999"},
        {"linkpath": "/etc/passwd"},
        {"size": "-1"},
        {"size": "1" * 30},
        {"size": "many"},
        {"comment": "x"},
    ],
)
def test_extended_headers_say_nothing_but_names_sizes_and_times(fields: dict[str, str]) -> None:
    with pytest.raises(Corrupt):
        read(pack((info(pax_headers=fields), b"content")))


def test_a_chain_of_extended_headers_is_refused() -> None:
    extended = info("x", b"x")
    extended.size = len(b"9 path=a\n")
    block = extended.tobuf(tarfile.USTAR_FORMAT) + b"9 path=a\n".ljust(512, b"\0")
    with pytest.raises(Corrupt, match="no plain file"):
        read(gzip.compress(block * 10_000 + bytes(1024)))


@pytest.mark.parametrize("content", [b"0 =\n", b"999 path=a\n", b"path=a\n", b"9 path=a ", b"\xff" * 20, b"9 "])
def test_an_extended_header_that_can_not_be_read(content: bytes) -> None:
    extended = info("x", b"x")
    extended.size = len(content)
    packed = extended.tobuf(tarfile.USTAR_FORMAT) + content.ljust(512, b"\0")
    with pytest.raises(Corrupt):
        read(gzip.compress(packed + info().tobuf(tarfile.USTAR_FORMAT) + bytes(1024)))


def zeros(count: int, *, first: bytes = b"") -> bytes:
    """Zeros, packed piece by piece."""
    engine = zlib.compressobj(9, zlib.DEFLATED, 31)
    packed = [engine.compress(first)]
    packed += [engine.compress(bytes(1 << 20)) for _ in range(count >> 20)]
    return b"".join([*packed, engine.flush()])


@pytest.mark.parametrize("kind", [b"x", tarfile.GNUTYPE_LONGNAME, b"g"])
def test_a_huge_header_costs_no_memory(kind: bytes) -> None:
    huge = info("x", kind)
    huge.size = 1 << 30
    packed = zeros(64 << 20, first=huge.tobuf(tarfile.USTAR_FORMAT))
    tracemalloc.start()
    try:
        with pytest.raises(Corrupt):
            read(packed)
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


def test_no_more_members_than_there_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backup_reader, "MEMBERS", 100)
    members = [info(str(number)).tobuf(tarfile.USTAR_FORMAT) for number in range(101)]
    assert len(read(gzip.compress(b"".join(members[:99]) + bytes(1024)))) == 99
    with pytest.raises(Corrupt, match="more than 100 files"):
        read(gzip.compress(b"".join(members) + bytes(1024)))


@pytest.mark.parametrize("where", [0, 100, 124, 148, 257])
def test_a_header_that_is_none(where: int) -> None:
    header = bytearray(info().tobuf(tarfile.USTAR_FORMAT))
    header[where] ^= 0x41
    with pytest.raises(Corrupt):
        read(gzip.compress(bytes(header) + bytes(1024)))


def endings(packed: bytes) -> Iterator[bytes]:
    plain = gzip.decompress(packed)
    yield packed + b"more"
    yield packed + packed
    yield gzip.compress(plain + b"more")
    yield gzip.compress(plain + bytes(1 << 20))
    yield gzip.compress(plain[:700])
    yield packed[:-9]
    yield packed[:-1]
    yield packed[:-8] + bytes(8)


def test_what_follows_or_is_missing() -> None:
    packed = pack((info(), b"content"))
    assert read(packed)
    for changed in endings(packed):
        with pytest.raises(Corrupt):
            read(changed)


def test_the_bounds_of_what_is_unpacked() -> None:
    about = info()
    about.size = 40 << 20
    packed = zeros(41 << 20, first=about.tobuf(tarfile.USTAR_FORMAT))
    with pytest.raises(Corrupt, match="more than 100 times"):
        read(packed, UnpackingBounds(most=1 << 40))
    with pytest.raises(Corrupt, match="room for"):
        read(packed, UnpackingBounds(most=20 << 20, ratio=None))
