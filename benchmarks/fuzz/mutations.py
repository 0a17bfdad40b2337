"""Mutations of requests: bodies, headers, methods, paths, queries and keys, drawn from the same seed."""

import json
import re
from collections.abc import Callable
from random import Random
from typing import Any

from benchmarks.fuzz.request_kinds import Request, Target

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "get", "X")
TOKENS = (
    *("null", "true", "[]", "{}", '""', "0", "-0.0", "-1", "1e308", "1.7e308", "1e400", "1e-320", "NaN"),
    *("Infinity", "9" * 400, "9223372036854775808", '"\\u0000"', '"\\ud800"', '"9999-12-31"', '"PT1e400S"'),
    *('"2026-06-30T23:59:60Z"', '"0001-01-01T00:00:00+14:00"', '"' + "x" * 3_000 + '"', "[" * 300 + "]" * 300),
    *('{"_multi":[1]}', '"a|b:c d"', '"1_000"', '"٣"', "[[[1]]]"),
)
TEXTS = (
    *(
        "",
        " ",
        "%00",
        "%ff",
        "%2e%2e%2f",
        "..",
        ".",
        "a" * 300,
        "%F0%9F%A7%B5",
        "-1",
        "1e400",
        "NaN",
        "9999-12-31",
    ),
    *("2026-W01", "0", "999999999999999999999", "%0d%0a", "'", "*", "~", "a%20b", "\u00e9", "?", "#", "&=;"),
)
NAMES = (
    "top",
    "skip",
    "maxpagesize",
    "from",
    "to",
    "last",
    "format",
    "startTime",
    "endTime",
    "filter",
    "signed",
)
HEADERS = (
    (b"accept", b"text/html"),
    (b"content-type", b"text/plain; charset=utf-16"),
    (b"accept-encoding", b"gzip;q=nan"),
    (b"x-forwarded-for", b"203.0.113.8:40000, ::1"),
    (b"x-forwarded-proto", b"https"),
    (b"x-ms-client-request-id", b"\xff\xfe"),
    (b"authorization", b"Bearer a.b.c"),
    (b"authorization", b"Basic x"),
    (b"if-none-match", b"*"),
    (b"range", b"bytes=0-1"),
    (b"cookie", b"a" * 4_000),
    (b"x-long", b"y" * 9_000),
    (b"expect", b"200-maybe"),
    (b"traceparent", b"00-" + b"0" * 32),
)

_KEPT = re.compile(rb"^/sartor/v1/loops/(single|slots|default)(?=/|\?|$)", re.IGNORECASE)
_DANGEROUS = re.compile(
    rb"/(model|logs|configurations/service|configurations/policy|staged-model)", re.IGNORECASE
)


class Mutator:
    """Changes requests; those that would take the loops of the others away are turned to the spare one."""

    def __init__(self, random: Random, target: Target, /) -> None:
        self._random = random
        self._target = target
        self._kinds: tuple[Callable[[Request], Request], ...] = (
            *(self._change_token,) * 5,
            *(self._change_bytes,) * 3,
            self._change_method,
            self._change_path,
            self._change_query,
            self._change_header,
            self._change_key,
        )

    def mutate(self, request: Request, /) -> Request:
        """One to three mutations of a request."""
        for _ in range(self._random.choice((1, 1, 1, 2, 3))):
            request = self._random.choice(self._kinds)(request)
        return self._spare_others(request)

    def _change_token(self, request: Request) -> Request:
        """A member of the body becomes an odd value, is removed, or has a twin."""
        try:
            body: Any = json.loads(request.body)
        except (ValueError, RecursionError):  # mutated before
            return request._replace(body=self._random.choice(TOKENS).encode())
        place = self._random.choice(list(_find_places(body)) or [()])
        marker = "@" * 9
        text = json.dumps(_replace(body, place, marker))
        return request._replace(body=text.replace(f'"{marker}"', self._random.choice(TOKENS)).encode())

    def _change_bytes(self, request: Request) -> Request:
        body = bytearray(request.body or b"{}")
        for _ in range(self._random.choice((1, 1, 2, 8))):
            place = self._random.randrange(len(body))
            match self._random.randrange(4):
                case 0:
                    body[place] = self._random.randrange(256)
                case 1:
                    del body[place:]
                case 2:
                    body[place:place] = body[: self._random.randrange(len(body) + 1)]
                case _:
                    body[place:place] = self._random.choice((b'"', b"{", b"]", b",", b"\0", b"\xff", b"\\u"))
            if not body:
                break
        return request._replace(body=bytes(body[:100_000]))

    def _change_method(self, request: Request) -> Request:
        return request._replace(method=self._random.choice(METHODS))

    def _change_path(self, request: Request) -> Request:
        path, mark, query = request.target.partition(b"?")
        parts = path.split(b"/")
        place = self._random.randrange(1, len(parts))
        odd = _encode_odd(self._random.choice(TEXTS))
        match self._random.randrange(5):
            case 0:
                parts[place] = odd
            case 1:
                parts.insert(place, odd)
            case 2:
                del parts[place]
            case 3:
                parts[place] = parts[place].swapcase()
            case _:
                parts.append(b"")
        return request._replace(target=(b"/".join(parts) or b"/") + mark + query)

    def _change_query(self, request: Request) -> Request:
        value = _encode_odd(self._random.choice(TEXTS)).replace(b"#", b"%23")
        pair = self._random.choice(NAMES).encode() + b"=" + value
        joint = b"&" if b"?" in request.target else b"?"
        return request._replace(target=request.target + joint + pair)

    def _change_header(self, request: Request) -> Request:
        return request._replace(headers=(*request.headers, self._random.choice(HEADERS)))

    def _change_key(self, request: Request) -> Request:
        keys = (self._target.single, self._target.slots, self._target.owner, "", "0" * 32, "é", "k" * 500)
        key = self._random.choice(keys).encode()
        headers = [
            (name, key if name == b"ocp-apim-subscription-key" else value) for name, value in request.headers
        ]
        if self._random.random() < 0.2:
            headers = [header for header in headers if header[0] != b"ocp-apim-subscription-key"]
        return request._replace(headers=tuple(headers))

    def _spare_others(self, request: Request) -> Request:
        method = request.method.upper()
        if method in ("GET", "HEAD", "OPTIONS"):
            return request
        spared = _KEPT.sub(b"/sartor/v1/loops/spare", request.target)
        if method == "DELETE" and _DANGEROUS.search(spared):
            return request._replace(method="GET")
        return request._replace(target=spared)


def _encode_odd(text: str) -> bytes:
    # What can't stand in a request line as it is would be another request, or none.
    return text.encode().replace(b" ", b"%20").replace(b"\xc3\xa9", b"%C3%A9")


def _find_places(value: Any, above: tuple[Any, ...] = ()) -> Any:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in items:
        yield (*above, name)
        yield from _find_places(inner, (*above, name))


def _replace(value: Any, place: tuple[Any, ...], new: object) -> Any:
    if not place:
        return new
    holder = value
    for name in place[:-1]:
        holder = holder[name]
    holder[place[-1]] = new
    return value
