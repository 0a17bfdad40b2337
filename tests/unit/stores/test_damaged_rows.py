"""A damaged entry of one loop in the catalog hides no other loop, wherever it stands in the alphabet."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sartor.errors import Corrupt
from sartor.runtime.followed_loops import FollowedLoops
from sartor.stores.stores import SqliteStores, open_stores
from sartor.testing.builders import make_loop

NAMES = ("a", "b", "c")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def stores(folder: Path) -> Iterator[SqliteStores]:
    made = open_stores(folder)
    for name in NAMES:
        made.catalog.create(make_loop(name))
    yield made
    made.close()


def change_row(folder: Path, name: str, assignment: str, *values: object) -> None:
    """Changes an entry as nobody but a defect would; the catalog does not count it as a change."""
    with closing(sqlite3.connect(folder / "catalog.sqlite")) as catalog, catalog:
        catalog.execute(f"UPDATE loops SET {assignment} WHERE name = ?", (*values, name))


BODIES = [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"name": "a"}', None]


@pytest.mark.parametrize("broken", NAMES)
@pytest.mark.parametrize("body", BODIES)
def test_a_body_that_can_not_be_read(folder: Path, broken: str, body: object) -> None:
    with closing(open_stores(folder)) as stores:
        for name in NAMES:
            stores.catalog.create(make_loop(name))
        if body is None:
            change_row(folder, broken, "body = CAST(substr(body, 1, length(body) / 2) AS BLOB)")
        else:
            change_row(folder, broken, "body = ?", body)
        assert [loop.name for loop in stores.catalog.loops()] == [name for name in NAMES if name != broken]
        (damaged,) = stores.catalog.unreadable()
        assert (damaged.name, damaged.keys) == (broken, (make_loop(broken).key1, make_loop(broken).key2))
        with pytest.raises(Corrupt):
            stores.catalog.find(broken)


@pytest.mark.parametrize("keys", [b"", b"\x00" * 40, "text", None])
def test_keys_that_can_not_be_read(folder: Path, stores: SqliteStores, keys: object) -> None:
    if keys is None:
        change_row(folder, "a", "keys = (SELECT keys FROM loops WHERE name = 'b')")
    else:
        change_row(folder, "a", "keys = ?", keys)
    assert [loop.name for loop in stores.catalog.loops()] == ["b", "c"]
    (damaged,) = stores.catalog.unreadable()
    assert (damaged.name, damaged.keys) == ("a", ())


def test_an_entry_under_the_name_of_another_loop_is_damaged(folder: Path, stores: SqliteStores) -> None:
    change_row(folder, "a", "body = (SELECT body FROM loops WHERE name = 'b')")
    assert [loop.name for loop in stores.catalog.loops()] == ["b", "c"]
    assert [loop.name for loop in stores.catalog.unreadable()] == ["a"]


def test_when_no_key_can_be_read_the_secret_key_is_wrong(folder: Path, stores: SqliteStores) -> None:
    for name in NAMES:
        change_row(folder, name, "keys = ?", b"\x00" * 40)
    with pytest.raises(Corrupt):
        stores.catalog.loops()


def test_who_follows_the_catalog_sees_a_damaged_entry_go_and_come_back(
    folder: Path, stores: SqliteStores
) -> None:
    followed = FollowedLoops(stores.catalog)
    followed.follow()
    with closing(sqlite3.connect(folder / "catalog.sqlite")) as catalog:
        (body,) = catalog.execute("SELECT body FROM loops WHERE name = 'b'").fetchone()
    change_row(folder, "b", "body = '{', changed = 1 + (SELECT version FROM state)")
    with closing(sqlite3.connect(folder / "catalog.sqlite")) as catalog, catalog:
        catalog.execute("UPDATE state SET version = version + 1")
    assert followed.follow().gone == ("id-of-b",)
    assert [loop.name for loop in followed.unreadable] == ["b"]
    change_row(folder, "b", "body = ?", body)
    followed.retry()
    assert [loop.name for loop in followed.follow().loops] == ["b"]
    assert list(followed.unreadable) == []


def test_a_deleted_loop_whose_entry_is_damaged_keeps_no_other_from_being_removed(
    folder: Path, stores: SqliteStores
) -> None:
    for name in ("a", "b"):
        stores.catalog.delete(name)
    change_row(folder, "a", "body = '{'")
    assert [loop.name for loop in stores.catalog.deleted()] == ["b"]
    assert list(stores.purge()) == ["id-of-b"]
    assert [(loop.name, loop.deleted) for loop in stores.catalog.unreadable()] == [("a", True)]
