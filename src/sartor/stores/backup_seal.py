"""The seal of a backup: a digest of all its bytes, authenticated with a key of the instance (HMAC).

It follows the compressed tar as an empty gzip member whose extra field holds it, so that other programs still
read the file. It is checked before anything is unpacked:

    which instance      16 bytes, derived from the key
    SHA-256             32 bytes, of everything before the seal, and of which instance
    HMAC-SHA-256        32 bytes, of the digest, with the key
"""

import hashlib
import hmac
from typing import BinaryIO, Literal

from msgspec import Struct

from sartor.errors import Corrupt

Origin = Literal["own", "another", "unknown"]
"""``own``: sealed with our key. ``another``: with another key. ``unknown``: not sealed at all."""

_NAME_BYTES, _DIGEST_BYTES = 16, 32
_PAYLOAD_BYTES = _NAME_BYTES + 2 * _DIGEST_BYTES
_START = (
    b"\x1f\x8b\x08\x04\0\0\0\0\0\xff"  # gzip, deflate, with an extra field, no time
    + (_PAYLOAD_BYTES + 4).to_bytes(2, "little")
    + b"Sb"
    + _PAYLOAD_BYTES.to_bytes(2, "little")
)
_END = b"\x03\0" + bytes(8)  # nothing, deflated; its CRC and its length
SEAL_BYTES = len(_START) + _PAYLOAD_BYTES + len(_END)
_CHUNK_BYTES = 1 << 18


class SealedContent(Struct, frozen=True, kw_only=True):
    """Where a backup came from, its bytes without the seal, and their digest; empty without a seal."""

    origin: Origin
    size: int
    digest: bytes = b""


class SealingFile:
    """A file to write a backup to; ``seal`` ends it."""

    def __init__(self, file: BinaryIO, key: bytes, /) -> None:
        self._file = file
        self._key = key
        self._sum = hashlib.sha256()

    def write(self, content: bytes, /) -> int:
        """Writes bytes that the seal covers; returns how many."""
        self._sum.update(content)
        return self._file.write(content)

    def flush(self) -> None:
        """Flushes the file below."""
        self._file.flush()

    def seal(self) -> None:
        """Writes the seal of all that was written."""
        name = _instance_name(self._key)
        self._sum.update(name)
        digest = self._sum.digest()
        self._file.write(_START + name + digest + _authenticate(self._key, digest) + _END)


def read_seal(file: BinaryIO, key: bytes, /) -> SealedContent:
    """Returns where an open file came from; reads all of it, in constant memory, and unpacks nothing.

    Raises:
        Corrupt: it was damaged, or changed by somebody without the key, since it was sealed.
        OSError: it can't be read.
    """
    length = file.seek(0, 2)
    file.seek(max(0, length - SEAL_BYTES))
    last = file.read(SEAL_BYTES)
    if len(last) < SEAL_BYTES or not (last.startswith(_START) and last.endswith(_END)):
        return SealedContent(origin="unknown", size=length)
    payload = last[len(_START) : -len(_END)]
    name, digest, code = payload[:_NAME_BYTES], payload[_NAME_BYTES:-_DIGEST_BYTES], payload[-_DIGEST_BYTES:]
    found = _digest_start(file, length - SEAL_BYTES)
    found_named = found.copy()
    found_named.update(name)
    if not hmac.compare_digest(found_named.digest(), digest):
        raise Corrupt("It was damaged or changed since it was written.")
    is_own = hmac.compare_digest(name, _instance_name(key))
    if is_own and not hmac.compare_digest(code, _authenticate(key, digest)):
        raise Corrupt("It was changed since this instance wrote it.")
    return SealedContent(origin="own" if is_own else "another", size=length - SEAL_BYTES, digest=found.digest())


def _digest_start(file: BinaryIO, size: int) -> "hashlib._Hash":
    file.seek(0)
    found, left = hashlib.sha256(), size
    while left and (chunk := file.read(min(left, _CHUNK_BYTES))):
        found.update(chunk)
        left -= len(chunk)
    return found


def _instance_name(key: bytes) -> bytes:
    return hmac.digest(key, b"sartor: which instance wrote a backup", "sha256")[:_NAME_BYTES]


def _authenticate(key: bytes, digest: bytes) -> bytes:
    return hmac.digest(key, b"sartor: backup\0" + digest, "sha256")
