"""A blob container by its SAS URI: three requests, and the signature in no message."""

from collections.abc import Iterator

import pytest

from sartor.errors import LocationUnavailable
from sartor.transfer.azure_blob import AzureContainer
from sartor.transfer.locations import File
from sartor.transfer.open_location import open_location
from tests.unit.transfer.container_server import SIGNATURE, ContainerServer, container_server


@pytest.fixture
def server() -> Iterator[ContainerServer]:
    with container_server() as server:
        yield server


def test_a_sas_uri_is_a_container(server: ContainerServer) -> None:
    there = open_location(server.sas_uri)
    assert isinstance(there, AzureContainer)
    assert there.label == f"http://127.0.0.1:{server.server_port}/logs"


def test_what_was_put_is_listed_and_read(server: ContainerServer) -> None:
    there = AzureContainer(server.sas_uri)
    names = [f"stamp/data/2026/03/0{day}_0000000000.json" for day in range(1, 6)]
    for name in reversed(names):
        there.put(name, name.encode())
    assert there.files() == [File(name, len(name)) for name in names]
    with there.open(names[2]) as stream:
        assert stream.read() == names[2].encode()


def test_a_blob_is_replaced_whole(server: ContainerServer) -> None:
    there = AzureContainer(server.sas_uri)
    there.put("a", b"first, and longer")
    there.put("a", b"second")
    assert server.blobs == {"a": b"second"}


def test_a_folder_of_a_container(server: ContainerServer) -> None:
    server.blobs = {"in/a #1.json": b"a", "inside": b"b", "other": b"c"}
    there = AzureContainer(server.sas_uri.replace("/logs?", "/logs/in?"))
    (found,) = there.files()
    assert found.path == "in/a #1.json"
    with there.open(found.path) as stream:
        assert stream.read() == b"a"
    there.put("b", b"new")
    assert server.blobs["in/b"] == b"new"


def test_nothing_is_there(server: ContainerServer) -> None:
    with pytest.raises(LocationUnavailable, match="There is nothing at"):
        AzureContainer(server.sas_uri).files()


def test_an_error_holds_no_secret(server: ContainerServer) -> None:
    server.signature = "another"
    there = AzureContainer(server.sas_uri)
    for refused in (there.files, lambda: there.open("a"), lambda: there.put("a", b"")):
        with pytest.raises(LocationUnavailable, match=r"answered 403 Forbidden") as caught:
            refused()
        assert "sig" not in str(caught.value)


def test_nobody_answers(server: ContainerServer) -> None:
    uri = f"http://127.0.0.1:1/logs?{SIGNATURE}"
    with pytest.raises(LocationUnavailable, match="can't be reached") as caught:
        AzureContainer(uri).put("a", b"")
    assert "sig" not in str(caught.value)


def test_what_answers_is_no_container(server: ContainerServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.unit.transfer.container_server._Handler._page", lambda *_: b"<html>")
    with pytest.raises(LocationUnavailable, match="does not answer as a container"):
        AzureContainer(server.sas_uri).files()


def test_an_answer_without_an_end(server: ContainerServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sartor.transfer.azure_blob._PAGE_BYTES", 100)
    server.blobs = {f"blob-{number}": b"x" for number in range(2)}
    with pytest.raises(LocationUnavailable, match="more than a list"):
        AzureContainer(server.sas_uri).files()
