"""One connection: uvicorn's HTTP protocol on httptools, with clocks and bounds for what its client sends.

The clocks are read about once a second for all connections, so that a request costs no timer.
"""

import asyncio
from typing import TYPE_CHECKING, ClassVar

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from sartor.api.http.connection_limits import ConnectionLimits
from sartor.api.http.cycle import RequestCycle
from sartor.api.http.error_responses import error_response
from sartor.api.http.response import Response, raw_response

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application

NEVER = float("inf")


class HttpConnection(HttpToolsProtocol):
    """A client's connection. ``protocol_class`` makes the subclass that knows its limits."""

    limits: ClassVar[ConnectionLimits]

    _in_body = False  # between the head of a request and its end
    _offers_upgrade = False  # the head offered another protocol
    _is_idle = False  # between two requests
    _received = 0  # bytes of an unfinished head or body
    _stuck_since_s = NEVER
    waiting_since_s = NEVER
    has_sent_request = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has connected: the clock for its first head starts."""
        super().connection_made(transport)
        self.waiting_since_s = self.loop.time()
        if not self.limits.admit(self):
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has disconnected, or was rejected."""
        self.limits.release(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes of a request; what is left unfinished is counted."""
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            self._ignore_upgrade(data[offer.args[0] :])
        except httptools.HttpParserError:
            self.send_400_response("What was received is not a valid HTTP request.")
        else:
            if self.waiting_since_s != NEVER:
                self._count_unfinished(len(data))

    def _count_unfinished(self, received: int) -> None:
        self._received += received
        timeouts = self.limits.timeouts
        if self._in_body:
            # Until it is answered, whoever reads the body knows how large it may be: a model is large.
            if self.cycle.response_complete and self._received > 8 * timeouts.body_bytes:
                self.close()
        elif self._received > timeouts.head_bytes:
            self._reject(error_response(400, "PayloadSizeExceeded", "The head of the request is too large."))

    def _ignore_upgrade(self, rest: bytes) -> None:
        """Read a request that offers to go on in another protocol as if it did not.

        The parser stops after the head of such a request and loses its body; Java's client makes one of each
        first request on a connection.
        """
        self._offers_upgrade = False
        method = self.parser.get_method()
        if method == b"CONNECT":
            self.send_400_response("This is not a proxy.")
            return
        lines = [b"%b %b HTTP/%b" % (method, self.url, self.parser.get_http_version().encode())]
        lines += [b"%b: %b" % header for header in self.headers if header[0] != b"upgrade"]
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn's own
        self.data_received(b"\r\n".join((*lines, b"", rest)))

    def on_message_begin(self) -> None:
        """The first byte of a request: the clock for its head starts."""
        super().on_message_begin()
        if self._is_idle:
            self.waiting_since_s = self.loop.time()
            self._is_idle = False
        elif self.waiting_since_s == NEVER:
            self.waiting_since_s = self.loop.time()

    def on_headers_complete(self) -> None:
        """The head is complete: the clock for the body starts."""
        if self.parser.should_upgrade():
            self._offers_upgrade = True
            return
        self._in_body = True
        self._received = 0
        self.waiting_since_s = self.loop.time()
        super().on_headers_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: "ASGI3Application") -> None:
        # Uvicorn makes its cycles itself; a class of the same layout takes this one over.
        cycle.__class__ = RequestCycle
        super()._start_asgi_task(cycle, app)

    def on_message_complete(self) -> None:
        """The request is complete: its client waits for the response."""
        if self._offers_upgrade:
            return
        super().on_message_complete()
        self._in_body = False
        self._received = 0
        self.has_sent_request = True
        self.waiting_since_s = NEVER
        if self.cycle.response_complete:  # refused before its body was read
            self._become_idle()

    def on_response_complete(self) -> None:
        """A response is written; the next request may come."""
        super().on_response_complete()
        if self.pipeline:
            self.flow.pause_reading()  # the requests in hand first
        if self.waiting_since_s == NEVER and self.cycle.response_complete:
            self._become_idle()

    def send_400_response(self, msg: str) -> None:
        """What came is not HTTP."""
        if self._is_working():
            self.cycle.keep_alive = False  # its response first; then the connection is closed
            self.transport.pause_reading()
        else:
            self._reject(error_response(400, "BadRequest", msg))

    def shutdown(self) -> None:
        """The server stops: a request being handled is answered, an unfinished one is not waited for."""
        if self._is_working():
            self.cycle.keep_alive = False
        else:
            self.close()
            if self.transport.get_extra_info("sslcontext") is not None:
                self.transport.abort()  # an idle client would not answer the end of TLS either

    def close_if_late(self, now_s: float, /) -> None:
        """Close the connection if its client took too long, to send or to read."""
        timeouts = self.limits.timeouts
        if self.transport.is_closing() or self.flow.write_paused:
            self._stuck_since_s = min(self._stuck_since_s, now_s)
            if now_s - self._stuck_since_s > timeouts.stuck_s:
                self.transport.abort()
            return
        self._stuck_since_s = NEVER
        waited_s = now_s - self.waiting_since_s
        if self._in_body and waited_s > timeouts.body_s + self._received / timeouts.body_rate:
            self._reject(
                error_response(408, "RequestTimeout", "The body of the request did not arrive in time.")
            )
        elif not self._in_body and waited_s > (timeouts.idle_s if self._is_idle else timeouts.head_s):
            self.close()

    def close(self) -> None:
        """Close the connection; a request that has not arrived is dropped."""
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.close()

    def _reject(self, response: Response) -> None:
        between_answers = self.cycle is None or self.cycle.response_complete == self.cycle.response_started
        if between_answers and not self.transport.is_closing():
            self.transport.write(raw_response(response))
        self.close()

    def _is_working(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete and not self._in_body

    def _become_idle(self) -> None:
        self._is_idle = True
        self.waiting_since_s = self.loop.time()


def protocol_class(limits: ConnectionLimits, /) -> type[HttpConnection]:
    """Make the class of the connections that these limits count."""
    return type("LimitedConnection", (HttpConnection,), {"limits": limits})
