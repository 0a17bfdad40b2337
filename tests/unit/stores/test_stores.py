"""A data folder as a whole: where files are, deleted loops, maintenance, both durabilities."""

import os
import sqlite3
from pathlib import Path

import pytest

from sartor.errors import LoopExists, StoreUnavailable
from sartor.records import Cursor, Observation, Settlement
from sartor.settings import Durability
from sartor.stores import checkpoint
from sartor.stores.stores import SqliteStores, open_stores
from sartor.testing.builders import make_decision, make_loop, make_model, make_outcome


def test_a_loop_is_a_folder(stores: SqliteStores, tmp_path: Path) -> None:
    loop = make_loop("news")
    stores.catalog.create(loop)
    opened = stores.open(loop)
    opened.events.append([make_decision()])
    opened.close()
    assert {path.name for path in (tmp_path / "loops" / "news").iterdir()} == {
        "events.sqlite",
        "outcomes.sqlite",
        "latest-time",
        "models",
    }


@pytest.mark.parametrize(("durability", "synchronous"), [("commit", 1), ("fsync", 2)])
def test_durability_is_what_commits_wait_for(tmp_path: Path, durability: Durability, synchronous: int) -> None:
    stores = open_stores(tmp_path, durability=durability)
    opened = stores.open(make_loop())
    opened.events.append([make_decision("a"), Observation(event_id="a", reward=1.0)])
    assert opened.events._writing.rows("PRAGMA synchronous") == [(synchronous,)]
    assert opened.events._writing.rows("PRAGMA wal_autocheckpoint") == [(0,)]
    opened.close()
    stores.close()


def test_a_catalog_that_was_opened_again_sees_what_changed_meanwhile(
    stores: SqliteStores, tmp_path: Path
) -> None:
    other = open_stores(tmp_path)
    before = stores.catalog.version()
    stores.catalog._connection.rows("PRAGMA query_only = 1")
    with pytest.raises(StoreUnavailable, match="readonly"):
        stores.catalog.create(make_loop("mine"))
    other.catalog.create(make_loop("others"))
    assert stores.catalog.version() > before
    other.close()


def test_a_registry_that_was_opened_again_sees_who_became_live_meanwhile(
    stores: SqliteStores, tmp_path: Path
) -> None:
    other_stores = open_stores(tmp_path)
    mine, others = stores.open(make_loop()), other_stores.open(make_loop())
    assert mine.models.live() is None
    mine.models._connection.rows("PRAGMA query_only = 1")
    with pytest.raises(StoreUnavailable, match="readonly"):
        mine.models.promote(None)
    others.models.publish(make_model("m1"), b"blob", live=True)
    live = mine.models.live()
    assert live is not None
    assert live.model_id == "m1"
    for opened in (mine, others, other_stores):
        opened.close()


def test_the_name_of_a_deleted_loop_is_free_at_once_while_its_files_are_open(
    stores: SqliteStores, tmp_path: Path
) -> None:
    first, second = make_loop("a", loop_id="first"), make_loop("a", loop_id="second")
    stores.catalog.create(first)
    old = stores.open(first)
    old.events.append([make_decision("old")])
    stores.catalog.delete("a")
    assert [path.name for path in (tmp_path / "loops").iterdir()] == [".deleted-first"]
    stores.catalog.create(second)
    new = stores.open(second)
    new.events.append([make_decision("new")] * 100)
    # SQLite removes a write-ahead log by its path when the last connection closes: not the new loop's.
    old.events.append([make_decision("still old")])
    old.close()
    new.close()
    again = stores.open(second)
    assert {head.event_id for head in again.events.heads(after=0, limit=200)} == {"new"}
    assert again.events.horizon().decisions == 100
    again.close()


def test_a_process_that_missed_a_deletion_can_not_write_to_the_next_loop(stores: SqliteStores) -> None:
    first, second = make_loop("a", loop_id="first"), make_loop("a", loop_id="second")
    stores.catalog.create(first)
    stores.catalog.delete("a")
    stores.catalog.create(second)
    late = stores.open(first)
    with pytest.raises(StoreUnavailable, match="another loop"):
        late.events.append([make_decision("late")])
    late.close()
    opened = stores.open(second)
    opened.events.append([make_decision("in time")])
    opened.close()


def test_a_folder_left_by_a_crash_during_deletion_is_set_aside(stores: SqliteStores, tmp_path: Path) -> None:
    loops = tmp_path / "loops"
    stores.catalog.create(make_loop("a", loop_id="first"))
    stores.catalog.delete("a")
    (loops / ".deleted-first").rename(loops / "a")
    stores.catalog.create(make_loop("a", loop_id="second"))
    assert (loops / ".deleted-first").is_dir()
    stores.catalog.delete("a")
    (loops / ".deleted-second").rename(loops / "a")
    assert list(stores.purge()) == ["first", "second"]
    assert list(loops.iterdir()) == []


