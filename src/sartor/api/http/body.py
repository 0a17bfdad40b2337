"""Reading a body, within bounds."""

from collections.abc import Sequence

from sartor.access.asgi import Header, Message, Receive
from sartor.api.http.error_responses import ClientDisconnected
from sartor.errors import PayloadTooLarge


def content_length(headers: Sequence[Header], /) -> int:
    """Read the length that the headers declare; 0 where they declare none."""
    for name, value in headers:
        if name == b"content-length":
            return int(value) if value.isdigit() and len(value) < 20 else 0
    return 0


async def read_body(receive: Receive, /, *, declared: int, most: int) -> bytes:
    """Read the whole body.

    Args:
        receive: the ASGI channel.
        declared: the declared length; a body that is too large is refused before any of it is read.
        most: how many bytes are accepted.

    Raises:
        PayloadTooLarge: it is larger than that.
        ClientDisconnected: before the end.
    """
    if declared > most:
        raise _too_large(most)
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body", False):
        body: bytes = message.get("body", b"")
    else:
        body = await _read_parts(receive, message, most)
    if len(body) > most:
        raise _too_large(most)
    return body


async def _read_parts(receive: Receive, message: Message, most: int) -> bytes:
    parts = []
    left = most
    while message["type"] == "http.request":
        part: bytes = message.get("body", b"")
        parts.append(part)
        left -= len(part)
        if left < 0:
            raise _too_large(most)
        if not message.get("more_body", False):
            return b"".join(parts)
        message = await receive()
    raise ClientDisconnected


def _too_large(most: int) -> PayloadTooLarge:
    return PayloadTooLarge(f"The body is larger than {most} bytes.")
