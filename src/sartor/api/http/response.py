"""Answers: a status, a body, and the headers that the retired service sent with each (contract, section 0)."""

import itertools
import secrets
import uuid
from http import HTTPStatus

from msgspec import Struct

from sartor.access.asgi import Header, Send

JSON = b"application/json; charset=utf-8"

_ALWAYS: list[Header] = [
    (b"strict-transport-security", b"max-age=31536000; includeSubDomains; preload"),
    (b"x-content-type-options", b"nosniff"),
    (b"timing-allow-origin", b"*"),
    (b"cache-control", b"no-store, must-revalidate, no-cache"),
    (b"pragma", b"no-cache"),
    (b"expires", b"0"),
]
BILLED: Header = (b"csp-billing-usage", b"CognitiveServices.Personalizer.Transaction=1")

# One random prefix a process and a counter make ids as unique as random ones at a tenth of the price.
_PREFIX = str(uuid.uuid4())[:-12].encode()
_numbers = itertools.count(secrets.randbits(40))


class Response(Struct, frozen=True):
    """What a caller gets. ``content_type`` goes with a body; an answer without one says so by its length."""

    status: int
    body: bytes = b""
    headers: tuple[Header, ...] = ()
    content_type: bytes = JSON


def options_response(allowed: bytes, /) -> Response:
    """The answer to OPTIONS: the methods that a resource knows."""
    return Response(204, headers=((b"allow", allowed),))


def new_request_id() -> bytes:
    """A GUID that no other answer carries."""
    return b"%b%012x" % (_PREFIX, next(_numbers) & 0xFFFF_FFFF_FFFF)


def response_headers(answer: Response, /, *, took_ms: int) -> list[Header]:
    """All headers of an answer; ``took_ms`` is the time that the service worked on it, whole milliseconds."""
    headers = [
        (b"apim-request-id", new_request_id()),
        (b"x-envoy-upstream-service-time", b"%d" % took_ms),
        (b"content-length", b"%d" % len(answer.body)),
        *_ALWAYS,
        *answer.headers,
    ]
    if answer.body:
        headers.append((b"content-type", answer.content_type))
    return headers


async def send_response(answer: Response, send: Send, *, took_ms: int, with_body: bool = True) -> None:
    """Send an answer through ASGI."""
    headers = response_headers(answer, took_ms=took_ms)
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body if with_body else b""})


def raw_response(answer: Response, /) -> bytes:
    """An answer as bytes, for a connection that is closed after it because no request could be read from it."""
    lines = [b"HTTP/1.1 %d %b" % (answer.status, HTTPStatus(answer.status).phrase.encode())]
    lines += [b"%b: %b" % header for header in response_headers(answer, took_ms=0)]
    return b"\r\n".join((*lines, b"connection: close", b"", answer.body))
