"""A body that has arrived: in memory, or in a file where it is large."""

from collections.abc import Sequence
from typing import IO

from sartor.access.asgi import Header


def content_length(headers: Sequence[Header], /) -> int:
    """Read the length that the headers declare; 0 where they declare none."""
    for name, value in headers:
        if name == b"content-length":
            return int(value) if value.isdigit() and len(value) < 20 else 0
    return 0


class ReceivedBody:
    """A whole body. One in a file is read when it is asked for: waiting for a thread takes no memory."""

    def __init__(self, content: bytes = b"", /, *, file: IO[bytes] | None = None) -> None:
        """``file``: holds the body instead; whoever opened it closes it."""
        self._content = content
        self._file = file

    @property
    def is_in_file(self) -> bool:
        """Whether it is so large that it was put into a file."""
        return self._file is not None

    def read(self) -> bytes:
        """Return the body; may block for the disk."""
        if self._file is None:
            return self._content
        self._file.seek(0)
        return self._file.read()
