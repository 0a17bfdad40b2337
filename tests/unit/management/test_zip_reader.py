"""Zips that are made to cost much are refused at little cost; those of other programs are read."""

import io
import struct
import subprocess
import sys
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable

import pytest

from sartor.errors import InvalidModel, InvalidSignature
from sartor.management.model_archive import ModelArchive, open_archive, pack_archive
from sartor.management.model_signing import TrustedSigners, open_signer
from sartor.management.zip_reader import ZipReader
from sartor.testing.stores import MemoryStores

MOST = 1 << 30


def read(body: bytes, *, most: int = MOST) -> dict[bytes, bytes]:
    archive = ZipReader(body)
    return {name: b"".join(archive.parts(member, most=most)) for name, member in archive.members.items()}


def local(name: bytes, packed: bytes, *, size: int, crc: int, method: int = 8, flags: int = 0) -> bytes:
    sizes = (crc, len(packed), size, len(name), 0)
    return struct.pack("<4sHHHHHIIIHH", b"PK\3\4", 20, flags, method, 0, 0, *sizes) + name


def entry(
    name: bytes, place: int, packed: int, *, size: int, crc: int, method: int = 8, flags: int = 0
) -> bytes:
    head = struct.pack("<4sHHHHHHIII", b"PK\1\2", 20, 20, flags, method, 0, 0, crc, packed, size)
    return head + struct.pack("<HHHHHII", len(name), 0, 0, 0, 0, 0, place) + name


def end(count: int, size: int, place: int, *, comment: bytes = b"") -> bytes:
    return struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, count, count, size, place, len(comment)) + comment


def deflate(content: bytes) -> bytes:
    engine = zlib.compressobj(9, zlib.DEFLATED, -15)
    return engine.compress(content) + engine.flush()


def build(
    content: bytes = b"content",
    *,
    name: bytes = b"model.vw",
    local_name: bytes | None = None,
    size: int | None = None,
    crc: int | None = None,
    packed: bytes | None = None,
    method: int = 8,
    flags: int = 0,
    count: int = 1,
    before: bytes = b"",
    gap: bytes = b"",
    comment: bytes = b"",
    after: bytes = b"",
) -> bytes:
    """A zip with one member, in which anything may be wrong."""
    packed = deflate(content) if packed is None else packed
    says = {
        "size": len(content) if size is None else size,
        "crc": zlib.crc32(content) if crc is None else crc,
        "method": method,
        "flags": flags,
    }
    body = before + local(local_name or name, packed, **says) + packed + gap
    directory = entry(name, len(before), len(packed), **says) * count
    return body + directory + end(count, len(directory), len(body), comment=comment) + after


def test_a_zip_is_read_as_it_is() -> None:
    assert read(build()) == {b"model.vw": b"content"}
    assert read(build(before=b"PK and more", gap=b"gap", comment=b"what it is")) == {b"model.vw": b"content"}
    assert read(build(method=0, packed=b"content")) == {b"model.vw": b"content"}


def test_zips_of_other_writers_are_read() -> None:
    """Sizes that follow the content, room for large sizes, a comment, other members."""

    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def tell(self) -> int:
            raise OSError

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.comment = b"a comment"
        with archive.open("model.vw", "w", force_zip64=True) as member:
            member.write(b"content" * 100_000)
        archive.writestr("folder/", b"")
        archive.writestr("other", b"other")
    found = read(pipe.getvalue())
    assert found == {b"model.vw": b"content" * 100_000, b"folder/": b"", b"other": b"other"}


@pytest.mark.parametrize(
    "body",
    [
        build(size=6),
        build(size=8),
        build(size=0),
        build(size=0xFFFFFFFF),
        build(crc=1),
        build(local_name=b"other.vw"),
        build(flags=1),
        build(method=14),
        build(packed=deflate(b"content")[:-1]),
        build(packed=deflate(b"content") + b"more"),
        build(packed=deflate(b"content") * 2),
        build(count=65),
        build(count=2),
        build(after=b"more"),
        build(comment=b"x")[:-1],
        build()[:-22],
        build()[:-1],
        b"PK",
        b"PK\5\6" + bytes(18 + 65_536),
    ],
)
def test_a_zip_that_says_what_it_is_not(body: bytes) -> None:
    with pytest.raises(InvalidModel):
        read(body)


@pytest.mark.parametrize("place", range(0, 130, 1))
def test_any_byte_may_be_wrong(place: int) -> None:
    for bit in range(8):
        body = bytearray(build())
        if place < len(body):
            body[place] ^= 1 << bit
        try:
            found = read(bytes(body))
        except InvalidModel:
            continue
        assert list(found.values()) == [b"content"], "a time or a version, which nothing depends on"


