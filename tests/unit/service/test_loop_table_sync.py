"""The loop table of an api process follows the catalog and the registries; a broken loop holds up no other."""

import asyncio

import pytest

from sartor.access.served_loops import LoopTable
from sartor.errors import StoreUnavailable, Unauthorized
from sartor.management import loops
from sartor.ports import Loop, LoopStores
from sartor.records import NO_MODEL
from sartor.runtime import compose
from sartor.service.loop_table_sync import LoopTableSync
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
def loop_table() -> LoopTable:
    return LoopTable()


@pytest.fixture
def counter(stores: Stores, loop_table: LoopTable) -> LoopTableSync:
    return LoopTableSync(stores, compose.engine_factory(), loop_table, limit=10)


def found(loop_table: LoopTable, loop: Loop) -> bool:
    try:
        loop_table.find(loop.key1.encode())
    except Unauthorized:
        return False
    return True


def test_a_new_loop_has_a_desk_at_the_next_tick(
    stores: Stores, loop_table: LoopTable, counter: LoopTableSync
) -> None:
    counter.sync()
    loop = loops.create_loop(stores, "a")
    assert not found(loop_table, loop)
    counter.sync()
    assert found(loop_table, loop)


def test_a_desk_keeps_its_writer_when_settings_change(
    stores: Stores, loop_table: LoopTable, counter: LoopTableSync
) -> None:
    loop = loops.create_loop(stores, "a")
    counter.sync()
    before = loop_table.find(loop.key1.encode())
    loops.change_settings(stores, "a", {"defaultReward": "0.5"})
    counter.sync()
    after = loop_table.find(loop.key1.encode())
    assert after.loop.settings.default_reward == 0.5
    assert after.writer is before.writer
    assert after.live is before.live


def test_a_deleted_loop_has_no_desk_and_loses_nothing(
    stores: Stores, loop_table: LoopTable, counter: LoopTableSync
) -> None:
    loop = loops.create_loop(stores, "a")
    counter.sync()

    async def last_words() -> None:
        written = loop_table.find(loop.key1.encode()).writer.append(make_decision("last"))
        stores.catalog.delete("a")
        counter.sync()
        await written

    asyncio.run(last_words())
    assert not found(loop_table, loop)
    assert stores.open(loop).events.horizon().decisions == 1


def test_a_model_serves_at_the_next_tick(stores: Stores, loop_table: LoopTable, counter: LoopTableSync) -> None:
    loop = loops.create_loop(stores, "a")
    counter.sync()
    live = loop_table.find(loop.key1.encode()).live
    assert live.model_id == NO_MODEL
    engine = compose.engine_factory()(loop.arguments)
    stores.open(loop).models.publish(make_model("m1"), engine.dump(), live=True)
    engine.close()
    counter.sync()
    assert live.model_id == "m1"
    assert counter.troubles() == []


def test_a_loop_that_can_not_be_opened_keeps_nobody_else(
    stores: Stores, loop_table: LoopTable, counter: LoopTableSync
) -> None:
    stores.broken = {"b"}
    sound, broken, gone = (loops.create_loop(stores, name) for name in ("a", "b", "c"))
    counter.sync()
    stores.catalog.delete("c")
    counter.sync()
    assert not found(loop_table, broken)
    assert not found(loop_table, gone)
    assert found(loop_table, sound)
    assert counter.troubles() == ["The folder of b can't be opened."]
    stores.broken = set()
    counter.sync()
    assert found(loop_table, broken)
    assert counter.troubles() == []


def test_a_full_disk_is_a_trouble_while_it_lasts(stores: Stores, counter: LoopTableSync) -> None:
    loops.create_loop(stores, "a")
    counter.sync()
    stores.disk.failing = True
    counter.sync()
    assert "The disk is full, as a test asked." in counter.troubles()
    stores.disk.failing = False
    counter.sync()
    assert counter.troubles() == []


def test_a_model_that_can_not_be_loaded_is_a_trouble(
    stores: Stores, loop_table: LoopTable, counter: LoopTableSync
) -> None:
    stores.catalog.create(make_loop("a"))
    counter.sync()
    stores.open(make_loop("a")).models.publish(make_model("m1"), b"noise", live=True)
    counter.sync()
    (trouble,) = counter.troubles()
    assert trouble.startswith("Model m1 can't be loaded")


def test_a_closed_counter_serves_nobody(stores: Stores, loop_table: LoopTable, counter: LoopTableSync) -> None:
    loop = loops.create_loop(stores, "a")
    counter.sync()
    counter.close()
    assert not found(loop_table, loop)
