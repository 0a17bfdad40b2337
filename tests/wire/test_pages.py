"""What is read without a key: health, the description, and the page."""

import json
import re

import pytest
import requests

from sartor.api.routing.versions import Version
from tests.wire.harness import Service
from tests.wire.test_versions import EACH


@pytest.mark.parametrize(
    ("path", "kind", "shows"),
    [
        ("/health/live", "application/json; charset=utf-8", b'{"status":"live"}'),
        ("/health/ready", "application/json; charset=utf-8", b'{"status":"ready"}'),
        ("/openapi/v1.0.json", "application/json; charset=utf-8", b'"version": "v1.0"'),
        (
            "/openapi/2022-09-01-preview.json",
            "application/json; charset=utf-8",
            b'"version": "2022-09-01-preview"',
        ),
        ("/docs/v1.1-preview.3", "text/html; charset=utf-8", b"v1.1-preview.3.json"),
        ("/openapi.json", "application/json; charset=utf-8", b'"openapi": "3.1.0"'),
        ("/docs", "text/html; charset=utf-8", b"<h1>Sartor</h1>"),
        ("/docs/", "text/html; charset=utf-8", b"<h1>Sartor</h1>"),
        ("/", "text/html; charset=utf-8", b"<h1>Sartor</h1>"),
    ],
)
def test_pages(service: Service, path: str, kind: str, shows: bytes) -> None:
    reply = service.call("GET", path, key=None)
    assert reply.status == 200
    assert reply.headers["content-type"] == kind
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert shows in reply.body
    heading = service.call("HEAD", path, key=None)
    assert (heading.status, heading.body) == (200, b"")
    assert heading.headers["content-length"] == reply.headers["content-length"]
    allowed = service.call("OPTIONS", path, key=None)
    assert (allowed.status, allowed.headers["allow"]) == (204, "GET, HEAD, OPTIONS")


def test_options_of_the_wire(service: Service) -> None:
    reply = service.call("OPTIONS", "/personalizer/v1.0/rank", key=None)
    assert (reply.status, reply.headers["allow"]) == (204, "POST, OPTIONS")


@EACH
def test_every_described_route_is_there(service: Service, version: Version) -> None:
    document = json.loads(service.call("GET", f"/openapi/{version.name}.json").body)
    for path, item in document["paths"].items():
        for method in set(item) - {"parameters"}:
            query = "?api-version=2022-09-01-preview" if version.in_query else ""
            reply = service.call(method.upper(), re.sub(r"{.*}", "e", path) + query, key=None)
            assert reply.status == (401 if path.startswith("/personalizer") else 200)


def test_over_a_socket(service: Service, endpoint: str) -> None:
    with requests.Session() as session:
        for path in ("/health/live", "/health/ready", "/openapi.json", "/docs"):
            assert session.get(endpoint + path, timeout=5).status_code == 200
            headed = session.head(endpoint + path, timeout=5)
            assert (headed.status_code, headed.content) == (200, b"")
        live = session.get(endpoint + "/health/live", timeout=5)
    assert "date" in live.headers
    assert "server" not in live.headers
