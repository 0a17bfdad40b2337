"""A blob container over HTTP, as far as a SAS URI needs one: list in pages, get, put, and refuse."""

from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

from tests.unit.threaded_server import serve_in_thread

SIGNATURE = "se=2030&sig=a%2Bb%2F%3D"
_PAGE = 2


class ContainerServer(ThreadingHTTPServer):
    """``blobs`` by name; ``signature`` is what a request must carry."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.blobs: dict[str, bytes] = {}
        self.signature = "a+b/="

    @property
    def sas_uri(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/logs?{SIGNATURE}"


class _Handler(BaseHTTPRequestHandler):
    server: ContainerServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        if not self._may():
            return
        if query.get("comp") == ["list"]:
            self._answer(200, self._page(query))
        elif self._name() in self.server.blobs:
            self._answer(200, self.server.blobs[self._name()])
        else:
            self._answer(404, b"")

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self._may() and self.headers["x-ms-blob-type"] == "BlockBlob":
            self.server.blobs[self._name()] = body
            self._answer(201, b"")

    def _may(self) -> bool:
        if parse_qs(urlsplit(self.path).query).get("sig") == [self.server.signature]:
            return True
        self._answer(403, b"")
        return False

    def _name(self) -> str:
        return unquote(urlsplit(self.path).path).removeprefix("/logs/")

    def _page(self, query: dict[str, list[str]]) -> bytes:
        prefix = query.get("prefix", [""])[0]
        names = [name for name in sorted(self.server.blobs) if name.startswith(prefix)]
        start = int(query.get("marker", ["0"])[0])
        blobs = "".join(
            f"<Blob><Name>{escape(name)}</Name><Properties><Content-Length>"
            f"{len(self.server.blobs[name])}</Content-Length></Properties></Blob>"
            for name in names[start : start + _PAGE]
        )
        following = str(start + _PAGE) if start + _PAGE < len(names) else ""
        marker = f"<NextMarker>{following}</NextMarker>"
        return f"<EnumerationResults><Blobs>{blobs}</Blobs>{marker}</EnumerationResults>".encode()

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def container_server() -> AbstractContextManager[ContainerServer]:
    """A server that runs until the end of the block."""
    return serve_in_thread(ContainerServer())
