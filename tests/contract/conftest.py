"""Every store under the same tests; a new one is a line in ``STORES``."""

import resource
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from sartor.ports import Catalog, EventLog, JobQueue, Loop, LoopStores, ModelRegistry, OutcomeLog, Stores
from sartor.stores.stores import SqliteStores, open_stores
from sartor.testing.builders import make_loop
from sartor.testing.fakes import Clock
from sartor.testing.stores import MemoryStores

STORES = ("sqlite", "memory")

FullDisk = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=STORES)
def stores(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Stores]:
    made: SqliteStores | MemoryStores
    if request.param == "sqlite":
        made = open_stores(tmp_path / "data", clock_us=clock)
    else:
        made = MemoryStores(clock_us=clock)
    yield made
    made.close()


@pytest.fixture
def full_disk(stores: Stores) -> FullDisk:
    """Returns a context manager within which nothing can be written."""
    return (lambda: _failing(stores)) if isinstance(stores, MemoryStores) else _no_growth


@contextmanager
def _failing(stores: MemoryStores) -> Iterator[None]:
    stores.disk.failing = True
    yield
    stores.disk.failing = False


@contextmanager
def _no_growth() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def loop(stores: Stores) -> Loop:
    created = make_loop("articles")
    stores.catalog.create(created)
    return created


@pytest.fixture
def opened(stores: Stores, loop: Loop) -> Iterator[LoopStores]:
    loop_stores = stores.open(loop)
    yield loop_stores
    loop_stores.close()


@pytest.fixture
def events(opened: LoopStores) -> EventLog:
    return opened.events


@pytest.fixture
def outcomes(opened: LoopStores) -> OutcomeLog:
    return opened.outcomes


@pytest.fixture
def models(opened: LoopStores) -> ModelRegistry:
    return opened.models


@pytest.fixture
def jobs(opened: LoopStores) -> JobQueue:
    return opened.jobs


@pytest.fixture
def catalog(stores: Stores) -> Catalog:
    return stores.catalog
