"""A loop in one file: whole, while it is used; put back here or elsewhere; nothing else is taken for one."""

import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sartor.errors import InvalidSetting, LoopExists, LoopNotFound, StoreUnavailable
from sartor.management import backups, lifecycle, loops
from sartor.ports import EngineFactory, Loop, LoopStores
from sartor.runtime import compose
from sartor.stores.audited import AuditedStores, audited
from sartor.testing.builders import make_loop
from sartor.testing.stores import MemoryStores
from sartor.verification.doctor import check_loop
from tests.unit import instance


@pytest.fixture
def factory() -> EngineFactory:
    return compose.engine_factory()


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[AuditedStores]:
    with compose.open_instance(str(instance.create_trained_folder(tmp_path / "data"))) as made:
        yield made


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "default.backup"


def contents(logs: LoopStores) -> tuple[object, ...]:
    """Everything that matters of a loop."""
    models = logs.models
    return (
        list(logs.events.decisions(after=0, limit=999)),
        list(logs.events.observations(after=0, limit=999)),
        list(logs.outcomes.outcomes(after=0, limit=999)),
        logs.outcomes.counts(),
        list(models.history()),
        models.live(),
        [models.blob(note.model_id) for note in logs.notes.all()],
        {name: logs.blobs.get(name) for name in logs.blobs.names()},
    )


def seen(stores: AuditedStores, loop: Loop) -> tuple[object, ...]:
    with loops.open_loop(stores, loop) as logs:
        return contents(logs)


def test_everything_comes_back(stores: AuditedStores, file: Path, factory: EngineFactory) -> None:
    before = loops.find_loop(stores, "default")
    with loops.open_loop(stores, before) as logs:
        logs.blobs.put("kept", b"content")
    was = seen(stores, before)
    backups.back_up_loop(stores, "default", file)
    lifecycle.delete(stores, "default")
    lifecycle.purge(stores, "default")
    stores.purge()
    back = backups.restore_loop(stores, file)
    assert (back.loop_id, back.key1, back.key2) == (before.loop_id, before.key1, before.key2)
    assert loops.find_loop(stores, "default") == back
    assert seen(stores, back) == was
    with loops.open_loop(stores, back) as logs:
        assert check_loop(back, logs, factory, replay=True).problems == ()
        instance.play(back, logs, factory, first=100, count=3)
        instance.learn(back, logs, factory, ahead_s=600)
    assert [line.entry.action for line in stores.audit.last(9)][:1] == ["restore"]


def test_elsewhere_it_has_new_keys_and_the_same_draws(
    stores: AuditedStores, file: Path, tmp_path: Path
) -> None:
    before = loops.find_loop(stores, "default")
    backups.back_up_loop(stores, "default", file)
    with compose.open_instance(str(tmp_path / "elsewhere"), must_exist=False) as other:
        back = backups.restore_loop(other, file, rename="moved", from_another_instance=True)
        assert (back.name, back.loop_id) == ("moved", before.loop_id)
        assert {back.key1, back.key2}.isdisjoint({before.key1, before.key2})
        assert seen(other, back) == seen(stores, before)


def test_no_key_is_in_the_file(stores: AuditedStores, file: Path) -> None:
    loop = loops.find_loop(stores, "default")
    backups.back_up_loop(stores, "default", file)
    with tarfile.open(file) as tar:
        said = b"".join(found.read() for member in tar if (found := tar.extractfile(member)) is not None)
    assert loop.key1.encode() not in said
    assert loop.key2.encode() not in said


def test_what_is_there_is_not_overwritten(stores: AuditedStores, file: Path) -> None:
    backups.back_up_loop(stores, "default", file)
    with pytest.raises(LoopExists):
        backups.restore_loop(stores, file)
    with pytest.raises(LoopExists, match="the same loop"):
        backups.restore_loop(stores, file, rename="other")
    lifecycle.delete(stores, "default")
    with pytest.raises(LoopExists):
        backups.restore_loop(stores, file)
    lifecycle.recover(stores, "default")
    assert [loop.name for loop in stores.catalog.loops()] == ["default"]


def test_taken_while_it_is_used(
    stores: AuditedStores, file: Path, factory: EngineFactory, tmp_path: Path
) -> None:
    loop = loops.find_loop(stores, "default")
    stop = threading.Event()

    def use() -> None:
        with compose.open_instance(str(tmp_path / "data")) as mine, loops.open_loop(mine, loop) as logs:
            first = 1_000
            while not stop.is_set():
                instance.play(loop, logs, factory, first=first, count=5)
                instance.learn(loop, logs, factory, ahead_s=first)
                first += 5

    busy = threading.Thread(target=use)
    busy.start()
    try:
        for number in range(3):
            backups.back_up_loop(stores, "default", tmp_path / f"{number}.backup")
    finally:
        stop.set()
        busy.join()
    for number in range(3):
        with compose.open_instance(str(tmp_path / f"elsewhere-{number}"), must_exist=False) as other:
            back = backups.restore_loop(other, tmp_path / f"{number}.backup", from_another_instance=True)
            with loops.open_loop(other, back) as logs:
                assert check_loop(back, logs, factory, replay=True).problems == ()


def test_a_loop_or_a_place_that_is_not_there(stores: AuditedStores, file: Path, tmp_path: Path) -> None:
    with pytest.raises(LoopNotFound):
        backups.back_up_loop(stores, "other", file)
    with pytest.raises(StoreUnavailable):
        backups.back_up_loop(stores, "default", tmp_path / "nowhere" / "x")
    with pytest.raises(StoreUnavailable):
        backups.restore_loop(stores, tmp_path / "nothing")
    assert not list((tmp_path / "data" / "loops" / "default").glob(".backup-*"))


def test_stores_in_memory_have_none(file: Path) -> None:
    stores = audited(MemoryStores(), "ada")
    stores.wrapped.catalog.create(make_loop("shop"))
    with pytest.raises(InvalidSetting):
        backups.back_up_loop(stores, "shop", file)
