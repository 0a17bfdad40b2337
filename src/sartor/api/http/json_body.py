"""JSON bodies: read into structs, written from them; and why a body can't be read."""

from typing import TypeVar

import msgspec

from sartor.access.asgi import Header
from sartor.api.http.error_responses import RequestRefused
from sartor.api.http.response import Response
from sartor.errors import InvalidRequest

_T = TypeVar("_T")
_encode = msgspec.json.Encoder().encode


def explain_json_error(body: bytes, error: Exception) -> InvalidRequest:
    """Explain why a body can't be decoded."""
    if not body.strip():
        return InvalidRequest("The body is empty; a JSON object is expected.")
    if isinstance(error, RecursionError):
        return InvalidRequest("The body nests too deeply.")
    if isinstance(error, UnicodeDecodeError):
        return InvalidRequest("The body is not JSON: a text in it is not valid UTF-8.")
    if isinstance(error, msgspec.ValidationError):
        return InvalidRequest(f"The body does not fit: {error}.")
    return InvalidRequest(f"The body is not JSON: {error}.")


def decode_json(kind: type[_T], body: bytes, /, *, invalid: str) -> _T:
    """Decode a body into a struct; unknown members are ignored.

    Raises:
        RequestRefused: with the code ``invalid``; the message names the member.
    """
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RequestRefused(invalid, explain_json_error(body, error).message) from error


def json_response(status: int, value: object, /, *headers: Header) -> Response:
    """Build a response with a JSON body."""
    return Response(status, _encode(value), headers)
