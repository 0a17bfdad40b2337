"""JSON bodies of the administration: read into structs, written from them."""

from typing import TypeVar

import msgspec

from sartor.access.asgi import Header
from sartor.api.dataplane import validation_errors
from sartor.api.http.error_responses import Refused
from sartor.api.http.response import Answer

_T = TypeVar("_T")
_encode = msgspec.json.Encoder().encode


def read(kind: type[_T], body: bytes, /, *, invalid: str) -> _T:
    """The struct in a body; unknown members are ignored.

    Raises:
        Refused: with the code ``invalid``; the message names the member.
    """
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(invalid, validation_errors.about_json(body, error).message) from error


def written(status: int, value: object, /, *headers: Header) -> Answer:
    """An answer with a JSON body."""
    return Answer(status, _encode(value), headers)
