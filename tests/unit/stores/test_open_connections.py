"""Connections share a bounded number of open files; a transaction is never cut short for another."""

import os
import resource
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from sartor.errors import StoreUnavailable
from sartor.stores.connection import SqliteConnection
from sartor.stores.open_connections import OPEN_CONNECTIONS, OpenConnections
from sartor.stores.stores import open_stores
from sartor.testing.builders import make_decision, make_loop


def count_up(connection: SqliteConnection) -> None:
    with connection.transaction() as raw:
        raw.execute("UPDATE state SET tried = tried + 1")


def tried(connection: SqliteConnection) -> int:
    number: int = connection.rows("SELECT tried FROM state")[0][0]
    return number


def open_files(folder: Path) -> list[str]:
    found = []
    for descriptor in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{descriptor}")
        except FileNotFoundError:
            continue
        if target.startswith(str(folder)):
            found.append(target)
    return found


@contextmanager
def connections(
    folder: Path, count: int, *, most: int
) -> Iterator[tuple[list[SqliteConnection], OpenConnections]]:
    pool = OpenConnections(lambda: most)
    made = [
        SqliteConnection(folder / f"{number}.sqlite", "catalog", open_connections=pool)
        for number in range(count)
    ]
    try:
        yield made, pool
    finally:
        for connection in made:
            connection.close()


def test_many_files_are_used_through_few(tmp_path: Path) -> None:
    with connections(tmp_path, 12, most=3) as (made, pool):
        for _ in range(3):
            for connection in made:
                count_up(connection)
                assert pool.open <= 3
                assert len(open_files(tmp_path)) <= 3 * 3
        assert [tried(connection) for connection in made] == [3] * 12


def test_the_one_in_use_stays_open_and_the_least_recently_used_is_closed(tmp_path: Path) -> None:
    closed: list[str] = []
    pool = OpenConnections(lambda: 2)

    def connect(name: str) -> SqliteConnection:
        return SqliteConnection(
            tmp_path / name, "catalog", on_close=lambda: closed.append(name), open_connections=pool
        )

    hot, cold, third = connect("hot"), connect("cold"), connect("third")
    tried(hot)
    tried(cold)
    tried(hot)
    tried(third)
    assert closed == ["cold"]
    for connection in (hot, cold, third):
        connection.close()
    assert pool.open == 0


def test_a_transaction_outlasts_any_number_of_others(tmp_path: Path) -> None:
    with connections(tmp_path, 8, most=2) as (made, pool):
        first, *others = made
        with first.transaction() as raw:
            raw.execute("UPDATE state SET tried = 5")
            for connection in others:
                count_up(connection)
            raw.execute("UPDATE state SET tried = tried + 1")
        assert tried(first) == 6
        assert pool.open <= 2


def test_more_transactions_than_may_be_open_all_commit(tmp_path: Path) -> None:
    with connections(tmp_path, 6, most=2) as (made, pool):
        with ExitStack() as entered:
            for connection in made:
                entered.enter_context(connection.transaction()).execute("UPDATE state SET tried = 7")
            assert pool.open == 6
        assert [tried(connection) for connection in made] == [7] * 6
        assert pool.open <= 2


def test_a_write_lock_holds_while_other_connections_to_the_file_are_closed(tmp_path: Path) -> None:
    pool = OpenConnections(lambda: 2)
    path = tmp_path / "shared"
    writer, reader, other = (SqliteConnection(path, "catalog", open_connections=pool) for _ in range(3))
    filler = SqliteConnection(tmp_path / "filler", "catalog", open_connections=pool)
    script = (
        "import sqlite3, sys; raw = sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None)\n"
        "raw.execute('BEGIN IMMEDIATE')"
    )
    with writer.transaction() as raw:
        raw.execute("UPDATE state SET tried = 1")
        for connection in (reader, other, filler):
            tried(connection)
        tried_to_lock = subprocess.run(
            [sys.executable, "-c", script, str(path)], capture_output=True, text=True
        )
    assert "database is locked" in tried_to_lock.stderr
    assert tried(reader) == 1
    for connection in (writer, reader, other, filler):
        connection.close()


def test_the_version_of_the_data_does_not_repeat_after_a_reopening(tmp_path: Path) -> None:
    with connections(tmp_path, 4, most=1) as (made, _):
        seen = set()
        for _ in range(4):
            seen.add(made[0].data_version())
            for connection in made[1:]:
                tried(connection)
        assert len(seen) == 4


