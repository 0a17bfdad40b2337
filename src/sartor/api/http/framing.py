"""Where the head or the body that is being received ends.

It decides only how many bytes the parser is given at once, never what the parser makes of them: so that a
request is counted to the byte, and none is read before the one in front of it is answered.
"""

_END = b"\r\n\r\n"


class MessageEnd:
    """The end of the part of a request that is being received, looked for across segments."""

    def __init__(self) -> None:
        self._tail = b""
        self._left: int | None = None

    def begin_head(self) -> None:
        """A head follows: it ends with an empty line."""
        self._tail = b""
        self._left = None

    def begin_body(self, length: int | None, /) -> None:
        """A body follows. ``length``: its bytes; None: it comes in chunks, whose last line is empty too."""
        self._tail = b""
        self._left = length

    @property
    def left(self) -> int | None:
        """How many bytes of the body are still to come; None where nobody can know."""
        return self._left

    def find(self, data: bytes, at: int, /) -> int:
        """Return where to stop reading ``data`` from ``at`` on: the end, or all where the end is not in it.

        In a body of chunks it may be an empty line of the content; then it is to be asked again.
        """
        if self._left is not None:
            end = min(len(data), at + self._left)
            self._left -= end - at
            return end
        tail, self._tail = self._tail, b""
        if tail:
            found = (tail + data[at : at + 3]).find(_END)
            if found >= 0:
                return at + found + len(_END) - len(tail)
        found = data.find(_END, at)
        if found >= 0:
            return found + len(_END)
        self._tail = (tail + data[max(at, len(data) - 3) :])[-3:]
        return len(data)
