"""File locations outside the data folder: where logs are imported from, and mirrored to.

``open_location`` knows which kinds there are.
"""

from collections.abc import Sequence
from typing import BinaryIO, Protocol
from urllib.parse import urlsplit

from msgspec import Struct

from sartor.masking import strip_users


class File(Struct, frozen=True):
    """A file at a location. ``path``: as ``FileLocation.open`` takes it; ``size``: bytes."""

    path: str
    size: int


class FileLocation(Protocol):
    """A folder, file or container. All methods may wait for a network, and raise ``LocationUnavailable``."""

    @property
    def label(self) -> str:
        """The location as it is shown to people: without secrets."""

    def files(self) -> Sequence[File]:
        """Returns all files below it, by path; the file itself where the location is one."""

    def open(self, path: str, /) -> BinaryIO:
        """Opens a file at its beginning. The caller closes it."""

    def put(self, path: str, content: bytes, /) -> None:
        """Writes a whole file, replacing one that exists; ``path`` is relative to the location."""


def strip_secrets(url: str, /) -> str:
    """Returns a URL without what may be secret: user, password and query."""
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = None
    if parts is None or not parts.scheme or not parts.netloc:
        return strip_users(url).partition("?")[0]
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