def test_threads_share_few_connections_and_lose_nothing(tmp_path: Path) -> None:
    errors: list[BaseException] = []

    def work(connection: SqliteConnection) -> None:
        try:
            for _ in range(60):
                count_up(connection)
                tried(connection)
        except BaseException as error:
            errors.append(error)

    with connections(tmp_path, 8, most=3) as (made, pool):
        threads = [threading.Thread(target=work, args=(connection,)) for connection in made]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert errors == []
        assert [tried(connection) for connection in made] == [60] * 8
        assert pool.open <= 3


def test_a_failure_to_open_leaves_no_count_behind(tmp_path: Path) -> None:
    pool = OpenConnections(lambda: 4)
    connection = SqliteConnection(tmp_path / "missing" / "file", "catalog", open_connections=pool)
    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            tried(connection)
    assert pool.open == 0
    (tmp_path / "missing").mkdir()
    assert tried(connection) == 0
    connection.close()


@contextmanager
def no_more_files(*, left: int) -> Iterator[None]:
    """Let this process open only so many files more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = max(int(name) for name in os.listdir("/proc/self/fd")) + 1
    with ExitStack() as held:
        free = set(range(used)) - {int(name) for name in os.listdir("/proc/self/fd")}
        for _ in free:
            held.callback(os.close, os.open(os.devnull, os.O_RDONLY))
        resource.setrlimit(resource.RLIMIT_NOFILE, (used + left, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_without_a_free_descriptor_idle_connections_give_way(tmp_path: Path) -> None:
    with connections(tmp_path, 6, most=100) as (made, _):
        *opened, new = made
        for connection in opened:
            count_up(connection)
        with no_more_files(left=1):
            assert tried(new) == 0
            assert [tried(connection) for connection in opened] == [1] * 5


def test_without_any_descriptor_the_caller_is_told_and_later_served(tmp_path: Path) -> None:
    pool = OpenConnections(lambda: 100)
    connection = SqliteConnection(tmp_path / "one.sqlite", "catalog", open_connections=pool)
    tried(connection)
    other = SqliteConnection(tmp_path / "two.sqlite", "catalog", open_connections=pool)
    with connection.transaction(), no_more_files(left=1), pytest.raises(StoreUnavailable):
        tried(other)
    assert tried(other) == 0
    connection.close()
    other.close()


def test_a_log_whose_files_were_closed_for_others_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OPEN_CONNECTIONS, "_most", lambda: 4)
    stores = open_stores(tmp_path)
    loops = [make_loop(f"loop-{number}") for number in range(6)]
    for loop in loops:
        stores.catalog.create(loop)
    opened = [stores.open(loop) for loop in loops]
    for _ in range(3):
        for logs in opened:
            logs.events.append([make_decision("e")])
            assert logs.events.horizon().decisions == len(logs.events.decisions(after=0, limit=10))
    assert [logs.events.horizon().decisions for logs in opened] == [3] * 6
    assert OPEN_CONNECTIONS.open <= 4
    files = [name for name in open_files(tmp_path) if name.endswith("latest-time")]
    assert len(files) <= 4
    for logs in opened:
        logs.close()
    stores.close()


def test_a_checkpoint_on_closing_keeps_what_was_committed(tmp_path: Path) -> None:
    with connections(tmp_path, 2, most=1) as (made, _):
        count_up(made[0])
        tried(made[1])
        raw = sqlite3.connect(tmp_path / "0.sqlite")
        assert raw.execute("SELECT tried FROM state").fetchone() == (1,)
        raw.close()


def test_what_is_not_used_for_two_minutes_is_closed_and_what_is_used_stays(tmp_path: Path) -> None:
    now_s = 0.0
    pool = OpenConnections(lambda: 100, clock_s=lambda: now_s)
    cold = [SqliteConnection(tmp_path / f"{number}", "catalog", open_connections=pool) for number in range(5)]
    hot = SqliteConnection(tmp_path / "hot", "catalog", open_connections=pool)
    for connection in (*cold, hot):
        count_up(connection)
    for _ in range(120):
        now_s += 1.0
        tried(hot)
    assert pool.open == 6
    for _ in range(4):
        now_s += 1.0
        tried(hot)
    assert pool.open == 1
    assert [tried(connection) for connection in cold] == [1] * 5
    for connection in (*cold, hot):
        connection.close()


def test_a_transaction_of_minutes_is_not_idle(tmp_path: Path) -> None:
    now_s = 0.0
    pool = OpenConnections(lambda: 100, clock_s=lambda: now_s)
    long, hot = (
        SqliteConnection(tmp_path / name, "catalog", open_connections=pool) for name in ("long", "hot")
    )
    with long.transaction() as raw:
        for _ in range(300):
            now_s += 1.0
            tried(hot)
        raw.execute("UPDATE state SET tried = 9")
    assert tried(long) == 9
    for connection in (long, hot):
        connection.close()
