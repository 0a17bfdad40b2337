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
    """An application around another one that writes a line about each request."""

    def __init__(
        self, app: ASGIApp, loop_table: LoopTable, /, *, secret: bytes, write_line: Callable[[str], None]
    ) -> None:
        """Wrap an application.

        Args:
            app: the application that answers.
            loop_table: the loops that it serves.
            secret: keys the hashes; at most 64 bytes.
            write_line: takes the lines.
        """
        self._app = app
        self._loop_table = loop_table
        self._secret = secret
        self._write_line = write_line

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, and write its line."""
        start_s, digest, response = time.perf_counter(), self._start_digest(), _LoggedResponse()

        async def receive_hashed() -> Message:
            message = await receive()
            digest.update(message.get("body", b""))
            return message

        async def send_observed(message: Message) -> None:
            response.observe(message)
            await send(message)

        await self._app(scope, receive_hashed, send_observed)
        took_ms = round((time.perf_counter() - start_s) * 1000, 3)
        self._write_line(_encode(self._build_line(scope, response, digest.hexdigest(), took_ms)).decode())

    def _build_line(
        self, scope: Scope, response: "_LoggedResponse", body_hash: str, took_ms: float
    ) -> dict[str, object]:
        path = scope["raw_path"].decode("ascii", "replace")
        return {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "category": "RequestResponse",
            "requestId": response.request_id,
            "operation": f"{scope['method']} {_find_template(path)}",
            "loop": self._find_loop_name(scope),
            "eventId": response.event_id or _find_event_id(path),
            "status": response.status,
            "durationMs": took_ms,
            "bodyHash": body_hash,
            "clientHash": self._hash(client_address(scope).encode()),
        }

    def _find_loop_name(self, scope: Scope) -> str:
        key = find_key(scope["headers"], scope["query_string"])
        try:
            if key:
                return self._loop_table.look_up(key).name
        except SartorError:
            return ""
        named = self._loop_table.find_by_name(scope.get(SCOPE_LOOP) or find_host_label(scope["headers"]))
        return "" if named is None else named.name

    def _start_digest(self) -> "blake2b":
        return blake2b(key=self._secret, digest_size=_HASH_BYTES)

    def _hash(self, value: bytes) -> str:
        return blake2b(value, key=self._secret, digest_size=_HASH_BYTES).hexdigest()


class _LoggedResponse:
    """What the line says of a response."""

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


def _find_template(path: str) -> str:
    """Find the path of the route, without what callers put into it."""
    rest = path
    if path.startswith("/loops/"):
        rest = "/" + path[len("/loops/") :].partition("/")[2]
    found = route_table.match_path(rest.encode("ascii", "replace"))
    if found is not None:
        resource, _ = found
        return f"{resource.version.prefix}{resource.path}"
    return "/sartor/v1" if path.startswith("/sartor/v1/") else "other"


def _find_event_id(path: str) -> str:
    before, found, after = path.partition("/events/")
    if not found or not before:
        return ""
    try:
        return decode_name(after.split("/")[0].encode())
    except InvalidRequest:  # not UTF-8: the request was refused for it
        return ""
