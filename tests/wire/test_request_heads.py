"""Heads of requests: how large they may be, and that those are refused that could be read in two ways."""

import json
from collections.abc import Iterator

import pytest

from sartor.api.http.connection_limits import HEAD_BYTES
from tests.wire.harness import PREFIX, Service, person, served
from tests.wire.strict_http import StrictClient, StrictResponse, connect

LIVE = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n"


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[Service, str]]:
    service = Service()
    with served(service) as endpoint:
        yield service, endpoint
    service.close()


@pytest.fixture
def client(running: tuple[Service, str]) -> Iterator[StrictClient]:
    with connect(running[1]) as connected:
        yield connected


def padded(start: bytes, size: int, *, pad: bytes = b"x") -> bytes:
    """A head of exactly this many bytes, from the first of the request line to the empty line."""
    head = start + b"X-Pad: a"
    return head + pad * (size - len(head) - 5) + b"b\r\n\r\n"


def refused(client: StrictClient, code: str = "BadRequest", *, method: str = "GET") -> StrictResponse:
    response = client.read(method)
    assert (response.status, response.closes) == (400, True)
    if method != "HEAD":
        assert json.loads(response.body)["error"]["code"] == code
        assert response.headers["x-ms-error-code"] == code
    client.expect_end()
    return response


SEGMENTS = {
    "one segment": 1 << 20,
    "two segments": 40_000,
    "many segments": 1_000,
    "the end in pieces": HEAD_BYTES - 2,
    "only the last byte apart": HEAD_BYTES - 1,
}


@pytest.mark.parametrize("pad", [b"x", b" "], ids=["value", "spaces"])
@pytest.mark.parametrize("size", SEGMENTS.values(), ids=SEGMENTS)
@pytest.mark.parametrize("before", [b"", b"\r\n", LIVE + b"\r\n", LIVE + b"Content-Length: 3\r\n\r\nabc"])
def test_the_largest_head(client: StrictClient, before: bytes, size: int, pad: bytes) -> None:
    """It is the first on its connection, after an empty line, sent ahead, or behind a body."""
    _send_in(client, before + padded(LIVE, HEAD_BYTES, pad=pad), size)
    if len(before) > 2:
        assert client.read("GET").status == 200
    assert client.read("GET").body == b'{"status":"live"}'


@pytest.mark.parametrize("pad", [b"x", b" "], ids=["value", "spaces"])
@pytest.mark.parametrize("size", SEGMENTS.values(), ids=SEGMENTS)
@pytest.mark.parametrize("before", [b"", b"\r\n", LIVE + b"\r\n", LIVE + b"Content-Length: 3\r\n\r\nabc"])
def test_a_head_that_is_a_byte_too_large(client: StrictClient, before: bytes, size: int, pad: bytes) -> None:
    _send_in(client, before + padded(LIVE, HEAD_BYTES + 1, pad=pad), size)
    if len(before) > 2:
        assert client.read("GET").status == 200
    refused(client, "PayloadSizeExceeded")


@pytest.mark.parametrize(
    "chunked", [b"0\r\n\r\n", b"4\r\n\r\n\r\n\r\n0\r\n\r\n", b"1;x=y\r\nz\r\n0\r\nT: t\r\n\r\n"]
)
@pytest.mark.parametrize(("size", "status"), [(HEAD_BYTES, 200), (HEAD_BYTES + 1, 400)])
def test_a_head_behind_chunks(client: StrictClient, chunked: bytes, size: int, status: int) -> None:
    first = LIVE + b"Transfer-Encoding: chunked\r\n\r\n" + chunked
    _send_in(client, first + padded(LIVE, size, pad=b" "), 1 << 20)
    assert client.read("GET").status == 200
    assert client.read("GET").status == status


@pytest.mark.parametrize("size", [70_000, 200_000, 3_000_000])
@pytest.mark.parametrize("start", [LIVE, LIVE.replace(b"/live", b"/live?" + b"q" * 70_000), b"\r\n" + LIVE])
def test_much_too_large_a_head(client: StrictClient, start: bytes, size: int) -> None:
    client.send(padded(start, max(size, len(start) + 100)))
    refused(client, "PayloadSizeExceeded")


def test_no_body_after_head_when_no_request_could_be_read(running: tuple[Service, str]) -> None:
    """HEAD is known by its first bytes, in whatever pieces they come."""
    for head in (
        b"HEAD / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n",
        b"HEAD /\x01 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\r\nHEAD / HTTP/7.1\r\nHost: x\r\n\r\n",
        padded(b"HEAD / HTTP/1.1\r\nHost: x\r\n", HEAD_BYTES + 1),
    ):
        for size in (1 << 20, 3):
            with connect(running[1]) as client:
                _send_in(client, head[:30], size)
                client.send(head[30:])
                refused(client, method="HEAD")


