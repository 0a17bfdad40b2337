"""One request and its response on a connection: as uvicorn has it, but the response is written in one piece.

Uvicorn writes head and body apart, which is a system call more, and searches each header for line ends twice.
The headers of this application hold nothing that a caller sent.
"""

from typing import TYPE_CHECKING, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

if TYPE_CHECKING:
    from uvicorn._types import ASGISendEvent, HTTPResponseBodyEvent, HTTPResponseStartEvent


class RequestCycle(RequestResponseCycle):
    """Takes the two messages of a response, a head and one body, and writes them together."""

    _start: "HTTPResponseStartEvent | None" = None

    async def send(self, message: "ASGISendEvent") -> None:
        """The ``send`` of ASGI."""
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        if message["type"] == "http.response.start":
            self._start = message
            self.response_started = True
            self.waiting_for_100_continue = False
            return
        if self._start is None or self.response_complete:
            raise RuntimeError("A response is one head and then one body.")
        self.transport.write(self._serialize(self._start, cast("HTTPResponseBodyEvent", message)["body"]))
        self.response_complete = True
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()

    def _serialize(self, start: "HTTPResponseStartEvent", body: bytes) -> bytes:
        parts = [STATUS_LINE[start["status"]]]
        for name, value in (*self.default_headers, *start.get("headers", ())):
            parts += (name, b": ", value, b"\r\n")
        parts.append(b"\r\n" if self.keep_alive else b"connection: close\r\n\r\n")
        parts.append(body)
        return b"".join(parts)
