"""The instance that the official clients call, and the record of what they were answered."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from sartor.ports import Loop
from tests.wire.clients import preview
from tests.wire.clients.instance import SEVERAL_SLOTS, Instance
from tests.wire.clients.record import Record


@pytest.fixture(scope="session")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """A running Sartor, shared by all clients."""
    made = Instance(tmp_path_factory.mktemp("clients") / "data")
    yield made
    made.close()


@pytest.fixture(scope="module")
def loop(instance: Instance) -> Loop:
    """A loop without a model."""
    return instance.loop()


@pytest.fixture
def blank(instance: Instance) -> Loop:
    """A loop without a model, which a test may change."""
    return instance.loop()


@pytest.fixture(scope="module")
def slots(instance: Instance) -> Loop:
    """A loop of several slots."""
    return instance.loop(arguments=SEVERAL_SLOTS)


@pytest.fixture(scope="module")
def taught(instance: Instance) -> Loop:
    """A loop with a log that is long enough to say something, and a model; it keeps both."""
    return instance.taught(200)


@pytest.fixture
def spare(instance: Instance) -> Loop:
    """A loop with a log and a model, which a test may spoil."""
    return instance.spare()


@pytest.fixture
def record(request: pytest.FixtureRequest) -> Iterator[Record]:
    """What the client ``CLIENT`` of the module is answered, which must be as the page of clients says."""
    made = Record(request.module.CLIENT)
    yield made
    made.check(request.node.originalname)


@pytest.fixture
def fresh() -> str:
    """An id that nobody used before, of characters that need care."""
    return f"a/b é 🧵 {uuid4().hex}"


@pytest.fixture(scope="module", params=list(preview.KINDS))
def kind(request: pytest.FixtureRequest) -> str:
    """The kind of the Python client: synchronous or not."""
    return str(request.param)


@pytest.fixture
def connect(instance: Instance, kind: str, record: Record) -> Iterator[preview.Connect]:
    """Makes a Python client for a loop."""
    made: list[preview.Caller] = []

    def connected(loop: Loop) -> preview.Caller:
        made.append(preview.KINDS[kind](instance.endpoint, loop.key1, record))
        return made[-1]

    yield connected
    for caller in made:
        caller.close()
