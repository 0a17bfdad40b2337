"""A document of an issuer comes within a time and a size, or not at all."""

import gzip
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import msgspec
import pytest
import requests
import urllib3

from sartor.access.deadline import Deadline
from sartor.access.tokens.fetching import MOST_BYTES, fetch_json
from tests.unit.access.tokens.dripping import WAYS, dripping

FORESEEN = (requests.RequestException, urllib3.exceptions.HTTPError)


class Handler(BaseHTTPRequestHandler):
    """Answers with what is set for the path."""

    answers: ClassVar[dict[str, tuple[int, dict[str, str], bytes]]] = {}
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        status, headers, body = self.answers[self.path]
        self.send_response(status)
        for name, value in {"content-length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    Handler.answers, Handler.asked = {}, []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def fetched(url: str, after_s: float = 30) -> dict[str, object]:
    with Deadline(after_s) as deadline:
        return fetch_json(url, deadline)


def test_a_document(server: str) -> None:
    Handler.answers["/a"] = (200, {}, b'{"a": 1}')
    assert fetched(f"{server}/a") == {"a": 1}


@pytest.mark.parametrize("way", WAYS)
def test_a_drip_ends_in_time_whatever_drips(way: str) -> None:
    """A byte every tenth of a second would take a quarter of an hour."""
    scheme = "https" if "TLS" in way else "http"
    with dripping(way, every_s=0.1) as (where, taken):
        began_s = time.monotonic()
        with pytest.raises(FORESEEN):
            fetched(f"{scheme}://{where}/", after_s=0.6)
        assert time.monotonic() - began_s < 30
        assert len(taken) == 1


def test_a_body_that_was_cut_is_no_document() -> None:
    """Without a length, a connection that was cut looks like the end of a body: here of a whole ``{}``."""
    late = pytest.raises(requests.Timeout, match=r"longer than 0\.4 s")
    with dripping("a body without length", every_s=0.05) as (where, _), late:
        fetched(f"http://{where}/", after_s=0.4)


def test_one_time_for_all_documents(server: str) -> None:
    Handler.answers["/a"] = (200, {}, b"{}")
    with Deadline(0.2) as deadline:
        fetch_json(f"{server}/a", deadline)
        while not deadline.is_over:
            time.sleep(0.01)
        with pytest.raises(requests.Timeout):
            fetch_json(f"{server}/a", deadline)


def test_no_thread_and_no_connection_stays() -> None:
    before = threading.active_count()
    for _ in range(5):
        with dripping("its body", every_s=0.05) as (where, _), pytest.raises(FORESEEN):
            fetched(f"http://{where}/", after_s=0.2)
    until = time.monotonic() + 30
    while threading.active_count() > before:
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_document_that_is_too_large(server: str) -> None:
    Handler.answers["/a"] = (200, {}, b'{"a": "' + b"x" * MOST_BYTES + b'"}')
    with pytest.raises(ValueError, match="too large"):
        fetched(f"{server}/a")


def test_nothing_is_unpacked(server: str) -> None:
    packed = gzip.compress(b'{"a": "' + b"x" * 50_000_000 + b'"}')
    Handler.answers["/a"] = (200, {"content-encoding": "gzip"}, packed)
    with pytest.raises((msgspec.DecodeError, UnicodeDecodeError)):
        fetched(f"{server}/a")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(server: str, status: int) -> None:
    Handler.answers["/a"] = (status, {"location": f"{server}/b"}, b"")
    Handler.answers["/b"] = (200, {}, b'{"keys": []}')
    with pytest.raises((requests.RequestException, msgspec.DecodeError)):
        fetched(f"{server}/a")
    assert Handler.asked == ["/a"]


def test_nobody_there() -> None:
    with dripping("no answer", every_s=1) as (where, _):
        pass
    with pytest.raises(requests.ConnectionError):
        fetched(f"http://{where}/")
