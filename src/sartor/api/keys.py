"""The key that a caller presents, in the header or, as the retired gateway took it too, in the query."""

from collections.abc import Sequence
from urllib.parse import parse_qs

from sartor.api.asgi import Header

HEADER = b"ocp-apim-subscription-key"
QUERY = b"subscription-key"


def presented(headers: Sequence[Header], query: bytes, /) -> bytes:
    """The key of a request; empty if there is none. Header names are in lower case, as ASGI has them."""
    for name, value in headers:
        if name == HEADER:
            return value
    if QUERY in query.lower():
        return _in_query(query)
    return b""


def _in_query(query: bytes) -> bytes:
    for name, values in parse_qs(query).items():
        if name.lower() == QUERY:
            return values[0]
    return b""
