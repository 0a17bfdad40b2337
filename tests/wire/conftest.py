"""Services for the tests of the wire."""

from collections.abc import Iterator

import pytest

from sartor.learn.vw import create_engine
from sartor.settings import VW_ARGUMENTS
from tests.wire.harness import Service, served


@pytest.fixture
def service() -> Iterator[Service]:
    """A new service that has no model yet."""
    made = Service()
    yield made
    made.close()


@pytest.fixture
def endpoint(service: Service) -> Iterator[str]:
    """The service on a socket."""
    with served(service) as url:
        yield url


@pytest.fixture(scope="module")
def trained() -> Iterator[Service]:
    """A service with a model of the real engine, shared by the tests of a file."""
    made = Service(ranks_with=lambda: create_engine(VW_ARGUMENTS))
    yield made
    made.close()