HOSTS = {
    "none": b"",
    "two": b"Host: x\r\nHost: y\r\n",
    "two that are the same": b"Host: x\r\nhost: x\r\n",
    "empty": b"Host:\r\n",
    "spaces": b"Host:   \r\n",
    "a path": b"Host: x/y\r\n",
    "a user": b"Host: user@x\r\n",
    "two in one": b"Host: x, y\r\n",
    "a space": b"Host: x y\r\n",
    "no port": b"Host: x:y\r\n",
    "two ports": b"Host: x:1:2\r\n",
    "a question": b"Host: x?y\r\n",
    "a port alone": b"Host: :80\r\n",
    "an open bracket": b"Host: [::1\r\n",
    "not ASCII": b"Host: \xe9\r\n",
    "half an escape": b"Host: x%4\r\n",
}


@pytest.mark.parametrize("hosts", HOSTS.values(), ids=HOSTS)
def test_bad_hosts(client: StrictClient, hosts: bytes) -> None:
    client.send(b"GET /health/live HTTP/1.1\r\n", hosts, b"\r\n")
    refused(client)


def test_a_target_that_names_another_host(client: StrictClient) -> None:
    client.send(b"GET http://other/health/live HTTP/1.1\r\nHost: x\r\n\r\n")
    refused(client)


@pytest.mark.parametrize(
    "head",
    [
        b"GET /health/live HTTP/1.1\r\nHost: my_service.internal:5000\r\n\r\n",
        b"GET /health/live HTTP/1.1\r\nHost: [::1]:5000\r\n\r\n",
        b"GET /health/live HTTP/1.1\r\nHOST:localhost \t\r\n\r\n",
        b"GET http://LOCALHOST:5000/health/live HTTP/1.1\r\nHost: localhost:5000\r\n\r\n",
        b"GET http://[::1]/health/live HTTP/1.1\r\nHost: [::1]\r\n\r\n",
        b"GET /health/live HTTP/1.0\r\n\r\n",
    ],
)
def test_good_hosts(client: StrictClient, head: bytes) -> None:
    client.send(head)
    assert client.read("GET").status == 200


BAD_LINES = {
    "two lengths": b"Content-Length: 2\r\nContent-Length: 2\r\n",
    "two lengths that differ": b"Content-Length: 2\r\nContent-Length: 3\r\n",
    "two lengths in one": b"Content-Length: 2, 2\r\n",
    "a length with a sign": b"Content-Length: +2\r\n",
    "a negative length": b"Content-Length: -2\r\n",
    "a hexadecimal length": b"Content-Length: 0x2\r\n",
    "no length": b"Content-Length:\r\n",
    "a length beyond all numbers": b"Content-Length: 99999999999999999999\r\n",
    "a length and chunks": b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
    "chunks and a length": b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n",
    "chunks twice": b"Transfer-Encoding: chunked, chunked\r\n",
    "chunks on two lines": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    "compressed": b"Transfer-Encoding: gzip\r\n",
    "compressed chunks": b"Transfer-Encoding: gzip, chunked\r\n",
    "nearly chunks": b"Transfer-Encoding: xchunked\r\n",
    "chunks, and then identity": b"Transfer-Encoding: chunked, identity\r\n",
    "no coding": b"Transfer-Encoding:\r\n",
    "a folded line": b"X-A: b\r\n c\r\n",
    "a folded coding": b"Transfer-Encoding:\r\n chunked\r\n",
    "a space before the colon": b"Content-Length : 2\r\n",
    "a tab before the colon": b"X-A\t: 2\r\n",
    "a space before the name": b" X-A: 2\r\n",
    "no name": b": 2\r\n",
    "no colon": b"X-A\r\n",
    "a bare LF": b"X-A: b\nX-B: c\r\n",
    "a bare CR": b"X-A: b\rX-B: c\r\n",
    "NUL in a value": b"X-A: b\0c\r\n",
    "NUL in a name": b"X-\0A: b\r\n",
    "ESC in a value": b"X-A: \x1b[2J\r\n",
    "DEL in a value": b"X-A: \x7f\r\n",
}


@pytest.mark.parametrize("key", ["wrong", "right"])
@pytest.mark.parametrize("line", BAD_LINES.values(), ids=BAD_LINES)
def test_what_could_be_read_in_two_ways(running: tuple[Service, str], line: bytes, key: str) -> None:
    """One refusal, whatever follows it: nothing behind it is taken for a request."""
    service, endpoint = running
    header = f"Ocp-Apim-Subscription-Key: {service.loop.key1 if key == 'right' else key}\r\n".encode()
    start = b"POST %b/rank HTTP/1.1\r\nHost: localhost\r\n%b" % (PREFIX.encode(), header)
    for size in (1 << 20, 7):
        with connect(endpoint) as client:
            _send_in(client, start + line + b"\r\n", size)
            client.send(b"{}", LIVE, b"\r\n")
            refused(client)


