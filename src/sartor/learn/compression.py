"""Reads compressed content, and no more of it than a limit."""

import zlib


def decompress(content: bytes, /, *, most: int) -> bytes:
    """Returns what was compressed.

    Args:
        content: compressed by ``zlib``.
        most: how many bytes it may have.

    Raises:
        ValueError: it is cut, or has more.
        zlib.error: it is not compressed content.
    """
    reader = zlib.decompressobj()
    read = reader.decompress(content, most)
    if reader.unconsumed_tail or not reader.eof:
        raise ValueError(f"it is cut, or has more than {most} bytes")
    return read
