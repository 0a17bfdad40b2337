"""Decisions without an outcome are found by their event id: a look-up however long the log is."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sartor.records import Cursor, Settlement
from sartor.stores import decision_keys
from sartor.stores.schema import read_statements
from sartor.stores.stores import SqliteLoopStores, SqliteStores, open_stores
from sartor.testing.builders import make_decision, make_loop, make_outcome

LOOP = make_loop()


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[SqliteStores]:
    opened = open_stores(tmp_path)
    opened.catalog.create(LOOP)
    yield opened
    opened.close()


@pytest.fixture
def logs(stores: SqliteStores) -> Iterator[SqliteLoopStores]:
    opened = stores.open(LOOP)
    yield opened
    opened.close()


def rows(logs: SqliteLoopStores, sql: str) -> list[tuple[object, ...]]:
    return logs.events.connections[1].rows(sql)


def keyed(logs: SqliteLoopStores) -> list[int]:
    return [int(str(number)) for (number,) in rows(logs, "SELECT seq FROM decision_keys ORDER BY seq")]


@pytest.mark.parametrize("name", ["find_keys", "find_after", "decision", "event_ids", "remove_key"])
def test_nothing_of_a_look_up_scans_a_table(logs: SqliteLoopStores, name: str) -> None:
    logs.events.append([make_decision("e")])
    sql = read_statements("events")[name]
    parameters = (1,) * sql.count("?")
    plan = logs.events.connections[1].rows(f"EXPLAIN QUERY PLAN {sql}", parameters)
    steps = [step for *_, step in plan]
    assert any(step.startswith("SEARCH") for step in steps)
    assert [step for step in steps if step.startswith("SCAN") and step != "SCAN segments"] == []


def test_the_outcomes_of_an_event_are_looked_up_too(logs: SqliteLoopStores) -> None:
    sql = read_statements("outcomes")["outcomes_of"]
    plan = logs.outcomes._connection.rows(f"EXPLAIN QUERY PLAN {sql}", (1,))
    steps = [step for *_, step in plan]
    assert "SEARCH outcomes USING INDEX outcomes_by_event (<expr>=? AND event_key=?)" in steps
    assert [step for step in steps if step.startswith("SCAN") and step != "SCAN segments"] == []


def test_found_by_number_in_order_and_only_what_is_not_settled(logs: SqliteLoopStores) -> None:
    logs.events.append([make_decision(name) for name in ("a", "b", "a", "c", "a")])
    assert logs.unsettled.find_unsettled("a", settled=0) == [1, 3, 5]
    assert logs.unsettled.find_unsettled("a", settled=1) == [3, 5]
    assert logs.unsettled.find_unsettled("nosuch", settled=0) == []
    logs.events.append([make_decision("a")])
    assert logs.unsettled.find_unsettled("a", settled=3) == [5, 6], "what came since is found at once"


def test_what_was_settled_before_is_passed_over(logs: SqliteLoopStores) -> None:
    logs.events.append([make_decision(f"event-{number}") for number in range(1, 6)])
    logs.unsettled.find_unsettled("event-1", settled=4)
    assert keyed(logs) == [5]


def test_each_decision_comes_into_the_index_once(
    logs: SqliteLoopStores, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decision_keys, "_BATCH", 3)
    logs.events.append([make_decision(f"event-{number}") for number in range(1, 11)])
    writing, reading = logs.events.connections
    assert decision_keys.add_keys(writing, reading, settled=0, most=5) == 6
    assert keyed(logs) == [1, 2, 3, 4, 5, 6], "whole batches until it is enough"
    assert decision_keys.add_keys(writing, reading, settled=0, most=50) == 10
    assert keyed(logs) == list(range(1, 11))
    before = writing.data_version()
    assert decision_keys.add_keys(writing, reading, settled=0, most=50) == 10
    assert reading.rows("SELECT keyed FROM counted") == [(10,)]
    assert writing.data_version() == before, "nothing is written where nothing came"


def test_two_events_with_one_key_are_told_apart(
    logs: SqliteLoopStores, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decision_keys, "event_key", len)
    logs.events.append([make_decision(name) for name in ("aa", "bb", "aa")])
    assert logs.unsettled.find_unsettled("aa", settled=0) == [1, 3]


def test_segments_that_are_settled_whole_are_removed(
    logs: SqliteLoopStores, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decision_keys, "_SEGMENT_BITS", 2)
    logs.events.append([make_decision(f"event-{number}") for number in range(1, 10)])
    logs.unsettled.find_unsettled("event-9", settled=0)
    logs.events.append([make_decision("event-10")])
    assert logs.unsettled.find_unsettled("event-9", settled=8) == [9]
    assert keyed(logs) == [8, 9, 10]


def test_housekeeping_fills_it(stores: SqliteStores, logs: SqliteLoopStores) -> None:
    logs.events.append([make_decision(f"event-{number}") for number in range(1, 4)])
    stores.maintain(LOOP)
    assert keyed(logs) == [1, 2, 3]


def test_an_erased_decision_leaves_no_key(stores: SqliteStores, logs: SqliteLoopStores) -> None:
    logs.events.append([make_decision("a"), make_decision("b")])
    logs.unsettled.find_unsettled("a", settled=0)
    logs.outcomes.record(
        Settlement(outcomes=(make_outcome(1, "a"), make_outcome(2, "b")), unmatched=(), cursor=Cursor(2, 0))
    )
    assert stores.erase(LOOP, decisions=[1]) == []
    assert keyed(logs) == [2]


def test_a_process_that_has_an_old_index_open_sees_what_another_added(
    stores: SqliteStores, logs: SqliteLoopStores
) -> None:
    other = stores.open(LOOP)
    logs.events.append([make_decision("a")])
    assert other.unsettled.find_unsettled("a", settled=0) == [1]
    assert logs.unsettled.find_unsettled("a", settled=0) == [1]
    other.close()


def test_a_log_that_was_long_before_is_added_in_parts_and_searched_beyond(
    logs: SqliteLoopStores, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decision_keys, "_BATCH", 2)
    monkeypatch.setattr(decision_keys, "_MOST_ADDED", 2)
    logs.events.append([make_decision("a" if number % 3 == 0 else "b") for number in range(1, 11)])
    for added in (2, 4, 6, 8, 10, 10):
        assert logs.unsettled.find_unsettled("a", settled=0) == [3, 6, 9]
        assert keyed(logs) == list(range(1, added + 1))
