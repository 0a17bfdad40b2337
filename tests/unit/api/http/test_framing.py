"""Where a head or a body ends, in whatever segments it comes."""

import pytest

from sartor.api.http.framing import MessageEnd

HEAD = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


def read_all(end: MessageEnd, data: bytes, size: int) -> list[bytes]:
    """The pieces that are read of these bytes, when they come in segments of this size."""
    pieces = []
    for start in range(0, len(data), size):
        segment = data[start : start + size]
        at = 0
        while at < len(segment):
            stop = end.find(segment, at)
            pieces.append(segment[at:stop])
            at = stop
    return pieces


@pytest.mark.parametrize("size", range(1, len(HEAD) * 2 + 1))
def test_no_piece_holds_the_end_of_a_head_and_more(size: int) -> None:
    pieces = read_all(MessageEnd(), HEAD + HEAD, size)
    assert b"".join(pieces) == HEAD + HEAD
    read = 0
    for piece in pieces:
        assert read // len(HEAD) == (read + len(piece) - 1) // len(HEAD)
        read += len(piece)


def test_a_body_of_known_length() -> None:
    end = MessageEnd()
    end.begin_body(5)
    assert end.find(b"abcGET", 0) == 5
    assert end.left == 0
    end.begin_body(5)
    assert end.find(b"abc", 0) == 3
    assert end.left == 2
    assert end.find(b"xxdeGET", 2) == 4


@pytest.mark.parametrize("size", range(1, 40))
@pytest.mark.parametrize("content", [b"ab", b"\r\n", b"\r\n\r\n", b"\r\n\r\n\r\n", b"0\r\n\r\n"])
def test_no_piece_holds_the_end_of_chunks_and_more(size: int, content: bytes) -> None:
    chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(content), content)
    end = MessageEnd()
    end.begin_body(None)
    pieces = read_all(end, chunks + b"GET /", size)
    assert b"".join(pieces) == chunks + b"GET /"
    read = 0
    for piece in pieces:
        assert not read < len(chunks) < read + len(piece)
        read += len(piece)