def overlapping(members: int) -> bytes:
    """All members have the same bytes: each name in the directory unpacks to what is there once."""
    content = bytes(1 << 20)
    packed = deflate(content)
    says = {"size": len(content), "crc": zlib.crc32(content)}
    body = local(b"same", packed, **says) + packed
    directory = b"".join(entry(b"same", 0, len(packed), **says) for _ in range(members))
    return body + directory + end(members, len(directory), len(body))


def quoted(members: int) -> bytes:
    """Each member is a block that quotes the header of the next, and then goes on with its content."""
    kernel = deflate(bytes(1 << 20))
    places, body = [], local(b"%02d" % members, kernel, size=1 << 20, crc=0) + kernel
    for number in reversed(range(members)):
        length = min(30 + 2, len(body))
        quote = b"\0" + struct.pack("<HH", length, length ^ 0xFFFF)
        body = local(b"%02d" % number, quote + body, size=1 << 20, crc=0) + quote + body
    at, directory = 0, b""
    for number in range(members):
        places.append(at)
        directory += entry(b"%02d" % number, at, len(body) - at - 32, size=1 << 20, crc=0)
        at += 32 + 5
    return body + directory + end(members, len(directory), len(body))


@pytest.mark.parametrize("bomb", [overlapping(2), overlapping(60), quoted(2), quoted(60)])
def test_members_that_share_bytes_are_refused(bomb: bytes) -> None:
    with pytest.raises(InvalidModel, match=r"overlap|more than once"):
        ZipReader(bomb)


def test_a_directory_of_a_million_members_is_not_read() -> None:
    directory = entry(b"x", 0, 0, size=0, crc=0) * 65_535
    tracemalloc.start()
    try:
        with pytest.raises(InvalidModel, match="more than 64 members"):
            ZipReader(b"PK\3\4" + directory + end(65_535, len(directory), 4))
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


def test_no_more_is_unpacked_than_there_may_be() -> None:
    body = build(bytes(4 << 20))
    with pytest.raises(InvalidModel, match="more than 100 times"):
        read(body)
    with pytest.raises(InvalidModel, match="larger than 1000 bytes"):
        read(body, most=1000)


def badly_signed(model: bytes) -> bytes:
    """Signed by a signer that is accepted, but something else."""
    signer = open_signer(MemoryStores())
    good = signer.sign(b"another model")
    return pack_archive(ModelArchive(model=model, certificate=good.certificate, signature=good.signature))


@pytest.mark.parametrize("accepted", [True, False])
def test_a_signature_is_checked_before_the_model_is_unpacked_whole(accepted: bool) -> None:
    body = badly_signed(noise(400_000) + bytes(30 << 20))
    signer = open_archive(body).certificate if accepted else b""
    trust = TrustedSigners(own=signer, others="", unsigned=False)
    tracemalloc.start()
    try:
        with pytest.raises(InvalidSignature, match="does not fit" if accepted else "not accepted"):
            trust.check(open_archive(body))
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def noise(count: int) -> bytes:
    """Bytes that can't be packed."""
    import random

    return random.Random(1).randbytes(count)


_EIGHT_AT_ONCE = """
import sys, threading
from pathlib import Path
from sartor.errors import SartorError
from sartor.management.model_archive import open_archive
from sartor.management.model_signing import TrustedSigners

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

body = sys.stdin.buffer.read()
trust = TrustedSigners(own=b"", others="" , unsigned=True)

def check():
    for _ in range(3):
        try:
            trust.check(open_archive(body))
        except SartorError:
            pass

check()
before = resident()
threads = [threading.Thread(target=check) for _ in range(8)]
most = 0
for thread in threads: thread.start()
while any(thread.is_alive() for thread in threads):
    most = max(most, resident() - before)
print(most, resident() - before)
"""


@pytest.mark.parametrize("model", [lambda: bytes(200 << 20), lambda: noise(240_000) + bytes(20 << 20)])
def test_eight_badly_signed_ones_at_once_cost_little_and_give_it_back(model: Callable[[], bytes]) -> None:
    body = badly_signed(model())
    assert len(body) < 300_000
    done = subprocess.run(
        [sys.executable, "-c", _EIGHT_AT_ONCE], input=body, capture_output=True, check=True, timeout=60
    )
    most, after = map(int, done.stdout.split())
    assert most < 32 << 20
    assert after < 16 << 20
