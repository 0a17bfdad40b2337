"""A data folder at ``tmp_path`` with the loop ``default``, opened with a clock that tests set."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sartor.ports import Loop
from sartor.stores.connection import SqliteConnection
from sartor.stores.stores import SqliteLoopStores, SqliteStores, open_stores
from sartor.testing.builders import make_loop
from sartor.testing.fakes import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def stores(tmp_path: Path, clock: Clock) -> Iterator[SqliteStores]:
    stores = open_stores(tmp_path, clock_us=clock)
    yield stores
    stores.close()


@pytest.fixture
def loop(stores: SqliteStores) -> Loop:
    created = make_loop()
    stores.catalog.create(created)
    return created


@pytest.fixture
def opened(stores: SqliteStores, loop: Loop) -> Iterator[SqliteLoopStores]:
    opened = stores.open(loop)
    yield opened
    opened.close()


@pytest.fixture
def events(tmp_path: Path, loop: Loop, opened: SqliteLoopStores) -> Iterator[SqliteConnection]:
    """Another connection to the event log of the loop."""
    opened.events.horizon()
    path = tmp_path / "loops" / loop.name / "events.sqlite"
    connection = SqliteConnection(path, "events", owner=loop.loop_id)
    yield connection
    connection.close()
