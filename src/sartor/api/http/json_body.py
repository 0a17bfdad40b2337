"""JSON bodies of the administration: read into structs, written from them."""

from typing import TypeVar

import msgspec

from sartor.access.asgi import Header
from sartor.api.dataplane import validation_errors
from sartor.api.http.error_responses import RequestRefused
from sartor.api.http.response import Response

_T = TypeVar("_T")
_encode = msgspec.json.Encoder().encode


def decode_json(kind: type[_T], body: bytes, /, *, invalid: str) -> _T:
    """The struct in a body; unknown members are ignored.

    Raises:
        Refused: with the code ``invalid``; the message names the member.
    """
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RequestRefused(invalid, validation_errors.explain_json_error(body, error).message) from error


def json_response(status: int, value: object, /, *headers: Header) -> Response:
    """An answer with a JSON body."""
    return Response(status, _encode(value), headers)
