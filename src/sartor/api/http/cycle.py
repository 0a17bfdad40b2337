"""One request and its response on a connection: ASGI's ``receive`` and ``send`` for it.

A response is written in one piece, which is one system call, and with the body that HTTP allows it: none after
HEAD, whoever made it. Its headers hold nothing that a caller sent.
"""

import asyncio
from typing import TYPE_CHECKING, Protocol

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from sartor.access.asgi import ASGIApp, Header, Message, Scope
from sartor.api.http.error_responses import error_to_response, stopping
from sartor.api.http.response import LARGE_BYTES, Response, has_no_body, response_headers

if TYPE_CHECKING:
    from uvicorn.protocols.http.flow_control import FlowControl

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Answering(Protocol):
    """The connection of a request, as far as the request is concerned."""

    transport: asyncio.Transport
    flow: "FlowControl"

    @property
    def can_continue(self) -> bool:
        """Whether another request may follow on the connection if this one is answered now."""

    def on_body_taken(self) -> None:
        """The application has taken what had come of the body."""

    def on_response_complete(self) -> None:
        """The response is written."""


class RequestCycle:
    """One request that is being answered.

    Attributes:
        keep_alive: whether the connection stays open after the response.
        held: how many bytes of the body have come and were not taken yet.
        is_disconnected: nobody waits for the response any more.
        is_answered: the response is written.
    """

    def __init__(
        self,
        connection: Answering,
        scope: Scope,
        /,
        *,
        keep_alive: bool,
        expects_continue: bool,
        default_headers: list[Header],
    ) -> None:
        self._connection = connection
        self._scope = scope
        self._default_headers = default_headers
        self._expects_continue = expects_continue
        self.keep_alive = keep_alive
        self.held = 0
        self.is_disconnected = False
        self.is_answered = False
        self._parts: list[bytes] = []
        self._is_whole = False
        self._is_taken = False
        self._start: Message | None = None
        self._changed: asyncio.Event | None = None

    @property
    def waits_for_continue(self) -> bool:
        """Whether the client waits for the word to send the body."""
        return self._expects_continue and not self._is_whole

    def add_body(self, part: bytes, /) -> None:
        """A part of the body has come."""
        self._parts.append(part)
        self.held += len(part)
        self._wake()

    def end_body(self) -> None:
        """All of the body has come."""
        self._is_whole = True
        self._wake()

    def disconnect(self) -> None:
        """Nobody waits for the response any more."""
        self.is_disconnected = True
        self._wake()

    def _wake(self) -> None:
        if self._changed is not None:
            self._changed.set()

    async def run(self, app: ASGIApp) -> None:
        """Let the application answer; whatever happens in it, there is a response."""
        try:
            await app(self._scope, self.receive, self.send)
        except asyncio.CancelledError:  # the server stops, and has waited as long as it does
            self._answer_for(stopping())
        except Exception as error:
            self._answer_for(error_to_response(error, invalid="BadRequest"))
        else:
            if not self.is_answered and not self.is_disconnected:
                self._answer_for(error_to_response(RuntimeError("no response"), invalid="BadRequest"))

    async def receive(self) -> Message:
        """The ``receive`` of ASGI."""
        connection = self._connection
        if self.waits_for_continue and not connection.transport.is_closing():
            connection.transport.write(_CONTINUE)
        self._expects_continue = False
        while not self.is_disconnected and not self.is_answered:
            if not self._is_taken and (self._parts or self._is_whole):
                return self._take_body()
            connection.flow.resume_reading()
            self._changed = self._changed or asyncio.Event()
            self._changed.clear()
            await self._changed.wait()
        return {"type": "http.disconnect"}

    def _take_body(self) -> Message:
        parts = self._parts
        body = parts[0] if len(parts) == 1 else b"".join(parts)
        self._is_taken = self._is_whole
        if self.held:
            self._parts = []
            self.held = 0
            self._connection.on_body_taken()
        return {"type": "http.request", "body": body, "more_body": not self._is_whole}

    async def send(self, message: Message) -> None:
        """The ``send`` of ASGI: a head, and then one body."""
        connection = self._connection
        if connection.flow.write_paused and not self.is_disconnected:
            await connection.flow.drain()
        if self.is_disconnected:
            return
        if message["type"] == "http.response.start":
            self._start = message
            return
        if self._start is None or self.is_answered:
            raise RuntimeError("A response is one head and then one body.")
        self._write(self._start["status"], self._start["headers"], message["body"])
        if len(message["body"]) > LARGE_BYTES and connection.flow.write_paused:
            await connection.flow.drain()  # whoever counts large responses counts it until it is sent

    def _answer_for(self, response: Response) -> None:
        """Answer in the place of the application."""
        if not self.is_answered and not self.is_disconnected:
            self.keep_alive = False
            self._write(response.status, response_headers(response, took_ms=0), response.body)

    def _write(self, status: int, headers: list[Header], body: bytes) -> None:
        self.keep_alive = self.keep_alive and self._connection.can_continue
        parts = [STATUS_LINE[status]]
        for name, value in (*self._default_headers, *headers):
            parts += (name, b": ", value, b"\r\n")
        parts.append(b"\r\n" if self.keep_alive else b"connection: close\r\n\r\n")
        if has_no_body(self._scope["method"], status):
            body = b""
        if len(body) > LARGE_BYTES:  # not copied
            self._connection.transport.write(b"".join(parts))
            self._connection.transport.write(body)
        else:
            parts.append(body)
            self._connection.transport.write(b"".join(parts))
        self.is_answered = True
        self._parts = []
        self.held = 0
        self._wake()
        self._connection.on_response_complete()
