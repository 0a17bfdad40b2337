"""A fake service in a thread: answers by a fixed rule, and records its requests."""

import json
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.unit.threaded_server import serve_in_thread

KEY = "a key"


class Service(ThreadingHTTPServer):
    """Chooses the last action of every request; ``refusals`` are answered first, one for each request."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.calls: list[tuple[str, Any]] = []
        self.connections: set[Any] = set()
        self.refusals: list[tuple[int, dict[str, str]]] = []
        self.answer: str | None = None

    @property
    def endpoint(self) -> str:
        """The URL at which it listens."""
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Service
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet an answer: two would wait for each other

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.connections.add(self.client_address)
        if self.server.refusals:
            status, headers = self.server.refusals.pop(0)
            self._send(status, {"error": {"code": "X", "message": "not now"}}, headers)
        elif self.headers["Ocp-Apim-Subscription-Key"] != KEY:
            self._send(401, {"error": {"code": "401", "message": "no"}}, {})
        else:
            self.server.calls.append((self.path, body))
            self._answer(body)

    def _answer(self, body: Any) -> None:
        if self.path == "/personalizer/v1.0/rank":
            chosen = self.server.answer or body["actions"][-1]["id"]
            body = {"ranking": [], "eventId": body["eventId"], "rewardActionId": chosen}
            self._send(201, body, {})
        else:
            self._send(204, None, {})

    def _send(self, status: int, body: object, headers: dict[str, str]) -> None:
        content = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


def running() -> AbstractContextManager[Service]:
    """A server that runs until the end of the block."""
    return serve_in_thread(Service())
