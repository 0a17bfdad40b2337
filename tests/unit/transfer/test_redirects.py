"""No kind of location follows a redirect, neither with a log in its hands nor to read one."""

import pytest

from sartor.errors import LocationUnavailable
from sartor.transfer.azure_blob import AzureContainer
from sartor.transfer.open_location import open_location
from tests.unit.redirecting_server import STATUSES, redirected


@pytest.mark.parametrize("status", STATUSES)
def test_a_container_that_sends_elsewhere(status: int) -> None:
    with redirected(status) as (server, elsewhere):
        there = AzureContainer(f"{server.url}/logs?sp=racwl&sig=x")
        for use in (lambda: there.put("a.json", b"the log"), there.files, lambda: there.open("a.json")):
            with pytest.raises(LocationUnavailable, match="redirects are not followed") as refused:
                use()
            assert "sig" not in str(refused.value)
        assert [method for method, *_ in server.received] == ["PUT", "GET", "GET"]
        assert elsewhere.received == []


@pytest.mark.parametrize("chain", ["{url}/logs.json", "simplecache::{url}/logs.json"])
@pytest.mark.parametrize("status", STATUSES)
def test_a_file_by_http_that_is_elsewhere(status: int, chain: str) -> None:
    with redirected(status) as (server, elsewhere):
        there = open_location(chain.format(url=server.url))
        with (
            pytest.raises(LocationUnavailable, match="redirects are not followed"),
            there.open(f"{server.url}/logs.json") as stream,
        ):
            stream.read()
        with pytest.raises(LocationUnavailable):
            there.put("b.json", b"the log")
        assert server.received
        assert elsewhere.received == []


def test_what_answers_a_put_is_not_read() -> None:
    with redirected(200) as (server, elsewhere):
        AzureContainer(f"{server.url}/logs?sp=racwl&sig=x").put("a.json", b"the log")
        assert server.received == [("PUT", "/logs/a.json?sp=racwl&sig=x", b"the log")]
        assert elsewhere.received == []


@pytest.mark.parametrize(
    "url",
    ["https://[?sig=x", "ftp://user:password@127.0.0.1:1/a?sig=x", "http://u:password@127.0.0.1:1/a?sig=x"],
)
def test_no_failure_holds_a_secret(url: str) -> None:
    with pytest.raises(LocationUnavailable) as failed:
        open_location(url).put("a", b"x")
    assert "sig" not in failed.value.message
    assert "password" not in failed.value.message
    assert failed.value.__suppress_context__ or failed.value.__cause__ is None
