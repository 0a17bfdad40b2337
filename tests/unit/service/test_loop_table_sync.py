"""The desks of an api process follow the catalog and the registries; what is broken keeps nobody else."""

import asyncio

import pytest

from sartor.access.served_loops import Desks
from sartor.errors import StoreUnavailable, Unauthorized
from sartor.management import loops
from sartor.ports import Loop, LoopStores
from sartor.records import NO_MODEL
from sartor.runtime import compose
from sartor.service.loop_table_sync import Counter
from sartor.testing.builders import make_decision, make_loop, make_model
from sartor.testing.stores import MemoryStores


class Stores(MemoryStores):
    """Can't open the loops that are listed in ``broken``."""

    def __init__(self) -> None:
        super().__init__()
        self.broken: set[str] = set()

    def open(self, loop: Loop, /) -> LoopStores:  # type: ignore[override]
        if loop.name in self.broken:
            raise StoreUnavailable(f"The folder of {loop.name} can't be opened.")
        return super().open(loop)


@pytest.fixture
def stores() -> Stores:
    return Stores()


@pytest.fixture
def desks() -> Desks:
    return Desks()


@pytest.fixture
def counter(stores: Stores, desks: Desks) -> Counter:
    return Counter(stores, compose.engine_factory(), desks, limit=10)


def found(desks: Desks, loop: Loop) -> bool:
    try:
        desks.find(loop.key1.encode())
    except Unauthorized:
        return False
    return True


def test_a_new_loop_has_a_desk_at_the_next_tick(stores: Stores, desks: Desks, counter: Counter) -> None:
    counter.tick()
    loop = loops.create(stores, "a")
    assert not found(desks, loop)
    counter.tick()
    assert found(desks, loop)


def test_a_desk_keeps_its_writer_when_settings_change(stores: Stores, desks: Desks, counter: Counter) -> None:
    loop = loops.create(stores, "a")
    counter.tick()
    before = desks.find(loop.key1.encode())
    loops.change(stores, "a", {"defaultReward": "0.5"})
    counter.tick()
    after = desks.find(loop.key1.encode())
    assert after.loop.settings.default_reward == 0.5
    assert after.writer is before.writer
    assert after.live is before.live


def test_a_deleted_loop_has_no_desk_and_loses_nothing(stores: Stores, desks: Desks, counter: Counter) -> None:
    loop = loops.create(stores, "a")
    counter.tick()

    async def last_words() -> None:
        written = desks.find(loop.key1.encode()).writer.append(make_decision("last"))
        stores.catalog.delete("a")
        counter.tick()
        await written

    asyncio.run(last_words())
    assert not found(desks, loop)
    assert stores.open(loop).events.horizon().decisions == 1


def test_a_model_serves_at_the_next_tick(stores: Stores, desks: Desks, counter: Counter) -> None:
    loop = loops.create(stores, "a")
    counter.tick()
    live = desks.find(loop.key1.encode()).live
    assert live.model_id == NO_MODEL
    engine = compose.engine_factory()(loop.arguments)
    stores.open(loop).models.publish(make_model("m1"), engine.dump(), live=True)
    engine.close()
    counter.tick()
    assert live.model_id == "m1"
    assert counter.troubles() == []


def test_a_loop_that_can_not_be_opened_keeps_nobody_else(
    stores: Stores, desks: Desks, counter: Counter
) -> None:
    stores.broken = {"b"}
    sound, broken, gone = (loops.create(stores, name) for name in ("a", "b", "c"))
    counter.tick()
    stores.catalog.delete("c")
    counter.tick()
    assert not found(desks, broken)
    assert not found(desks, gone)
    assert found(desks, sound)
    assert counter.troubles() == ["The folder of b can't be opened."]
    stores.broken = set()
    counter.tick()
    assert found(desks, broken)
    assert counter.troubles() == []


def test_a_full_disk_is_a_trouble_while_it_lasts(stores: Stores, counter: Counter) -> None:
    loops.create(stores, "a")
    counter.tick()
    stores.disk.failing = True
    counter.tick()
    assert "The disk is full, as a test asked." in counter.troubles()
    stores.disk.failing = False
    counter.tick()
    assert counter.troubles() == []


def test_a_model_that_can_not_be_loaded_is_a_trouble(stores: Stores, desks: Desks, counter: Counter) -> None:
    stores.catalog.create(make_loop("a"))
    counter.tick()
    stores.open(make_loop("a")).models.publish(make_model("m1"), b"noise", live=True)
    counter.tick()
    (trouble,) = counter.troubles()
    assert trouble.startswith("Model m1 can't be loaded")


def test_a_closed_counter_serves_nobody(stores: Stores, desks: Desks, counter: Counter) -> None:
    loop = loops.create(stores, "a")
    counter.tick()
    counter.close()
    assert not found(desks, loop)
