"""Connections translate SQLite's errors, and recover."""

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sartor.errors import Corrupt, StoreUnavailable
from sartor.stores import connection as connection_module
from sartor.stores.connection import SqliteConnection


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "catalog.sqlite"


@pytest.fixture
def connection(path: Path) -> Iterator[SqliteConnection]:
    made = SqliteConnection(path, "catalog")
    yield made
    made.close()


def tried(connection: SqliteConnection) -> int:
    number: int = connection.rows("SELECT tried FROM state")[0][0]
    return number


def count_up(connection: SqliteConnection) -> None:
    with connection.transaction() as raw:
        raw.execute("UPDATE state SET tried = tried + 1")


def fail_after_counting(connection: SqliteConnection) -> None:
    with connection.transaction() as raw:
        raw.execute("UPDATE state SET tried = 7")
        raise ZeroDivisionError


def test_an_error_in_a_transaction_undoes_it(connection: SqliteConnection) -> None:
    with pytest.raises(ZeroDivisionError):
        fail_after_counting(connection)
    assert tried(connection) == 0
    count_up(connection)
    assert tried(connection) == 1


def test_a_write_lock_held_too_long_is_no_damage(
    connection: SqliteConnection, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_module, "BUSY_S", 0.05)
    other = SqliteConnection(path, "catalog")
    with other.transaction():
        assert tried(connection) == 0
        with pytest.raises(StoreUnavailable, match="locked"):
            count_up(connection)
    count_up(connection)
    assert tried(other) == 1
    other.close()


def test_a_write_waits_for_its_turn(connection: SqliteConnection, path: Path) -> None:
    other = SqliteConnection(path, "catalog")
    tried(connection)
    with other.transaction():
        waiting = threading.Thread(target=count_up, args=(connection,))
        waiting.start()
        waiting.join(0.02)
        assert waiting.is_alive()
    waiting.join(10)
    assert not waiting.is_alive()
    assert tried(other) == 1
    other.close()


def test_a_file_that_could_only_be_read_is_opened_again(connection: SqliteConnection) -> None:
    connection.rows("PRAGMA query_only = 1")
    with pytest.raises(StoreUnavailable, match="readonly"):
        count_up(connection)
    count_up(connection)
    assert tried(connection) == 1


def test_the_version_of_the_data_changes_with_others_commits_only(
    connection: SqliteConnection, path: Path
) -> None:
    other = SqliteConnection(path, "catalog")
    tried(other)
    before = connection.data_version()
    count_up(connection)
    assert connection.data_version() == before
    count_up(other)
    assert connection.data_version() != before
    other.close()


def test_what_others_committed_while_it_was_opened_again_changes_the_version(
    connection: SqliteConnection, path: Path
) -> None:
    other = SqliteConnection(path, "catalog")
    tried(other)
    before = connection.data_version()
    connection.rows("PRAGMA query_only = 1")
    with pytest.raises(StoreUnavailable, match="readonly"):
        count_up(connection)
    count_up(other)
    assert connection.data_version() != before
    assert connection.data_version() == connection.data_version()
    other.close()


def test_a_closed_connection_stays_closed(connection: SqliteConnection) -> None:
    tried(connection)
    connection.close()
    connection.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        tried(connection)


def test_a_missing_folder_is_reported_until_it_is_there(tmp_path: Path) -> None:
    connection = SqliteConnection(tmp_path / "sub" / "catalog.sqlite", "catalog")
    with pytest.raises(StoreUnavailable):
        tried(connection)
    (tmp_path / "sub").mkdir()
    assert tried(connection) == 0
    connection.close()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"no database at all, but long enough to be looked at" * 100, id="text"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_a_file_that_is_no_database_of_ours_is_corrupt(
    connection: SqliteConnection, path: Path, content: bytes
) -> None:
    path.write_bytes(content)
    with pytest.raises(Corrupt, match=r"catalog\.sqlite"):
        tried(connection)


def test_a_damaged_page_is_corrupt(path: Path) -> None:
    first = SqliteConnection(path, "catalog")
    count_up(first)
    first.close()
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)
    second = SqliteConnection(path, "catalog")
    with pytest.raises(Corrupt, match=r"catalog\.sqlite"):
        tried(second)
    second.close()


def test_a_newer_schema_is_refused_with_a_reason(connection: SqliteConnection, path: Path) -> None:
    tried(connection)
    raw = sqlite3.connect(path)
    raw.execute("PRAGMA user_version = 99")
    raw.close()
    newer = SqliteConnection(path, "catalog")
    with pytest.raises(Corrupt, match="newer version of Sartor"):
        tried(newer)
    newer.close()


def test_a_folder_of_another_loop_is_refused(tmp_path: Path) -> None:
    first = SqliteConnection(tmp_path / "events.sqlite", "events", owner="first")
    assert first.rows("SELECT owner FROM about") == [("first",)]
    second = SqliteConnection(tmp_path / "events.sqlite", "events", owner="second")
    with pytest.raises(StoreUnavailable, match="another loop"):
        second.rows("SELECT 1")
    first.close()
    second.close()


@pytest.mark.parametrize("name", ["a b", "50%25", "why?", "#1", "é"])
def test_a_path_may_have_any_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    connection = SqliteConnection(tmp_path / name / "catalog.sqlite", "catalog")
    count_up(connection)
    assert (tmp_path / name / "catalog.sqlite").is_file()
    connection.close()


def test_a_file_is_made_once_by_many(tmp_path: Path) -> None:
    connections = [SqliteConnection(tmp_path / "catalog.sqlite", "catalog") for _ in range(8)]
    threads = [threading.Thread(target=count_up, args=(connection,)) for connection in connections]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tried(connections[0]) == 8
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]
    for connection in connections:
        connection.close()
