"""One connection: HTTP/1.1 by httptools, a request at a time, with clocks and bounds for the client.

The next request is not read before the one in front of it is answered: so the memory of a connection is
bounded however many requests a client sends ahead. The clocks are read about once a second for all connections,
so that a request costs no timer.
"""

import asyncio
from typing import TYPE_CHECKING, Any, ClassVar

import httptools
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT, FlowControl
from uvicorn.protocols.utils import get_local_addr, get_remote_addr, is_ssl

from sartor.access.asgi import ASGIApp
from sartor.api.http.connection_limits import ConnectionLimits
from sartor.api.http.cycle import RequestCycle
from sartor.api.http.error_responses import error_response, stopping, unavailable
from sartor.api.http.framing import MessageEnd
from sartor.api.http.progress_clock import NEVER, ProgressClock
from sartor.api.http.request_head import BadHead, RequestHead
from sartor.api.http.response import Response, raw_response

if TYPE_CHECKING:
    from uvicorn import Config
    from uvicorn.server import ServerState

_LAST_WORDS_S = 0.5  # how long a client that is sending has to read that the server stops
_HEAD = b"HEAD "
_LINE_ENDS = b"\r\n"
_FRAME_RATE = 16  # bytes around the chunks for each byte in them; a chunk of one byte needs five
_TOO_LARGE = error_response(400, "PayloadSizeExceeded", "The head of the request is too large.")
_NOT_HTTP = error_response(400, "BadRequest", "What was received is not a valid HTTP request.")
_NO_PROXY = error_response(400, "BadRequest", "This is not a proxy.")
_BUSY = unavailable("Too much has arrived that could not be looked at yet; send the request again.")
_LATE = error_response(408, "RequestTimeout", "The body of the request did not arrive in time.")


