"""Diagnostic logs: a JSON line for each request, with ids and hashes, and never a feature, a key or a token.

Hashes are keyed with a secret of the instance: the same body gives the same hash, and nobody can try bodies on
it. The retired service wrote such lines under the name ``RequestResponse``.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

import msgspec

from sartor.access.allowed_networks import client_address
from sartor.access.asgi import ASGIApp, Message, Receive, Scope, Send
from sartor.access.authentication import SCOPE_LOOP, find_host_label, find_key
from sartor.access.served_loops import LoopTable
from sartor.api import route_table
from sartor.api.routing.matching import decode_name
from sartor.errors import InvalidRequest, SartorError

_HASH_BYTES = 12
_encode = msgspec.json.Encoder().encode


class _RankedEvent(msgspec.Struct, rename="camel"):
    event_id: str = ""


class RequestLog:
    """An application that tells about each request what may be told."""

    def __init__(
        self, app: ASGIApp, loop_table: LoopTable, /, *, secret: bytes, tell: Callable[[str], None]
    ) -> None:
        """Wrap an application.

        Args:
            app: what answers.
            loop_table: the loops that it serves.
            secret: keys the hashes; at most 64 bytes.
            tell: takes the lines.
        """
        self._app = app
        self._loop_table = loop_table
        self._secret = secret
        self._tell = tell

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, and tell about it."""
        start_s, digest, seen = time.perf_counter(), self._digest(), _LoggedResponse()

        async def receiving() -> Message:
            message = await receive()
            digest.update(message.get("body", b""))
            return message

        async def sending(message: Message) -> None:
            seen.observe(message)
            await send(message)

        await self._app(scope, receiving, sending)
        took_ms = round((time.perf_counter() - start_s) * 1000, 3)
        self._tell(_encode(self._line(scope, seen, digest.hexdigest(), took_ms)).decode())

    def _line(self, scope: Scope, seen: "_LoggedResponse", body_hash: str, took_ms: float) -> dict[str, object]:
        path = scope["raw_path"].decode("ascii", "replace")
        return {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "category": "RequestResponse",
            "requestId": seen.request_id,
            "operation": f"{scope['method']} {_template(path)}",
            "loop": self._loop(scope),
            "eventId": seen.event_id or _event_id(path),
            "status": seen.status,
            "durationMs": took_ms,
            "bodyHash": body_hash,
            "clientHash": self._hashed(client_address(scope).encode()),
        }

    def _loop(self, scope: Scope) -> str:
        key = find_key(scope["headers"], scope["query_string"])
        try:
            if key:
                return self._loop_table.find(key).loop.name
        except SartorError:
            return ""
        named = self._loop_table.find_by_name(scope.get(SCOPE_LOOP) or find_host_label(scope["headers"]))
        return "" if named is None else named.loop.name

    def _digest(self) -> "blake2b":
        return blake2b(key=self._secret, digest_size=_HASH_BYTES)

    def _hashed(self, value: bytes) -> str:
        return blake2b(value, key=self._secret, digest_size=_HASH_BYTES).hexdigest()


class _LoggedResponse:
    """What is told of an answer."""

    def __init__(self) -> None:
        self.status = 0
        self.request_id = ""
        self.event_id = ""

    def observe(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers: dict[bytes, Any] = dict(message["headers"])
            self.request_id = headers.get(b"apim-request-id", b"").decode()
        elif self.status == 201:
            try:
                self.event_id = msgspec.json.decode(message["body"], type=_RankedEvent).event_id
            except (msgspec.DecodeError, UnicodeDecodeError):
                self.event_id = ""


def _template(path: str) -> str:
    """The path without what callers put into it."""
    rest = path
    if path.startswith("/loops/"):
        rest = "/" + path[len("/loops/") :].partition("/")[2]
    found = route_table.match_path(rest.encode("ascii", "replace"))
    if found is not None:
        resource, _ = found
        return f"{resource.version.prefix}{resource.path}"
    return "/sartor/v1" if path.startswith("/sartor/v1/") else "other"


def _event_id(path: str) -> str:
    before, found, after = path.partition("/events/")
    if not found or not before:
        return ""
    try:
        return decode_name(after.split("/")[0].encode())
    except InvalidRequest:  # not UTF-8: the request was refused for it
        return ""
