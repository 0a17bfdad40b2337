"""Of a thousand loops a change costs one, a start answers before all are open, and a tick looks at some."""

from collections import Counter
from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from sartor.access.served_loops import LoopTable, ServedLoop, UnservedLoop
from sartor.errors import StoreUnavailable, Unauthorized
from sartor.ports import Loop
from sartor.records import NO_MODEL, Usage
from sartor.runtime import compose
from sartor.service.loop_table_sync import LOOKS, LoopTableSync
from sartor.testing.builders import make_decision, make_loop, make_model
from sartor.testing.stores import MemoryLoopStores, MemoryStores

COUNT = 1_000
FACTORY = compose.engine_factory()


class CountedStores(MemoryStores):
    """Counts openings and readings of usage by the name of a loop, and lets each opening take some time."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: Counter[str] = Counter()
        self.usage_read: Counter[str] = Counter()
        self.now_s = 0.0
        self.opening_takes_s = 0.0

    def open(self, loop: Loop, /) -> MemoryLoopStores:
        self.opened[loop.name] += 1
        self.now_s += self.opening_takes_s
        return super().open(loop)

    def usage(self, loop: Loop, /, *, from_us: int, to_us: int) -> Sequence[Usage]:
        self.usage_read[loop.name] += 1
        return super().usage(loop, from_us=from_us, to_us=to_us)


class Table(LoopTable):
    """Counts the entries that are replaced or removed."""

    changes = 0

    def put(self, entry: ServedLoop | UnservedLoop, /) -> None:
        self.changes += 1
        super().put(entry)


@pytest.fixture
def stores() -> CountedStores:
    return CountedStores()


@pytest.fixture
def made(stores: CountedStores) -> list[Loop]:
    loops = [make_loop(f"loop-{number:04d}") for number in range(COUNT)]
    for loop in loops:
        stores.catalog.create(loop)
    return loops


@pytest.fixture
def table() -> Table:
    return Table()


@pytest.fixture
def sync(stores: CountedStores, table: Table) -> LoopTableSync:
    return LoopTableSync(stores, FACTORY, table, limit=10, monotonic_s=lambda: stores.now_s)


def test_a_change_reads_one_loop_and_replaces_one_entry(
    stores: CountedStores, made: list[Loop], table: Table, sync: LoopTableSync
) -> None:
    sync.sync()
    neighbour = table.find(made[4].key1.encode())
    stores.opened.clear()
    for number in range(10):
        stores.catalog.loops_read, table.changes = 0, 0
        stores.catalog.update(replace(made[5], key2=f"key {number}"))
        sync.sync()
        assert (stores.catalog.loops_read, table.changes) == (1, 1)
        assert table.find(f"key {number}".encode()).loop.name == made[5].name
    with pytest.raises(Unauthorized):
        table.find(b"key 8")
    assert stores.opened == {}
    assert table.find(made[4].key1.encode()) is neighbour


def test_a_deletion_removes_one_entry(
    stores: CountedStores, made: list[Loop], table: Table, sync: LoopTableSync
) -> None:
    sync.sync()
    stores.catalog.loops_read, table.changes = 0, 0
    stores.catalog.delete(made[5].name)
    sync.sync()
    assert (stores.catalog.loops_read, table.changes) == (0, 0)
    assert len(table.all()) == COUNT - 1


def test_loops_are_opened_step_by_step_and_the_one_that_is_asked_for_at_once(
    stores: CountedStores, made: list[Loop], table: Table, sync: LoopTableSync
) -> None:
    stores.opening_takes_s = 0.01
    sync.sync(opening_s=0.1)
    assert 10 <= len(table.all()) <= 12
    (problem,) = sync.list_problems()
    assert (problem.action, problem.loop_id, problem.fatal) == ("loops_not_opened", "", False)
    assert f"of {COUNT} loops are not open yet" in problem.message
    assert table.find(made[-1].key1.encode()).loop.name == made[-1].name
    assert stores.opened[made[-1].name] == 1
    for _ in range(110):
        sync.sync(opening_s=0.1)
    assert len(table.all()) == COUNT
    assert sync.list_problems() == []
    assert set(stores.opened.values()) == {1}


def test_the_live_model_serves_a_loop_that_is_opened_when_it_is_asked_for(
    stores: CountedStores, made: list[Loop], table: Table, sync: LoopTableSync
) -> None:
    engine = FACTORY(made[-1].arguments)
    stores.open(made[-1]).models.publish(make_model("m1"), engine.dump(), live=True)
    engine.close()
    stores.opening_takes_s = 1.0
    sync.sync(opening_s=0.1)
    assert table.find(made[0].key1.encode()).live.model_id == NO_MODEL
    assert table.find(made[-1].key1.encode()).live.model_id == "m1"
    sync.close()


def test_a_loop_that_was_deleted_before_it_was_opened_is_gone(
    stores: CountedStores, made: list[Loop], table: Table, sync: LoopTableSync
) -> None:
    stores.opening_takes_s = 1.0
    sync.sync(opening_s=0.1)
    stores.catalog.delete(made[-1].name)
    stores.catalog.update(replace(made[-2], key1="a new key"))
    sync.sync(opening_s=0.1)
    for key in (made[-1].key1, made[-2].key1):
        with pytest.raises(Unauthorized):
            table.look_up(key.encode())
    assert table.find(b"a new key").loop.key1 == "a new key"


def test_broken_loops_among_many_are_named_and_tried_again(
    stores: CountedStores, made: list[Loop], table: Table, sync: LoopTableSync
) -> None:
    stores.broken = {made[0].name, made[700].name}
    sync.sync()
    assert len(table.all()) == COUNT - 2
    assert {problem.loop for problem in sync.list_problems()} == stores.broken
    stores.opened.clear()
    stores.broken = set()
    stores.now_s += 1.0
    sync.sync()
    assert sync.list_problems() == []
    assert stores.opened == {made[0].name: 1, made[700].name: 1}


def test_each_tick_looks_at_some_loops_and_in_a_round_at_all(
    stores: CountedStores, made: list[Loop], table: Table, sync: LoopTableSync, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync.sync()
    looks: Counter[str] = Counter()
    for loop in made:
        models = stores.open(loop).models
        monkeypatch.setattr(models, "live", lambda name=loop.name: looks.update([name]))
    sync.sync()
    assert looks.total() == LOOKS
    for _ in range(COUNT // LOOKS):
        sync.sync()
    assert len(looks) == COUNT


def test_usage_is_read_again_only_where_something_was_committed(stores: CountedStores, table: Table) -> None:
    for name in ("a", "b", "c"):
        loop = make_loop(name)
        terms = replace(loop.terms, ranks_per_month=0 if name == "c" else 100)
        stores.catalog.create(replace(loop, terms=terms))
    sync = LoopTableSync(stores, FACTORY, table, limit=10)
    sync.sync()
    assert stores.usage_read == {"a": 1, "b": 1}
    limiters = [table.find(make_loop(name).key1.encode()).rate_limiter for name in ("a", "b")]
    stores.open(make_loop("a")).events.append([make_decision("e")])
    for limiter in limiters:
        assert limiter is not None
        limiter._due_s = 0.0
    sync.sync()
    assert stores.usage_read == {"a": 2, "b": 1}


def test_without_a_free_file_a_loop_is_unavailable_and_later_served(
    stores: CountedStores, table: Table, sync: LoopTableSync
) -> None:
    loop = make_loop("a")
    stores.catalog.create(loop)
    opened = stores.open(loop)
    failing = True

    def check() -> None:
        if failing:
            raise StoreUnavailable("a/events.sqlite can't be opened: Too many open files.")

    opened.check = check  # type: ignore[method-assign]
    sync.sync()
    (problem,) = sync.list_problems()
    assert "Too many open files" in problem.message
    failing = False
    stores.now_s += 1.0
    sync.sync()
    assert [one.name for one in table.all()] == ["a"]
