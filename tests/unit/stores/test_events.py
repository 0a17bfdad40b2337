"""What the event log does that only SQLite can get wrong."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from sartor.errors import Corrupt, StoreUnavailable
from sartor.records import Cursor, Decision, Observation, Settlement
from sartor.stores.connection import SqliteConnection
from sartor.stores.stores import SqliteLoopStores, SqliteStores
from sartor.testing.builders import make_decision, make_loop
from sartor.testing.fakes import Clock

Events = list[Decision | Observation]


def limit_pages(opened: SqliteLoopStores, pages: int) -> None:
    # The limit belongs to the connection that appends, so there is no other way in.
    opened.events._writing.rows(f"PRAGMA max_page_count = {pages}")


def test_a_disk_that_fills_up_within_a_batch_takes_none_of_it(opened: SqliteLoopStores) -> None:
    small: Events = [make_decision("small"), Observation(event_id="small", reward=1.0)]
    large: Events = [make_decision(f"large-{n}", context=b"[%s]" % (b"1," * 5_000)) for n in range(20)]
    opened.events.append(small)
    limit_pages(opened, 20)
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="full"):
            opened.events.append([*small, *large])
    opened.events.append(small)
    limit_pages(opened, 1_000)
    opened.events.append(large)
    heads = opened.events.heads(after=0, limit=100)
    assert [head.seq for head in heads] == list(range(1, 23))
    assert [head.event_id for head in heads[:3]] == ["small", "small", "large-0"]
    assert opened.events.horizon().observations == 2


def test_numbers_lost_in_a_power_cut_stay_taken(opened: SqliteLoopStores) -> None:
    opened.outcomes.record(Settlement(outcomes=(), unmatched=(), cursor=Cursor(5, 3)))
    opened.events.append([make_decision("a")])
    opened.events.append([make_decision("b"), Observation(event_id="a"), Observation(event_id="b")])
    opened.events.append([Observation(event_id="c")])
    assert [head.seq for head in opened.events.heads(after=0, limit=9)] == [6, 7]
    assert [o.seq for o in opened.events.observations(after=0, limit=9)] == [4, 5, 6]


def test_a_lost_clock_file_is_made_again_from_the_log(
    tmp_path: Path, stores: SqliteStores, opened: SqliteLoopStores, clock: Clock
) -> None:
    opened.events.append([Observation(event_id="a")])
    latest_us = clock.now_us
    opened.close()
    (tmp_path / "loops" / "default" / "latest-time").unlink()
    clock.advance(-60)
    again = stores.open(make_loop())
    assert again.events.horizon().now_us == latest_us
    again.close()


def test_a_body_that_is_no_decision_is_corrupt(opened: SqliteLoopStores, events: SqliteConnection) -> None:
    opened.events.append([make_decision("a"), make_decision("b")])
    with events.transaction() as raw:
        raw.execute("UPDATE decisions SET body = x'93' WHERE seq = 2")
    assert len(opened.events.decisions(after=0, limit=1)) == 1
    with pytest.raises(Corrupt, match="Decision 2"):
        opened.events.decisions(after=1, limit=1)
    assert len(opened.events.heads(after=0, limit=10)) == 2


def test_a_text_that_is_no_unicode_fails_before_anything_is_written(opened: SqliteLoopStores) -> None:
    with pytest.raises(UnicodeEncodeError):
        opened.events.append([make_decision("good"), replace(make_decision(), event_id="\ud800")])
    assert opened.events.horizon().decisions == 0
    opened.events.append([make_decision("next")])
    assert opened.events.heads(after=0, limit=1)[0].event_id == "next"


def test_reading_delays_no_append(opened: SqliteLoopStores, events: SqliteConnection) -> None:
    opened.events.append([make_decision("a"), make_decision("b")])
    events.rows("BEGIN")
    before = events.rows("SELECT count(*) FROM decisions")
    opened.events.append([make_decision("c")])
    assert events.rows("SELECT count(*) FROM decisions") == before == [(2,)]
    events.rows("COMMIT")
    assert events.rows("SELECT count(*) FROM decisions") == [(3,)]
