"""Looks for a text in all files of a folder, in what is compressed too."""

import zlib
from pathlib import Path

_GZIP = b"\x1f\x8b"


def find_files(folder: Path, text: bytes) -> list[str]:
    """The names of the files that hold a text, anywhere below a folder."""
    return [path.name for path in sorted(folder.rglob("*")) if path.is_file() and text in read_whole(path)]


def read_whole(path: Path) -> bytes:
    """The bytes of a file, and behind them what they are when they are unpacked."""
    content = path.read_bytes()
    if content[:2] != _GZIP:
        return content
    return content + zlib.decompressobj(wbits=31).decompress(content)