class HttpConnection(asyncio.Protocol):
    """A client's connection. The server makes the subclass that knows its limits."""

    limits: ClassVar[ConnectionLimits]
    transport: asyncio.Transport
    flow: FlowControl

    def __init__(
        self,
        config: "Config",
        server_state: "ServerState",
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        """As uvicorn makes its protocols."""
        self._app: ASGIApp = config.loaded_app
        self._server_state = server_state
        self._loop = _loop or asyncio.get_event_loop()
        self._new_parser()
        self._end = MessageEnd()
        self._head = RequestHead()
        self._head_bytes = 0  # of the head that is being received
        self._first_bytes = b""  # of that head, or of the request that is being handled
        self._cycle: RequestCycle | None = None  # the newest request; those before it are answered
        self._in_body = False  # between the head of a request and its end
        self._offers_upgrade = False  # the head offered another protocol
        timeouts = self.limits.timeouts
        self._sending = ProgressClock(patience_s=timeouts.body_s, rate=timeouts.body_rate)  # bodies
        self._reading = ProgressClock(patience_s=timeouts.stuck_s, rate=timeouts.body_rate)  # responses
        self._arrived = 0  # bytes of a body since the last look
        self._held = 0  # bytes that were received and that nobody has asked for yet
        # Bytes of extensions of chunks and of trailers: since the last one of content, and more than it allows.
        self._overhead = self._excess = 0
        self._rest, self._rest_at = b"", 0  # what was received and not read yet, and where it begins
        self._is_idle = False  # between two requests
        self._unsent = 0  # bytes that it had not read at the last look
        self._ending_since_s = NEVER  # the last response is written; the rest is thrown away
        self._ending_bytes = 0
        self.waiting_since_s, self.has_sent_request = NEVER, False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has connected: the clock for its first head starts."""
        self.transport = transport
        self.flow = FlowControl(transport)
        self._addresses = (get_remote_addr(transport), get_local_addr(transport))
        self._address = self._addresses[0][0] if self._addresses[0] else ""
        self._scheme = "https" if is_ssl(transport) else "http"
        self._server_state.connections.add(self)  # type: ignore[arg-type]
        self.waiting_since_s = self._loop.time()
        if not self.limits.admit(self):
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has disconnected, or was rejected."""
        self.limits.release(self)
        self._server_state.connections.discard(self)
        if self._cycle is not None:
            self._cycle.disconnect()
        self.flow.resume_writing()
        self._rest = b""
        self._hold(0)
        self.transport.close()

    def pause_writing(self) -> None:
        """The client reads more slowly than it is answered."""
        self.flow.pause_writing()

    def resume_writing(self) -> None:
        """The client has caught up."""
        self.flow.resume_writing()

    def data_received(self, data: bytes) -> None:
        """Bytes of one request or of several."""
        if self._ending_since_s != NEVER:
            self._ending_bytes += len(data)
            if self._ending_bytes > self.limits.timeouts.ending_bytes:
                self.transport.abort()
        elif self._rest:
            self._rest, self._rest_at = self._rest[self._rest_at :] + data, 0
        else:
            self._read(data, 0)

    def _read(self, data: bytes, at: int) -> None:
        """Read requests up to the first that is whole; keep the others until it is answered."""
        size = len(data)
        while at < size and self._ending_since_s == NEVER:
            if not self._in_body and self._is_handling():
                self._keep_for_later(data, at)
                return
            if not self._in_body and not self._head_bytes and data[at] in _LINE_ENDS:
                at = size - len(data[at:].lstrip(_LINE_ENDS))
                continue
            end = self._end.find(data, at)
            piece = data if at == 0 and end == size else data[at:end]
            if self._in_body:
                self._overhead += len(piece)
                self._excess += len(piece)
                self._parse(piece)
            elif self._count_head(piece):
                self._parse(piece)
            at = end
        if self._in_body and self._ending_since_s == NEVER:
            self._check_body()

    def _keep_for_later(self, data: bytes, at: int) -> None:
        """Keep what was sent ahead of a response."""
        self.flow.pause_reading()
        self._rest, self._rest_at = data, at
        if not self._hold(len(data)) and self._cycle is not None:
            self._cycle.keep_alive = False
            self._rest = b""
            self._hold(0)

    def _hold(self, size: int) -> bool:
        """Count what is held for the client; False: it is too much, of it or of all."""
        change, self._held = size - self._held, size
        return not change or self.limits.hold(self._address, change)

    def _count_head(self, piece: bytes) -> bool:
        """Count what has come of a head; False: it is too much."""
        if not self._head_bytes:
            self._head = RequestHead()
            self._first_bytes = b""
            if self._is_idle or self.waiting_since_s == NEVER:
                self.waiting_since_s = self._loop.time()
                self._is_idle = False
        if len(self._first_bytes) < len(_HEAD):
            self._first_bytes = (self._first_bytes + piece[: len(_HEAD)])[: len(_HEAD)]
        self._head_bytes += len(piece)
        if self._head_bytes <= self.limits.timeouts.head_bytes:
            return True
        self._reject(_TOO_LARGE)
        return False

    def _parse(self, piece: bytes) -> None:
        try:
            self._parser.feed_data(piece)
        except httptools.HttpParserUpgrade:
            self._ignore_upgrade()
        except httptools.HttpParserError as error:
            cause = error.__context__
            self._reject(cause.response if isinstance(cause, BadHead) else _NOT_HTTP)

    def _ignore_upgrade(self) -> None:
        """Read a request that offers to go on in another protocol as if it did not.

        The parser stops after the head of such a request and loses its body; Java's client makes one of each
        first request on a connection.
        """
        self._offers_upgrade = False
        method, version = self._parser.get_method(), self._parser.get_http_version()
        if method == b"CONNECT":
            self._reject(_NO_PROXY)
            return
        head, self._head = self._head, RequestHead()
        lines = [b"%b %b HTTP/%b" % (method, head.target, version.encode())]
        lines += [b"%b: %b" % header for header in head.headers if header[0] != b"upgrade"]
        self._new_parser()
        self._parse(b"\r\n".join((*lines, b"", b"")))

    def _new_parser(self) -> None:
        self._parser = httptools.HttpRequestParser(self)
        # Requests that follow one with ``Connection: close`` are dropped here, not by the parser.
        self._parser.set_dangerous_leniencies(lenient_data_after_close=True)

    def on_url(self, url: bytes) -> None:
        """A part of the target (parser)."""
        self._head.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header (parser). Behind a body it counts for nothing: the request is being handled."""
        if not self._in_body:
            self._head.add_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is complete (parser): the request is handled, and the clock for its body starts."""
        parser, head = self._parser, self._head
        if parser.should_upgrade():
            self._offers_upgrade = True
            return
        version = parser.get_http_version()
        client, server = self._addresses
        scope = head.to_scope(
            parser.get_method().decode("ascii"), version, client=client, server=server, scheme=self._scheme
        )
        self._head_bytes = 0
        self._in_body = True
        self._end.begin_body(head.body_length)
        self._arrived = self._overhead = self._excess = 0
        self.waiting_since_s = self._loop.time()
        self._sending.start(self.waiting_since_s)
        self._cycle = RequestCycle(
            self,
            scope,
            keep_alive=version == "1.1" and parser.should_keep_alive(),
            expects_continue=head.expects_continue and version == "1.1",
            default_headers=self._server_state.default_headers,
        )
        task = self._loop.create_task(self._cycle.run(self._app))
        task.add_done_callback(self._server_state.tasks.discard)
        self._server_state.tasks.add(task)

    def on_body(self, body: bytes) -> None:
        """A part of a body (parser); thrown away where the request was answered without it."""
        self._arrived += len(body)
        self._overhead = 0
        self._excess -= (1 + _FRAME_RATE) * len(body)
        if self._cycle is not None and not self._cycle.is_answered:
            self._cycle.add_body(body)

    def on_message_complete(self) -> None:
        """The request is complete (parser): its client waits for the response."""
        if self._offers_upgrade or self._cycle is None:
            return
        if self._excess > self.limits.timeouts.head_bytes:
            raise BadHead("What surrounds the chunks of the body is too large.")
        self._in_body = False
        self._end.begin_head()
        self.has_sent_request = True
        self.waiting_since_s = NEVER
        self._cycle.end_body()
        if self._cycle.is_answered:  # before its body was read
            self._become_idle()

    def _check_body(self) -> None:
        """Look after a body of which more is to come."""
        if max(self._overhead, self._excess) > self.limits.timeouts.head_bytes and self._end.left is None:
            self._reject(_NOT_HTTP)
            return
        self._sending.add(self._arrived, self._loop.time())
        self._arrived = 0
        cycle = self._cycle
        if cycle is None or cycle.is_answered:
            return
        if not self._hold(cycle.held):
            self._reject(_BUSY)
        elif cycle.held > HIGH_WATER_LIMIT:
            self.flow.pause_reading()

    @property
    def can_continue(self) -> bool:
        """Whether another request may follow on the connection if this one is answered now.

        Not if a long rest of its body is to come, or if nobody can know whether one is.
        """
        if not self._in_body:
            return True
        if self._cycle is None or self._cycle.waits_for_continue or self._end.left is None:
            return False
        return self._end.left <= self.limits.timeouts.discarded_bytes

    def on_body_taken(self) -> None:
        """The application has taken what had come of the body."""
        if self._held:
            self._hold(0)

    def on_response_complete(self) -> None:
        """The response is written; the next request may come."""
        if self._held:
            self._hold(0)
        if self.transport.is_closing() or self._cycle is None:
            return
        if not self._cycle.keep_alive:
            if self._in_body or self.flow.read_paused:
                self._end_connection()
            else:
                self.transport.close()
            return
        if not self._in_body:
            self._become_idle()
            if self._rest:
                data, at, self._rest = self._rest, self._rest_at, b""
                self._read(data, at)
        if not self._rest:
            self.flow.resume_reading()

    def shutdown(self) -> None:
        """The server stops: a request being handled is answered, an unfinished one is not waited for."""
        cycle = self._cycle
        if cycle is not None and not cycle.is_answered and not self._in_body:
            cycle.keep_alive = False
            return
        if self._ending_since_s == NEVER and (self._in_body or self._head_bytes):
            self._reject(stopping())
            self._loop.call_later(_LAST_WORDS_S, self._close_at_once)
        else:
            self._close_at_once()

    def _close_at_once(self) -> None:
        self.close()
        if self.transport.get_extra_info("sslcontext") is not None:
            self.transport.abort()  # an idle client would not answer the end of TLS either

    def close_if_late(self, now_s: float, /) -> None:
        """Close the connection if its client took too long, to send or to read."""
        timeouts = self.limits.timeouts
        if self.transport.is_closing() or self.flow.write_paused:
            self._check_reading(now_s)
            return
        self._reading.stop()
        if self._ending_since_s != NEVER:
            if now_s - self._ending_since_s > timeouts.stuck_s:
                self.close()
            return
        if self._in_body:
            if self.flow.read_paused:  # it waits for us
                self._sending.start(now_s)
            elif self._sending.is_late(now_s):
                self._reject(_LATE)
        elif now_s - self.waiting_since_s > (timeouts.idle_s if self._is_idle else timeouts.head_s):
            self.close()

    def _check_reading(self, now_s: float) -> None:
        """Abort the connection if its client does not read, or more slowly than it may send."""
        unsent = self.transport.get_write_buffer_size()
        if self._reading.is_running:
            self._reading.add(max(0, self._unsent - unsent), now_s)
        else:
            self._reading.start(now_s)
        self._unsent = unsent
        if self._reading.is_late(now_s):
            self.transport.abort()

    def close(self) -> None:
        """Close the connection; a request that has not arrived is dropped."""
        if self._cycle is not None:
            self._cycle.disconnect()
        self.transport.close()

    def _reject(self, response: Response) -> None:
        """Answer what can't be read to its end, and close the connection."""
        self._write_last(response)
        self._end_connection()

    def _write_last(self, response: Response) -> None:
        """Answer the request that is being received, if it is not answered, in the place of the application."""
        cycle = self._cycle
        if self._in_body and cycle is not None:
            if cycle.is_answered:
                return
            cycle.disconnect()
        if not self.transport.is_closing():
            self.transport.write(raw_response(response, with_body=self._first_bytes != _HEAD))

    def _end_connection(self) -> None:
        """Close the connection as soon as the client has read the last response, or had the time to."""
        if self.transport.is_closing():
            return
        self._rest = b""
        self._hold(0)
        self._ending_since_s = self.waiting_since_s = self._loop.time()
        self._is_idle = False
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.flow.resume_reading()

    def _is_handling(self) -> bool:
        return self._cycle is not None and not self._cycle.is_answered

    def _become_idle(self) -> None:
        self._is_idle = True
        self.waiting_since_s = self._loop.time()
