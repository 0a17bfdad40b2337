"""A server that sends everybody elsewhere, and the server elsewhere, which writes down what it was sent."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.unit.threaded_server import serve_in_thread

STATUSES = (301, 302, 303, 307, 308)


class RecordingServer(ThreadingHTTPServer):
    """``received``: method, path and body of each request. ``answer``: the status, and where it leads."""

    def __init__(self, status: int = 200, location: str = "") -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.received: list[tuple[str, str, bytes]] = []
        self.answer = status, location

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: RecordingServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.received.append((self.command, self.path, body))
        status, location = self.server.answer
        content = b'{"data": {"data": {}}, "keys": []}'
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_PUT(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        self.do_GET()

    def do_DELETE(self) -> None:
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def redirected(status: int) -> Iterator[tuple[RecordingServer, RecordingServer]]:
    """A server that answers with a redirect, and the one to which it leads; the path stays."""
    with (
        serve_in_thread(RecordingServer()) as elsewhere,
        serve_in_thread(RecordingServer(status, f"{elsewhere.url}/elsewhere?sig=y")) as server,
    ):
        yield server, elsewhere
