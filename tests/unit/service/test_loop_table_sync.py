"""The loop table of an api process follows the catalog and the registries; a broken loop holds up no other."""

import asyncio
from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from sartor.access.served_loops import LoopTable
from sartor.errors import LoopDeleted, LoopUnavailable, StoreUnavailable, Unauthorized
from sartor.management import loops
from sartor.ports import Engine, Loop
from sartor.records import NO_MODEL, Usage
from sartor.runtime import compose
from sartor.service.loop_table_sync import LoopTableSync
from sartor.settings import VW_ARGUMENTS
from sartor.testing.builders import make_decision, make_loop, make_model
from sartor.testing.stores import MemoryLoopStores, MemoryStores


@pytest.fixture
def stores() -> MemoryStores:
    return MemoryStores()


@pytest.fixture
def loop_table() -> LoopTable:
    return LoopTable()


class Seconds:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Seconds:
    return Seconds()


@pytest.fixture
def loop_table_sync(stores: MemoryStores, loop_table: LoopTable, clock: Seconds) -> LoopTableSync:
    return LoopTableSync(stores, compose.engine_factory(), loop_table, limit=10, monotonic_s=clock)


def is_served(loop_table: LoopTable, loop: Loop) -> bool:
    try:
        loop_table.find(loop.key1.encode())
    except (LoopUnavailable, Unauthorized):
        return False
    return True


def test_a_new_loop_is_served_from_the_next_tick_on(
    stores: MemoryStores, loop_table: LoopTable, loop_table_sync: LoopTableSync
) -> None:
    loop_table_sync.sync()
    loop = loops.create_loop(stores, "a")
    assert not is_served(loop_table, loop)
    loop_table_sync.sync()
    assert is_served(loop_table, loop)


def test_a_key_that_was_made_since_the_last_tick_is_looked_for_in_the_catalog(
    stores: MemoryStores, loop_table: LoopTable, loop_table_sync: LoopTableSync
) -> None:
    """A caller whose request made it may use it at once, and burns no attempt."""
    loop_table_sync.sync()
    loop_table.catch_up = loop_table_sync.catch_up
    loop = loops.create_loop(stores, "a")
    assert is_served(loop_table, loop)
    renewed = loops.rotate_key(stores, "a", second=False)
    assert is_served(loop_table, renewed)
    assert not is_served(loop_table, loop)
    loops.create_loop(stores, "b")
    named = loop_table.find_by_name("b")
    assert named is not None
    assert named.name == "b"
    assert loop_table.find_by_name("c") is None


