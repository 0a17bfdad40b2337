"""A database that was made and is gone is never made again in silence, whether the service runs or not."""

import os
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from sartor.errors import Corrupt, LoopDeleted, SartorError, StoreUnavailable
from sartor.ports import LoopStores
from sartor.stores.stores import SqliteStores, open_stores
from sartor.testing.builders import make_decision, make_job, make_loop

LOOP = make_loop("a")
OTHER = make_loop("b")


def use(logs: LoopStores, event_id: str = "e") -> None:
    logs.events.append([make_decision(event_id)])
    logs.outcomes.counts()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with two loops that were used."""
    with closing(open_stores(tmp_path)) as stores:
        for loop in (LOOP, OTHER):
            stores.catalog.create(loop)
            with closing(stores.open(loop)) as logs:
                use(logs)
                logs.jobs.put(make_job("job"))
    return tmp_path


def of_loop(folder: Path, file: str) -> Path:
    return folder / "loops" / LOOP.name / file


def count_decisions(stores: SqliteStores) -> int:
    with closing(stores.open(LOOP)) as logs:
        return logs.events.horizon().decisions


ACTS: dict[str, Callable[[LoopStores], object]] = {
    "events": lambda logs: logs.events.append([make_decision("late")]),
    "outcomes": lambda logs: logs.outcomes.counts(),
    "jobs": lambda logs: logs.jobs.jobs(),
}


@pytest.mark.parametrize("kind", ACTS)
def test_a_file_that_is_gone_is_missed(folder: Path, kind: str) -> None:
    of_loop(folder, f"{kind}.sqlite").unlink()
    with closing(open_stores(folder)) as stores:
        for _ in range(2):
            with closing(stores.open(LOOP)) as logs, pytest.raises(Corrupt) as error:
                ACTS[kind](logs)
            remedy = "sartor loop restore" if kind == "events" else "sartor doctor --repair"
            assert error.value.message.startswith(f"a/{kind}.sqlite is missing. ")
            assert remedy in error.value.message
        assert not of_loop(folder, f"{kind}.sqlite").exists()
        with closing(stores.open(OTHER)) as logs:
            use(logs, "second")


@pytest.mark.parametrize("kind", ACTS)
def test_a_file_that_is_gone_is_missed_by_who_has_it_open(folder: Path, kind: str, tmp_path: Path) -> None:
    path = of_loop(folder, f"{kind}.sqlite")
    with closing(open_stores(folder)) as stores, closing(stores.open(LOOP)) as logs:
        ACTS[kind](logs)
        aside = path.rename(path.with_suffix(".aside"))
        with pytest.raises(Corrupt, match="is missing"):
            ACTS[kind](logs)
        aside.rename(path)
        ACTS[kind](logs)


def test_a_folder_that_is_gone_is_missed(folder: Path) -> None:
    shutil.rmtree(folder / "loops" / LOOP.name)
    with closing(open_stores(folder)) as stores:
        with pytest.raises(Corrupt, match=r"loops/a is missing"):
            stores.open(LOOP)
        with pytest.raises(Corrupt, match=r"loops/a is missing"):
            stores.usage(LOOP, from_us=0, to_us=1)
        stores.maintain(LOOP)
        assert not (folder / "loops" / LOOP.name).exists()


def test_upkeep_makes_no_file_again(folder: Path) -> None:
    of_loop(folder, "events.sqlite").unlink()
    of_loop(folder, "events.sqlite-wal").write_bytes(b"x" * 100)
    with closing(open_stores(folder)) as stores:
        for act in (
            lambda: stores.maintain(LOOP),
            lambda: stores.usage(LOOP, from_us=0, to_us=1),
            lambda: stores.apply_retention(LOOP, before_us=1),
            lambda: stores.erase(LOOP, decisions=[1]),
        ):
            with pytest.raises(Corrupt, match="is missing"):
                act()
    assert of_loop(folder, "events.sqlite-wal").read_bytes() == b"x" * 100


def test_the_catalog_of_a_folder_with_loops_is_not_made_again(folder: Path) -> None:
    (folder / "catalog.sqlite").unlink()
    with closing(open_stores(folder)) as stores, pytest.raises(Corrupt, match=r"catalog\.sqlite is missing"):
        stores.catalog.loops()
    shutil.rmtree(folder / "made")
    with closing(open_stores(folder)) as stores, pytest.raises(Corrupt, match=r"catalog\.sqlite is missing"):
        stores.catalog.loops()


def test_a_folder_of_an_older_version_learns_what_was_made(folder: Path) -> None:
    shutil.rmtree(folder / "made")
    with closing(open_stores(folder)) as stores, closing(stores.open(LOOP)) as logs:
        for act in ACTS.values():
            act(logs)
    of_loop(folder, "events.sqlite").unlink()
    with closing(open_stores(folder)) as stores, closing(stores.open(LOOP)) as logs, pytest.raises(Corrupt):
        use(logs)


BREAKS: dict[str, Callable[[Path], object]] = {
    "nothing in it": lambda path: path.write_bytes(b""),
    "half of it": lambda path: os.truncate(path, path.stat().st_size // 2 + 17),
    "a header alone": lambda path: os.truncate(path, 100),
    "noise": lambda path: path.write_bytes(os.urandom(path.stat().st_size)),
    "noise in the first page": lambda path: _overwrite(path, at=100),
    "another loop's": lambda path: shutil.copy(path.parent.parent / OTHER.name / path.name, path),
    "a folder": lambda path: _replace(path, path.mkdir),
    "a link to nowhere": lambda path: _replace(path, lambda: path.symlink_to("/nowhere")),
    "a link to itself": lambda path: _replace(path, lambda: path.symlink_to(path)),
}


def _replace(path: Path, make: Callable[[], object]) -> None:
    path.unlink()
    make()


def _overwrite(path: Path, *, at: int) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(b"\xa5" * 3000)


@pytest.mark.parametrize("break_it", BREAKS.values(), ids=BREAKS)
@pytest.mark.parametrize("kind", ["events", "outcomes"])
def test_a_file_that_is_none_of_ours_is_refused_and_the_right_one_taken_again(
    folder: Path, kind: str, break_it: Callable[[Path], object]
) -> None:
    path = of_loop(folder, f"{kind}.sqlite")
    with closing(open_stores(folder)) as stores:
        aside = shutil.copy(path, path.with_suffix(".aside"))
        break_it(path)
        with closing(stores.open(LOOP)) as logs, pytest.raises(SartorError) as error:
            logs.check()
        assert f"{kind}.sqlite" in error.value.message
        assert str(folder) not in error.value.message
        with closing(stores.open(OTHER)) as logs:
            logs.check()
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        path.unlink(missing_ok=True)
        shutil.move(aside, path)
        assert count_decisions(stores) == 1


def test_a_link_to_the_file_serves(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    path, elsewhere = of_loop(folder, "events.sqlite"), tmp_path_factory.mktemp("elsewhere") / "events.sqlite"
    shutil.move(path, elsewhere)
    path.symlink_to(elsewhere)
    with closing(open_stores(folder)) as stores:
        assert count_decisions(stores) == 1


def test_a_write_ahead_log_that_is_removed_in_use_loses_nothing(folder: Path) -> None:
    wal = of_loop(folder, "events.sqlite-wal")
    with closing(open_stores(folder)) as stores:
        with closing(stores.open(LOOP)) as logs:
            use(logs, "acknowledged")
            wal.unlink()
            with pytest.raises(StoreUnavailable, match="the write-ahead log, was removed: stop the service"):
                use(logs, "refused")
            with closing(stores.open(LOOP)) as others, pytest.raises(Corrupt, match="was removed"):
                others.events.horizon()
        with closing(stores.open(LOOP)) as logs:
            found = [logged.decision.event_id for logged in logs.events.decisions(after=0, limit=9)]
    assert found == ["e", "acknowledged"]


def test_a_deleted_loop_is_not_missed_and_may_be_made_again_once_purged(folder: Path) -> None:
    with closing(open_stores(folder)) as stores:
        with closing(stores.open(LOOP)) as logs:
            use(logs, "before")
            stores.catalog.delete(LOOP.name)
            use(logs, "while it was deleted")
            with closing(stores.open(OTHER)) as others:
                others.check()
        with pytest.raises(LoopDeleted, match="was deleted"):
            stores.open(LOOP)
        assert list(stores.purge()) == [LOOP.loop_id]
        stores.catalog.create(LOOP)
        assert count_decisions(stores) == 0


def test_the_folder_of_a_deleted_loop_is_not_made_again(folder: Path) -> None:
    with closing(open_stores(folder)) as stores:
        shutil.rmtree(folder / "loops" / LOOP.name)  # so that nothing is set aside
        stores.catalog.delete(LOOP.name)
        for act in (stores.open, lambda loop: stores.usage(loop, from_us=0, to_us=1)):
            with pytest.raises(LoopDeleted, match="was deleted"):
                act(LOOP)
        assert not (folder / "loops" / LOOP.name).exists()


def test_the_folder_of_a_purged_loop_is_not_made_again_by_who_knew_it(folder: Path) -> None:
    with closing(open_stores(folder)) as stores:
        stores.open(LOOP).close()
        stores.catalog.delete(LOOP.name)
        assert list(stores.purge()) == [LOOP.loop_id]
        with pytest.raises(LoopDeleted, match="was deleted"):
            stores.open(LOOP)
        assert not (folder / "loops" / LOOP.name).exists()