def test_a_deleted_loop_that_can_not_be_removed_keeps_no_other_from_it(
    stores: SqliteStores, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        stores.catalog.create(make_loop(name, loop_id=name))
        stores.catalog.delete(name)
    folder = tmp_path / "loops" / ".deleted-a"
    folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(tmp_path / "elsewhere")  # a link is not followed, and not removed
    with pytest.raises(StoreUnavailable, match="can't be removed"):
        stores.purge()
    assert [loop.loop_id for loop in stores.catalog.deleted()] == ["a"]
    folder.unlink()
    (tmp_path / "elsewhere").rename(folder)
    assert list(stores.purge()) == ["a"]


def test_a_folder_that_belongs_to_no_loop_is_not_taken_over(stores: SqliteStores, tmp_path: Path) -> None:
    (tmp_path / "loops" / "a").mkdir()
    with pytest.raises(LoopExists, match="belongs to no loop"):
        stores.catalog.create(make_loop("a"))
    (tmp_path / "loops" / "a").rmdir()
    stores.catalog.create(make_loop("a"))


def test_maintenance_truncates_the_write_ahead_logs_and_keeps_everything(
    stores: SqliteStores, tmp_path: Path
) -> None:
    loop = make_loop()
    opened = stores.open(loop)
    opened.events.append([make_decision(f"e{number}") for number in range(500)])
    settled = tuple(make_outcome(number) for number in range(1, 301))
    opened.outcomes.record(Settlement(outcomes=settled, unmatched=(), cursor=Cursor(300, 0)))
    wals = [tmp_path / "loops" / "default" / f"{kind}.sqlite-wal" for kind in ("events", "outcomes")]
    assert all(wal.stat().st_size > 10_000 for wal in wals)
    stores.maintain(loop)
    assert [wal.stat().st_size for wal in wals] == [0, 0]
    assert opened.events.horizon().decisions == 500
    assert opened.outcomes.counts().outcomes == 300
    opened.close()


def test_sparing_a_small_log_leaves_it_until_it_is_quiet(stores: SqliteStores, tmp_path: Path) -> None:
    loop = make_loop()
    opened = stores.open(loop)
    opened.events.append([make_decision("a")])
    wal = tmp_path / "loops" / "default" / "events.sqlite-wal"
    stores.maintain(loop, sparing=True)
    assert wal.stat().st_size > 0
    an_hour_ago_s = wal.stat().st_mtime - 3600
    os.utime(wal, (an_hour_ago_s, an_hour_ago_s))
    stores.maintain(loop, sparing=True)
    assert wal.stat().st_size == 0
    opened.close()


def test_sparing_copies_a_log_back_that_has_grown(
    stores: SqliteStores, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "GROWN_WAL_BYTES", 10_000)
    loop = make_loop()
    opened = stores.open(loop)
    opened.events.append([make_decision(f"e{number}") for number in range(100)])
    stores.maintain(loop, sparing=True)
    wal = tmp_path / "loops" / "default" / "events.sqlite-wal"
    grown = wal.stat().st_size
    opened.events.append([make_decision("the next")])
    assert wal.stat().st_size == grown, "the log did not begin anew in its file"
    copied = sqlite3.connect(f"file:{tmp_path}/loops/default/events.sqlite?immutable=1", uri=True)
    assert copied.execute("SELECT count(*) FROM decisions").fetchone() == (100,)
    copied.close()
    opened.close()


def test_maintenance_waits_for_no_reader(
    stores: SqliteStores, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "LONGEST_WAL_BYTES", 1)
    loop = make_loop()
    opened = stores.open(loop)
    opened.events.append([make_decision("a")])
    reader = sqlite3.connect(tmp_path / "loops" / "default" / "events.sqlite", isolation_level=None)
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM decisions").fetchone() == (1,)
    opened.events.append([make_decision("b")])
    stores.maintain(loop)
    opened.events.append([make_decision("c")])
    assert reader.execute("SELECT count(*) FROM decisions").fetchone() == (1,)
    reader.close()
    stores.maintain(loop)
    assert opened.events.horizon().decisions == 3
    opened.close()


def test_trying_a_write_leaves_nothing_behind(stores: SqliteStores, tmp_path: Path) -> None:
    stores.catalog.create(make_loop())
    version = stores.catalog.version()
    stores.check_writable()
    assert stores.catalog.version() == version
    assert not list(tmp_path.glob(".probe*"))


def test_a_folder_is_found_again_by_the_next_process(stores: SqliteStores, tmp_path: Path) -> None:
    loop = make_loop()
    stores.catalog.create(loop)
    opened = stores.open(loop)
    opened.events.append([make_decision("a")])
    opened.close()
    stores.close()
    again = open_stores(tmp_path)
    assert list(again.catalog.loops()) == [loop]
    reopened = again.open(loop)
    assert reopened.events.horizon().decisions == 1
    reopened.close()
    again.close()
