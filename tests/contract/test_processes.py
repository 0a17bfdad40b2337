"""What the stores that processes share promise when several write, and when they are killed."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sartor.ports import EventLog, Loop
from sartor.records import DecisionHeader, Horizon
from sartor.stores.stores import SqliteStores, open_stores

SCRIPT = Path(__file__).with_name("appender.py")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def stores(folder: Path) -> Iterator[SqliteStores]:
    stores = open_stores(folder)
    yield stores
    stores.close()


@contextmanager
def appender(
    folder: Path, loop: Loop, who: str, *, batches: int, size: int
) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, str(SCRIPT), str(folder), loop.name, who, str(batches), str(size)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def acknowledged(process: "subprocess.Popen[str]") -> list[int]:
    assert process.stdout is not None
    lines = process.stdout.read().splitlines(keepends=True)
    return [int(line) for line in lines if line.endswith("\n")]


def all_heads(events: EventLog) -> list[DecisionHeader]:
    return list(events.heads(after=0, limit=1_000_000))


def assert_in_order(events: EventLog) -> None:
    heads = all_heads(events)
    observed = events.observations(after=0, limit=1_000_000)
    assert [head.seq for head in heads] == list(range(1, len(heads) + 1))
    assert [logged.seq for logged in observed] == list(range(1, len(heads) + 1))
    times = [head.at_us for head in heads]
    assert times == sorted(times)


def test_two_writers_lose_nothing_and_leave_no_gaps(folder: Path, loop: Loop, events: EventLog) -> None:
    with (
        appender(folder, loop, "a", batches=300, size=3) as first,
        appender(folder, loop, "b", batches=300, size=3) as second,
    ):
        assert acknowledged(first) == acknowledged(second) == list(range(300))
    assert_in_order(events)
    expected = {f"{who}-{n}-{p}" for who in "ab" for n in range(300) for p in range(3)}
    assert {head.event_id for head in all_heads(events)} == expected
    assert len(all_heads(events)) == len(expected)


def test_nothing_appears_behind_a_horizon_while_two_write(folder: Path, loop: Loop, events: EventLog) -> None:
    horizons: list[Horizon] = []
    with (
        appender(folder, loop, "a", batches=1_000_000, size=2) as first,
        appender(folder, loop, "b", batches=1_000_000, size=2) as second,
    ):
        for process in (first, second):
            assert process.stdout is not None
            assert process.stdout.readline()  # it has begun
        while len({horizon.decisions for horizon in horizons}) < 30:
            horizons.append(events.horizon())
    assert {head.event_id[0] for head in all_heads(events)} == {"a", "b"}
    decided = [head.at_us for head in all_heads(events)]
    observed = [logged.at_us for logged in events.observations(after=0, limit=1_000_000)]
    for horizon in {horizon.decisions: horizon for horizon in horizons}.values():
        assert_splits(decided, horizon.decisions, now_us=horizon.now_us)
        assert_splits(observed, horizon.observations, now_us=horizon.now_us)


def assert_splits(times: list[int], count: int, *, now_us: int) -> None:
    assert all(at_us <= now_us for at_us in times[:count])
    assert all(at_us >= now_us for at_us in times[count:])


@pytest.mark.parametrize("tidying", [False, True], ids=["alone", "while another tidies up"])
def test_a_killed_writer_loses_no_acknowledged_batch(
    folder: Path, stores: SqliteStores, loop: Loop, events: EventLog, tidying: bool
) -> None:
    for run in range(3):
        with appender(folder, loop, f"run{run}", batches=1_000_000, size=5) as process:
            assert process.stdout is not None
            while int(process.stdout.readline()) < 40 + 17 * run:
                if tidying:
                    stores.maintain(loop)
            process.kill()
            last = max(acknowledged(process), default=40 + 17 * run)
        kept = {head.event_id for head in all_heads(events)}
        lost = [n for n in range(last + 1) for p in range(5) if f"run{run}-{n}-{p}" not in kept]
        assert lost == []
        assert len(kept) == len(all_heads(events))
        assert_in_order(events)
        assert len(all_heads(events)) % 5 == 0