def test_wrong_keys_read_no_catalog_that_did_not_change_or_can_not_be_read(
    stores: MemoryStores,
    loop_table: LoopTable,
    loop_table_sync: LoopTableSync,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loops.create_loop(stores, "a")
    loop_table_sync.sync()
    loop_table.catch_up = loop_table_sync.catch_up
    asked = []

    def fail() -> int:
        asked.append(1)
        raise StoreUnavailable("The disk is away.")

    monkeypatch.setattr(stores.catalog, "changes", lambda **_: pytest.fail("it did not change"))
    for _ in range(3):
        with pytest.raises(Unauthorized):
            loop_table.find(b"wrong")
    monkeypatch.setattr(stores.catalog, "version", fail)
    for _ in range(3):
        with pytest.raises(Unauthorized):
            loop_table.find(b"wrong")
    assert len(asked) == 1


def test_a_served_loop_keeps_its_writer_when_settings_change(
    stores: MemoryStores, loop_table: LoopTable, loop_table_sync: LoopTableSync
) -> None:
    loop = loops.create_loop(stores, "a")
    loop_table_sync.sync()
    before = loop_table.find(loop.key1.encode())
    loops.change_settings(stores, "a", {"defaultReward": "0.5"})
    loop_table_sync.sync()
    after = loop_table.find(loop.key1.encode())
    assert after.loop.settings.default_reward == 0.5
    assert after.writer is before.writer
    assert after.live is before.live


def test_a_deleted_loop_is_not_served_and_loses_nothing(
    stores: MemoryStores, loop_table: LoopTable, loop_table_sync: LoopTableSync
) -> None:
    loop = loops.create_loop(stores, "a")
    loop_table_sync.sync()

    async def write_while_deleted() -> None:
        written = loop_table.find(loop.key1.encode()).writer.append(make_decision("last"))
        stores.catalog.delete("a")
        loop_table_sync.sync()
        await written

    asyncio.run(write_while_deleted())
    assert not is_served(loop_table, loop)
    assert stores.open(loop).events.horizon().decisions == 1


def test_a_model_serves_at_the_next_tick(
    stores: MemoryStores, loop_table: LoopTable, loop_table_sync: LoopTableSync
) -> None:
    loop = loops.create_loop(stores, "a")
    loop_table_sync.sync()
    live = loop_table.find(loop.key1.encode()).live
    assert live.model_id == NO_MODEL
    engine = compose.engine_factory()(VW_ARGUMENTS)
    stores.open(loop).models.publish(make_model("m1"), engine.dump(), live=True)
    engine.close()
    loop_table_sync.sync()
    assert live.model_id == "m1"
    assert loop_table_sync.list_problems() == []


def create_loops(stores: MemoryStores, *names: str) -> list[Loop]:
    """Creates loops whose ids sort as their names do."""
    for name in names:
        stores.catalog.create(make_loop(name))
    return [loops.find_loop(stores, name) for name in names]


@pytest.mark.parametrize("broken_name", ["a", "b", "c"])
def test_a_loop_that_can_not_be_opened_keeps_no_other_from_being_served(
    stores: MemoryStores, loop_table: LoopTable, loop_table_sync: LoopTableSync, broken_name: str
) -> None:
    stores.broken = {broken_name}
    created = create_loops(stores, "a", "b", "c")
    loop_table_sync.sync()
    assert [is_served(loop_table, loop) for loop in created] == [loop.name != broken_name for loop in created]
    (problem,) = loop_table_sync.list_problems()
    assert (problem.loop, problem.fatal) == (broken_name, True)
    assert problem.message == f"The loop is not served: The folder of {broken_name} can't be opened."


@pytest.mark.parametrize("broken_name", ["a", "c"])
def test_beside_a_loop_that_can_not_be_opened_a_rotated_key_stops_working(
    stores: MemoryStores, loop_table: LoopTable, loop_table_sync: LoopTableSync, broken_name: str
) -> None:
    (sound,) = create_loops(stores, "b")
    loop_table_sync.sync()
    stores.broken = {broken_name}
    create_loops(stores, broken_name)
    loop_table_sync.sync()
    rotated = loops.rotate_key(stores, "b", second=False)
    loop_table_sync.sync()
    assert not is_served(loop_table, sound)
    assert is_served(loop_table, rotated)


@pytest.mark.parametrize("broken_name", ["a", "c"])
def test_beside_a_loop_that_can_not_be_opened_a_deleted_one_is_closed(
    stores: MemoryStores, loop_table: LoopTable, loop_table_sync: LoopTableSync, broken_name: str
) -> None:
    stores.broken = {broken_name}
    created = {loop.name: loop for loop in create_loops(stores, "a", "b", "c", "d")}
    loop_table_sync.sync()
    stores.catalog.delete("b")
    loop_table_sync.sync()
    assert {name for name, loop in created.items() if is_served(loop_table, loop)} == {"a", "c", "d"} - {
        broken_name
    }


def test_a_loop_that_is_well_again_is_served_after_a_pause(
    stores: MemoryStores, loop_table: LoopTable, loop_table_sync: LoopTableSync, clock: Seconds
) -> None:
    stores.broken = {"a"}
    broken, _ = create_loops(stores, "a", "b")
    loop_table_sync.sync()
    stores.broken = set()
    loop_table_sync.sync()
    assert not is_served(loop_table, broken)
    clock.now_s += 1.0
    loop_table_sync.sync()
    assert is_served(loop_table, broken)
    assert loop_table_sync.list_problems() == []


def test_a_loop_whose_change_can_not_be_followed_is_not_served_as_it_was(
    stores: MemoryStores, loop_table: LoopTable, loop_table_sync: LoopTableSync
) -> None:
    first, second = create_loops(stores, "a", "b")
    loop_table_sync.sync()
    terms = replace(first.terms, allowed_networks=("no network",))
    stores.catalog.update(replace(first, key1="new key of a", terms=terms))
    rotated = loops.rotate_key(stores, "b", second=False)
    loop_table_sync.sync()
    assert [is_served(loop_table, loop) for loop in (first, second, rotated)] == [False, False, True]
    (problem,) = loop_table_sync.list_problems()
    assert problem.message.startswith("The loop is not served: ")


def test_an_unforeseen_error_with_one_model_keeps_no_other_from_serving(
    stores: MemoryStores, loop_table: LoopTable
) -> None:
    engines = compose.engine_factory()

    def factory(arguments: str, blob: bytes | None = None, /) -> Engine:
        if blob == b"unforeseen":
            raise ZeroDivisionError("a bug")
        return engines(arguments, blob)

    loop_table_sync = LoopTableSync(stores, factory, loop_table, limit=10)
    broken, sound = create_loops(stores, "a", "b")
    loop_table_sync.sync()
    engine = engines(sound.arguments)
    stores.open(broken).models.publish(make_model("m1"), b"unforeseen", live=True)
    stores.open(sound).models.publish(make_model("m2"), engine.dump(), live=True)
    engine.close()
    loop_table_sync.sync()
    assert loop_table.find(sound.key1.encode()).live.model_id == "m2"
    (problem,) = loop_table_sync.list_problems()
    assert problem.loop == "a"
    assert problem.message == "The loop does not follow its models: ZeroDivisionError: a bug"
    loop_table_sync.close()


def test_a_model_that_can_not_be_loaded_is_a_problem(
    stores: MemoryStores, loop_table: LoopTable, loop_table_sync: LoopTableSync
) -> None:
    stores.catalog.create(make_loop("a"))
    loop_table_sync.sync()
    stores.open(make_loop("a")).models.publish(make_model("m1"), b"noise", live=True)
    loop_table_sync.sync()
    (problem,) = loop_table_sync.list_problems()
    assert problem.message.startswith("Model m1 can't be loaded")


def test_after_closing_no_loop_is_served(
    stores: MemoryStores, loop_table: LoopTable, loop_table_sync: LoopTableSync
) -> None:
    loop = loops.create_loop(stores, "a")
    loop_table_sync.sync()
    loop_table_sync.close()
    assert not is_served(loop_table, loop)


def test_usage_that_can_not_be_read_is_logged_once_until_it_can(
    loop_table: LoopTable, caplog: pytest.LogCaptureFixture
) -> None:
    class UnreadableUsage(MemoryStores):
        is_broken = True

        def usage(self, loop: Loop, /, *, from_us: int, to_us: int) -> Sequence[Usage]:
            if self.is_broken:
                raise ZeroDivisionError("a bug")
            return super().usage(loop, from_us=from_us, to_us=to_us)

    stores = UnreadableUsage()
    loop = make_loop("a")
    stores.catalog.create(replace(loop, terms=replace(loop.terms, ranks_per_month=100)))
    loop_table_sync = LoopTableSync(stores, compose.engine_factory(), loop_table, limit=10)
    for _ in range(3):
        loop_table_sync.sync()
    assert [record.getMessage() for record in caplog.records] == ["Loop 'a': ZeroDivisionError: a bug"]
    assert is_served(loop_table, loop)


def test_a_loop_that_can_not_be_closed_keeps_no_other_from_it(
    stores: MemoryStores,
    loop_table: LoopTable,
    loop_table_sync: LoopTableSync,
    caplog: pytest.LogCaptureFixture,
) -> None:
    broken, sound = create_loops(stores, "a", "b")
    loop_table_sync.sync()

    async def close_with_events_waiting() -> None:
        for loop in (broken, sound):
            loop_table.find(loop.key1.encode()).writer.append(make_decision("last"))
        stores.open(broken).events.append = refuse  # type: ignore[method-assign]
        loop_table_sync.close()

    def refuse(_: object) -> None:
        raise ZeroDivisionError("a bug")

    asyncio.run(close_with_events_waiting())
    assert stores.open(sound).events.horizon().decisions == 1
    assert "Events of a loop could not be committed: a bug" in caplog.text


@pytest.mark.parametrize("opening_s", [60.0, -1.0])
def test_a_loop_that_is_deleted_while_it_is_opened_is_no_failure(
    caplog: pytest.LogCaptureFixture, opening_s: float
) -> None:
    class Deleting(MemoryStores):
        def open(self, loop: Loop, /) -> MemoryLoopStores:
            if loop.name == "a":
                self.catalog.delete("a")
                raise StoreUnavailable("a/latest-time can't be written: No such file or directory.")
            return super().open(loop)

    stores, loop_table = Deleting(), LoopTable()
    deleted, waiting, sound = create_loops(stores, "a", "b", "c")
    loop_table_sync = LoopTableSync(stores, compose.engine_factory(), loop_table, limit=100)
    loop_table_sync.sync(opening_s=opening_s)
    assert [is_served(loop_table, loop) for loop in (deleted, waiting, sound)] == [False, True, True]
    with pytest.raises(Unauthorized):
        loop_table.find(deleted.key1.encode())
    loop_table_sync.sync()
    assert loop_table_sync.list_problems() == []
    assert [record for record in caplog.records if record.name.startswith("sartor")] == []


def test_a_loop_that_is_deleted_when_its_first_request_comes_is_none() -> None:
    class Deleting(MemoryStores):
        def open(self, loop: Loop, /) -> MemoryLoopStores:
            if loop.name == "b":
                self.catalog.delete("b")
                raise LoopDeleted
            return super().open(loop)

    stores, loop_table = Deleting(), LoopTable()
    first, deleted = create_loops(stores, "a", "b")
    loop_table_sync = LoopTableSync(stores, compose.engine_factory(), loop_table, limit=100)
    loop_table_sync.sync(opening_s=-1.0)
    with pytest.raises(Unauthorized):
        loop_table.find(deleted.key1.encode())
    assert loop_table.find_by_name("b") is None
    assert is_served(loop_table, first)
