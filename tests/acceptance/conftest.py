"""Real processes, a real store, real kills."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.service import Service


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A service that is not started yet."""
    service = Service(tmp_path / "data")
    yield service
    service.end()


@pytest.fixture
def running(service: Service) -> Service:
    """A service that is ready, for tests that end it."""
    return service.start()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that is ready, for the tests of a module that leave it running."""
    service = Service(tmp_path_factory.mktemp("shared") / "data")
    try:
        yield service.start()
    finally:
        service.end()
