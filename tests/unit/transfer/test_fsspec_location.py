"""File locations by path and by URL."""

from pathlib import Path
from uuid import uuid4

import pytest

from sartor.access.destinations import is_sas_uri
from sartor.errors import LocationUnavailable
from sartor.transfer.locations import File, strip_secrets
from sartor.transfer.open_location import open_location


@pytest.fixture(params=["path", "file", "memory"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return {
        "path": str(tmp_path / "there"),
        "file": f"file://{tmp_path}/there",
        "memory": f"memory://{uuid4().hex}",
    }[request.param]


def test_what_was_put_is_listed_and_read(url: str) -> None:
    there = open_location(url)
    there.put("b/2.json", b"two")
    there.put("a/1.json", b"1")
    found = there.files()
    assert [(file.path[-8:], file.size) for file in found] == [("a/1.json", 1), ("b/2.json", 3)]
    with there.open(found[1].path) as stream:
        assert stream.read() == b"two"


def test_a_file_is_replaced_whole(url: str) -> None:
    there = open_location(url)
    there.put("a", b"first, and longer")
    there.put("a", b"second")
    (found,) = there.files()
    with there.open(found.path) as stream:
        assert stream.read() == b"second"


def test_a_single_file_is_a_location(tmp_path: Path) -> None:
    (tmp_path / "one.json").write_bytes(b"one")
    (tmp_path / "other.json").write_bytes(b"other")
    assert open_location(str(tmp_path / "one.json")).files() == [File(str(tmp_path / "one.json"), 3)]


def test_a_pattern_selects_what_matches(tmp_path: Path) -> None:
    for name in ("a.json", "b.json", "c.txt"):
        (tmp_path / name).write_bytes(b"x")
    assert [Path(file.path).name for file in open_location(f"{tmp_path}/*.json").files()] == [
        "a.json",
        "b.json",
    ]


def test_a_relative_path_stays_the_same_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    there = open_location("here")
    there.put("a", b"x")
    assert (tmp_path / "here" / "a").read_bytes() == b"x"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        pytest.param("/nowhere/at/all", "There is nothing at /nowhere/at/all", id="no such folder"),
        pytest.param("memory://empty-one", "There is nothing at", id="an empty location"),
    ],
)
def test_nothing_is_there(url: str, message: str) -> None:
    with pytest.raises(LocationUnavailable, match=message):
        open_location(url).files()


def test_an_unknown_kind_of_location() -> None:
    with pytest.raises(LocationUnavailable, match="carrier-pigeon"):
        open_location("carrier-pigeon://coop/logs")


def test_a_package_that_is_not_installed_is_named() -> None:
    with pytest.raises(LocationUnavailable, match="ocifs"):
        open_location("oci://bucket/logs")


def test_a_folder_that_can_not_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(LocationUnavailable, match="can't be used"):
        open_location(str(tmp_path / "file")).put("a/b", b"x")


def test_no_half_file_is_left(tmp_path: Path) -> None:
    (tmp_path / "there" / "a").mkdir(parents=True)
    with pytest.raises(LocationUnavailable):
        open_location(str(tmp_path / "there")).put("a", b"x")
    assert [path.name for path in (tmp_path / "there").iterdir()] == ["a"]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://a.example/c/f?sv=1&sig=secret", "https://a.example/c/f"),
        ("ftp://user:password@a.example/f", "ftp://a.example/f"),
        ("memory://folder/f", "memory://folder/f"),
        ("/a/folder", "/a/folder"),
    ],
)
def test_a_label_holds_no_secret(url: str, shown: str) -> None:
    assert strip_secrets(url) == shown


def test_only_a_signed_address_is_a_container() -> None:
    assert is_sas_uri("https://a.example/c?sv=1&sig=x")
    assert not is_sas_uri("https://a.example/c")
    assert not is_sas_uri("memory://c?sig=x")
