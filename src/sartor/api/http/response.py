"""Responses: status, body, and the headers that the retired service sent with each (contract, section 0)."""

import itertools
import secrets
import uuid
from http import HTTPStatus

from msgspec import Struct

from sartor.access.asgi import Header, Scope, Send

JSON = b"application/json; charset=utf-8"

LARGE_BYTES = 65_536
"""Larger bodies of responses are not copied, and are counted until they are sent; smaller ones fit into what
the system keeps of a connection."""

_ALWAYS: list[Header] = [
    (b"strict-transport-security", b"max-age=31536000; includeSubDomains; preload"),
    (b"x-content-type-options", b"nosniff"),
    (b"timing-allow-origin", b"*"),
    (b"cache-control", b"no-store, must-revalidate, no-cache"),
    (b"pragma", b"no-cache"),
    (b"expires", b"0"),
]
_WITHOUT_BODY = frozenset({204, 304})
"""Statuses whose responses have neither a body nor a length (RFC 9110, 8.6)."""

BILLED: Header = (b"csp-billing-usage", b"CognitiveServices.Personalizer.Transaction=1")

# One random prefix a process and a counter make ids as unique as random ones at a tenth of the price.
_PREFIX = str(uuid.uuid4())[:-12].encode()
_numbers = itertools.count(secrets.randbits(40))


class Response(Struct, frozen=True):
    """What a caller gets. ``content_type`` is sent where there is a body."""

    status: int
    body: bytes = b""
    headers: tuple[Header, ...] = ()
    content_type: bytes = JSON


def options_response(allowed: bytes, /) -> Response:
    """The response to OPTIONS: the methods that a resource knows."""
    return Response(204, headers=((b"allow", allowed),))


def new_request_id() -> bytes:
    """A GUID that no other response carries."""
    return b"%b%012x" % (_PREFIX, next(_numbers) & 0xFFFF_FFFF_FFFF)


def response_headers(response: Response, /, *, took_ms: int) -> list[Header]:
    """All headers of a response; ``took_ms`` is the time that the service worked on it, whole milliseconds."""
    headers = [
        (b"apim-request-id", new_request_id()),
        (b"x-envoy-upstream-service-time", b"%d" % took_ms),
        *_ALWAYS,
        *response.headers,
    ]
    if response.status not in _WITHOUT_BODY:
        headers.append((b"content-length", b"%d" % len(response.body)))
    if response.body:
        headers.append((b"content-type", response.content_type))
    return headers


def has_no_body(method: str, status: int, /) -> bool:
    """Whether HTTP allows no body in the response to this method with this status (RFC 9110, 6.4.1)."""
    return method == "HEAD" or status in _WITHOUT_BODY


async def send_response(response: Response, scope: Scope, send: Send, *, took_ms: int) -> None:
    """Send the response to a request through ASGI; HEAD gets the headers that GET would."""
    headers = response_headers(response, took_ms=took_ms)
    body = b"" if has_no_body(scope["method"], response.status) else response.body
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def raw_response(response: Response, /, *, with_body: bool = True) -> bytes:
    """Encode a response as bytes, for a connection that is closed because no request could be read from it."""
    lines = [b"HTTP/1.1 %d %b" % (response.status, HTTPStatus(response.status).phrase.encode())]
    lines += [b"%b: %b" % header for header in response_headers(response, took_ms=0)]
    return b"\r\n".join((*lines, b"connection: close", b"", response.body if with_body else b""))
