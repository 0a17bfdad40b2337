import logging

import pytest

from sartor.deploy.live_model import LiveModel
from sartor.errors import Corrupt, StoreUnavailable
from sartor.records import NO_MODEL
from sartor.testing.builders import make_loop, make_model
from sartor.testing.fakes import SingleSlot
from sartor.testing.stores import MemoryStores

BROKEN = b"broken"


class StubEngine(SingleSlot):
    """An engine that is its bytes, and remembers whether it was closed."""

    def __init__(self, arguments: str, blob: bytes | None) -> None:
        self.arguments = arguments
        self.blob = blob
        self.closed = False

    def probabilities(self, context: bytes, actions: int, /) -> list[float]:
        return [1 / actions] * actions

    def learn(self, line: bytes, /) -> None:
        """Learn nothing."""

    def dump(self) -> bytes:
        return self.blob or b""

    def close(self) -> None:
        self.closed = True


class Factory:
    """Makes stub engines, refuses ``BROKEN`` bytes, and counts its calls."""

    def __init__(self) -> None:
        self.made: list[StubEngine] = []
        self.calls = 0

    def __call__(self, arguments: str, blob: bytes | None = None, /) -> StubEngine:
        self.calls += 1
        if blob == BROKEN:
            raise Corrupt("The bytes are not a model.")
        self.made.append(StubEngine(arguments, blob))
        return self.made[-1]


class Serving:
    """A loop's models and a process that serves them."""

    def __init__(self) -> None:
        self.stores = MemoryStores()
        self.models = self.stores.open(make_loop()).models
        self.factory = Factory()
        self.live = LiveModel(self.models, self.factory)

    def publish(self, model_id: str, blob: bytes = b"good", /, *, live: bool = True) -> None:
        self.models.publish(make_model(model_id), blob, live=live)


@pytest.fixture
def serving() -> Serving:
    return Serving()


def test_before_the_first_model_there_is_no_engine(serving: Serving) -> None:
    assert serving.live.refresh() is False
    assert serving.live.engine is None
    assert serving.live.model_id == NO_MODEL
    assert serving.live.arguments is None
    assert serving.live.problem is None


def test_a_published_model_serves_after_the_next_refresh(serving: Serving) -> None:
    serving.publish("m1", b"one")
    assert serving.live.model_id == NO_MODEL
    assert serving.live.refresh() is True
    assert serving.live.engine is serving.factory.made[0]
    assert serving.factory.made[0].blob == b"one"
    assert serving.live.model_id == "m1"
    assert serving.live.arguments == make_model().arguments


def test_the_same_model_is_loaded_once(serving: Serving) -> None:
    serving.publish("m1")
    serving.live.refresh()
    assert serving.live.refresh() is False
    assert serving.factory.calls == 1


def test_a_newer_model_takes_over_and_the_old_engine_is_closed(serving: Serving) -> None:
    serving.publish("m1")
    serving.live.refresh()
    serving.publish("m2")
    serving.live.refresh()
    old, new = serving.factory.made
    assert (old.closed, new.closed) == (True, False)
    assert serving.live.engine is new
    assert serving.live.model_id == "m2"


def test_a_model_that_is_not_live_does_not_serve(serving: Serving) -> None:
    serving.publish("m1", live=False)
    assert serving.live.refresh() is False
    assert serving.live.engine is None


def test_a_rollback_serves_the_older_model_again(serving: Serving) -> None:
    serving.publish("m1", b"one")
    serving.publish("m2", b"two")
    serving.live.refresh()
    serving.models.promote("m1")
    assert serving.live.refresh() is True
    assert serving.live.model_id == "m1"
    assert serving.factory.made[-1].blob == b"one"


def test_a_rollback_to_no_model_serves_none(serving: Serving) -> None:
    serving.publish("m1")
    serving.live.refresh()
    serving.models.promote(None)
    assert serving.live.refresh() is True
    assert serving.live.engine is None
    assert serving.live.model_id == NO_MODEL
    assert serving.factory.made[0].closed


def test_a_broken_model_is_told_and_not_tried_again_and_the_old_one_serves_on(
    serving: Serving, caplog: pytest.LogCaptureFixture
) -> None:
    serving.publish("m1")
    serving.live.refresh()
    serving.publish("m2", BROKEN)
    with caplog.at_level(logging.ERROR):
        refreshed = [serving.live.refresh() for _ in range(5)]
    assert refreshed == [False] * 5
    assert serving.factory.calls == 2
    assert serving.live.model_id == "m1"
    assert not serving.factory.made[0].closed
    assert serving.live.problem == "Model m2 can't be loaded: The bytes are not a model."
    assert len(caplog.records) == 1


def test_a_model_without_bytes_is_a_problem(serving: Serving) -> None:
    serving.publish("m1")
    del serving.models._blobs["m1"]
    assert serving.live.refresh() is False
    assert serving.live.problem is not None
    assert serving.live.engine is None


def test_the_next_good_model_ends_the_problem(serving: Serving) -> None:
    serving.publish("m1", BROKEN)
    serving.live.refresh()
    serving.publish("m2")
    assert serving.live.refresh() is True
    assert serving.live.problem is None
    assert serving.live.model_id == "m2"


def test_going_back_to_the_model_that_serves_ends_the_problem(serving: Serving) -> None:
    serving.publish("m1")
    serving.live.refresh()
    serving.publish("m2", BROKEN)
    serving.live.refresh()
    serving.models.promote("m1")
    assert serving.live.refresh() is False
    assert serving.live.problem is None
    assert serving.factory.calls == 2


def test_a_store_that_fails_leaves_everything_as_it_was(serving: Serving) -> None:
    serving.publish("m1")
    serving.live.refresh()
    serving.publish("m2")
    serving.stores.disk.failing = True
    with pytest.raises(StoreUnavailable):
        serving.live.refresh()
    assert serving.live.model_id == "m1"
    serving.stores.disk.failing = False
    assert serving.live.refresh() is True
    assert serving.live.model_id == "m2"


def test_closing_frees_the_engine_and_twice_is_fine(serving: Serving) -> None:
    serving.publish("m1")
    serving.live.refresh()
    serving.live.close()
    serving.live.close()
    assert serving.factory.made[0].closed
    assert serving.live.engine is None
    assert serving.live.model_id == NO_MODEL
