"""Places outside the data folder: where logs are imported from, and mirrored to.

Which kinds there are, ``addresses`` knows.
"""

from collections.abc import Sequence
from typing import BinaryIO, Protocol
from urllib.parse import urlsplit

from msgspec import Struct


class File(Struct, frozen=True):
    """A file of a place. ``path`` is what the place calls it; ``size``: bytes."""

    path: str
    size: int


class FileLocation(Protocol):
    """Somewhere files are. All methods may wait for a network, and raise ``LocationUnavailable``."""

    @property
    def label(self) -> str:
        """The place for people: no secrets."""

    def files(self) -> Sequence[File]:
        """All files below it, by path; the file itself where the place is one."""

    def open(self, path: str, /) -> BinaryIO:
        """A file, to be read from its beginning. The caller closes it."""

    def put(self, path: str, content: bytes, /) -> None:
        """Write a file whole, in place of one that is there; ``path`` is relative to the place."""


def strip_secrets(url: str, /) -> str:
    """A URL without what may be secret: user, password and query."""
    parts = urlsplit(url)
    if not parts.scheme or not parts.netloc:
        return url.partition("?")[0]
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