@pytest.mark.parametrize(
    "head",
    [
        b"GET /health/live HTTP/1.1\nHost: x\n\n",
        b"GET /health/live HTTP/1.1\r\nHost: x\r\n\n",
        b"GET /health/live HTTP/1.1\r\nHost: x\n\r\n",
        b"GET /health/live\r\n\r\n",
        b"GET /health/live HTTP/0.9\r\nHost: x\r\n\r\n",
        b"GET /health/live HTTP/2.0\r\nHost: x\r\n\r\n",
        b"GET /health live HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /health/live HTTP/1.1 \r\nHost: x\r\n\r\n",
        b"GET health/live HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
def test_what_is_no_request(client: StrictClient, head: bytes) -> None:
    client.send(head)
    refused(client)


BAD_CHUNKS = (
    b"zz\r\n",
    b"1\na\r\n0\r\n\r\n",
    b"1 \r\na\r\n0\r\n\r\n",
    b"-1\r\na\r\n0\r\n\r\n",
    b"0x1\r\na\r\n0\r\n\r\n",
    b"1\r\nab\r\n0\r\n\r\n",
    b"11111111111111111\r\na\r\n0\r\n\r\n",
    b"1;a\nb\r\na\r\n0\r\n\r\n",
)


@pytest.mark.parametrize("chunks", BAD_CHUNKS)
def test_bad_chunks(running: tuple[Service, str], chunks: bytes) -> None:
    service, endpoint = running
    with connect(endpoint) as client:
        key = service.loop.key1.encode()
        client.send(b"POST %b/rank HTTP/1.1\r\nHost: localhost\r\n" % PREFIX.encode())
        client.send(b"Ocp-Apim-Subscription-Key: %b\r\nTransfer-Encoding: chunked\r\n\r\n" % key, chunks)
        refused(client)


def test_a_trailer_is_no_header(running: tuple[Service, str]) -> None:
    service, endpoint = running
    body = json.dumps(person()).encode()
    with connect(endpoint) as client:
        client.send(
            b"POST %b/rank HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" % PREFIX.encode(),
            b"%x\r\n%b\r\n0\r\n" % (len(body), body),
            b"Ocp-Apim-Subscription-Key: %b\r\nHost: y\r\n\r\n" % service.loop.key1.encode(),
        )
        assert client.read("POST").status == 401


def test_what_surrounds_the_chunks_is_bounded(running: tuple[Service, str]) -> None:
    """An endless trailer, or an endless extension, is cut off although no byte of the body is too many."""
    service, endpoint = running
    start = (
        f"POST {PREFIX}/rank HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
        f"Ocp-Apim-Subscription-Key: {service.loop.key1}\r\n\r\n"
    ).encode()
    for endless in (b"1\r\n{\r\n0\r\nX-A: ", b"1;x=", b"1\r\n{\r\n0\r\n" + b"X: y\r\n" * 20_000):
        with connect(endpoint) as client:
            client.send(start, endless, b"a" * (4 * HEAD_BYTES))
            refused(client)


def test_an_extension_is_counted_where_content_follows_at_once(running: tuple[Service, str]) -> None:
    """In whatever segments they come, and however the body ends, extensions have the bound of a head."""
    service, endpoint = running
    start = (
        f"POST {PREFIX}/rank HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
        f"Ocp-Apim-Subscription-Key: {service.loop.key1}\r\n\r\n"
    ).encode()
    one = b"2;x=" + b"a" * (HEAD_BYTES + 100) + b"\r\n{}\r\n"
    many = b"".join(b"1;x=" + b"a" * 1000 + b"\r\n \r\n" for _ in range(80))
    for body in (one + b"0\r\n\r\n", one, many + b"0\r\n\r\n", many):
        with connect(endpoint) as client:
            client.send(start + body)
            refused(client)


def test_a_body_in_chunks_of_one_byte_is_read(running: tuple[Service, str]) -> None:
    service, endpoint = running
    start = (
        f"POST {PREFIX}/rank HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
        f"Ocp-Apim-Subscription-Key: {service.loop.key1}\r\n\r\n"
    ).encode()
    body = b'{"actions": [{"id": "a", "features": [{"x": "' + b"y" * 20_000 + b'"}]}]}'
    with connect(endpoint) as client:
        client.send(start, *(b"1;a=b\r\n%c\r\n" % one for one in body), b"0\r\n\r\n")
        assert client.read("POST").status == 201


@pytest.mark.parametrize("spaces", ["{}  ", "\t{}\t", " {} \t "])
def test_spaces_around_a_value_are_no_part_of_it(running: tuple[Service, str], spaces: str) -> None:
    service, endpoint = running
    key = spaces.format(service.loop.key1)
    with connect(endpoint) as client:
        client.send(
            f"GET {PREFIX}/configurations/policy HTTP/1.1\r\nHost: localhost\r\n"
            f"Ocp-Apim-Subscription-Key:{key}\r\n\r\n".encode()
        )
        assert client.read("GET").status == 200


def _send_in(client: StrictClient, data: bytes, size: int) -> None:
    for at in range(0, len(data), size):
        client.send(data[at : at + size])
