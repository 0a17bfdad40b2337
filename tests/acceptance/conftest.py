"""Real processes, a real store, real kills; each test within its own minute."""

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
    """A service that is ready."""
    return service.start()
