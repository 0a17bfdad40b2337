"""Model files with any options in their header, whose hash the engine accepts: nothing in it is a secret."""

import sqlite3
import struct
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path

from sartor.learn.model_file import add_checksum, strip_checksum

FILE_OPTIONS = (
    "final_regressor",
    "predictions",
    "raw_predictions",
    "readable_model",
    "invert_hash",
    "audit_regressor",
    "initial_regressor",
    "cache_file",
    "data",
    "feature_mask",
    "dictionary",
    "dictionary_path",
    "extra_metrics",
    "input_feature_regularizer",
    "output_feature_regularizer_binary",
    "output_feature_regularizer_text",
    "dump_json_weights_experimental",
    "epsilon_decay_audit",
    "pid_file",
    "port_file",
    "config",
    "args",
    "sendto",
)
"""Options of the engine that name a file to read or write, or a place to connect to."""

FILE_FLAGS = ("daemon", "cache", "save_per_pass", "audit", "id", "port", "span_server")


def forge(dump: bytes, options: str, *, instead: bool = False) -> bytes:
    """Add options to those of a dump, or replace them; hash and checksum fit again."""
    parts = Header(strip_checksum(dump))
    parts.options = options if instead else f"{parts.options} {options}"
    return add_checksum(parts.encode())


def tamper(folder: Path, options: str) -> int:
    """Add options to all models in the folder of a loop, with digests that fit; returns how many there are."""
    database = sqlite3.connect(folder / "outcomes.sqlite")
    paths = sorted((folder / "models").glob("*.vw"))
    for path in paths:
        forged = forge(path.read_bytes(), options)
        path.write_bytes(forged)
        digest = blake2b(forged, digest_size=16).digest()
        database.execute("UPDATE models SET digest = ? WHERE model_id = ?", (digest, path.stem))
    database.commit()
    database.close()
    return len(paths)


class Header:
    """The parts of a header of version 8.0.3 or newer, to be changed one by one."""

    def __init__(self, model: bytes) -> None:
        rest = memoryview(model)
        self.version, rest = _take_text(rest)
        self.id, rest = _take_text(rest)
        self.fixed, rest = bytes(rest[:13]), rest[13:]  # m, the range of the labels, the bits
        self.topics, rest = struct.unpack_from("<I", rest)[0], rest[4:]
        self.ngrams, rest = _take_templates(rest)
        self.skips, rest = _take_templates(rest)
        self.options, rest = _take_text(rest)
        self.hash = struct.unpack_from("<I", rest, 4)[0]
        self.weights = bytes(rest[8:])

    def encode(self) -> bytes:
        """The file, with the hash of its header."""
        version, *parts = self._parts()
        value = 0
        for part in parts[1:]:
            value = murmur(part, value)
        return b"".join((version, *parts, struct.pack("<II", 4, value), self.weights))

    def _parts(self) -> Iterator[bytes]:
        yield struct.pack("<I", len(self.version) + 1)
        yield self.version.encode() + b"\0"
        yield struct.pack("<I", len(self.id) + 1)
        yield self.id.encode() + b"\0"
        yield from (self.fixed[:1], self.fixed[1:5], self.fixed[5:9], self.fixed[9:])
        yield struct.pack("<I", self.topics)
        for templates in (self.ngrams, self.skips):
            yield struct.pack("<I", len(templates))
            yield from (template.ljust(3, b"\0") for template in templates)
        yield struct.pack("<I", len(self.options) + 1)
        yield self.options.encode() + b"\0"


def _take_text(rest: memoryview) -> tuple[str, memoryview]:
    end = 4 + struct.unpack_from("<I", rest)[0]
    return bytes(rest[4 : end - 1]).decode(), rest[end:]


def _take_templates(rest: memoryview) -> tuple[list[bytes], memoryview]:
    end = 4 + 3 * struct.unpack_from("<I", rest)[0]
    return [bytes(rest[at : at + 3]).rstrip(b"\0") for at in range(4, end, 3)], rest[end:]


def murmur(data: bytes, seed: int) -> int:
    """MurmurHash3, x86, 32 bits."""
    value, whole = seed, len(data) - len(data) % 4
    for (word,) in struct.iter_unpack("<I", data[:whole]):
        value = (_rotate(value ^ _mix(word), 13) * 5 + 0xE6546B64) & 0xFFFFFFFF
    if len(data) % 4:
        value ^= _mix(int.from_bytes(data[whole:], "little"))
    value ^= len(data)
    value = ((value ^ value >> 16) * 0x85EBCA6B) & 0xFFFFFFFF
    value = ((value ^ value >> 13) * 0xC2B2AE35) & 0xFFFFFFFF
    return value ^ value >> 16


def _mix(word: int) -> int:
    return _rotate(word * 0xCC9E2D51 & 0xFFFFFFFF, 15) * 0x1B873593 & 0xFFFFFFFF


def _rotate(value: int, bits: int) -> int:
    return (value << bits | value >> (32 - bits)) & 0xFFFFFFFF
