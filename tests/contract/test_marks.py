"""A mark of the stores of a loop differs after every commit, and needs no open file."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sartor.ports import LoopStores, Stores
from sartor.records import Cursor, Model, Settlement
from sartor.stores import file_marks
from sartor.stores.file_marks import FileMarks
from sartor.stores.stores import open_stores
from sartor.testing.builders import make_decision, make_loop, make_outcome
from sartor.testing.fakes import Clock


def make_model(number: int) -> Model:
    return Model(
        model_id=f"m{number}",
        parent_id=None,
        arguments="",
        settings_version=1,
        first_outcome=1,
        last_outcome=number,
        learned=number,
        created_at_us=number,
    )


CHANGES: dict[str, Callable[[LoopStores], object]] = {
    "append": lambda logs: logs.events.append([make_decision("e")]),
    "record": lambda logs: logs.outcomes.record(
        Settlement(outcomes=(make_outcome(1),), unmatched=(), cursor=Cursor(1, 0))
    ),
    "amend": lambda logs: logs.outcomes.amend([make_outcome(1, reward=0.25)]),
    "publish": lambda logs: logs.models.publish(make_model(1), b"one", live=True),
    "promote": lambda logs: logs.models.promote(None),
}


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """Marks of files that were written just now are compared like those of others."""
    monkeypatch.setattr(file_marks, "RECENT_S", 0.0)


@pytest.mark.usefixtures("still")
def test_every_commit_changes_the_mark_and_nothing_else_does(stores: Stores) -> None:
    loop = make_loop()
    stores.catalog.create(loop)
    writing, watching = stores.open(loop), stores.open(loop)
    seen = {watching.mark()}
    for number, (name, change) in enumerate(CHANGES.items(), start=2):
        time.sleep(0.02)  # longer than a tick of the file system's clock
        change(writing)
        seen.add(watching.mark())
        assert len(seen) == number, name
        assert watching.mark() in seen
    writing.close()
    watching.close()


def test_reading_a_mark_opens_nothing(tmp_path: Path, clock: Clock) -> None:
    stores = open_stores(tmp_path, clock_us=clock)
    loop = make_loop()
    stores.catalog.create(loop)
    logs = stores.open(loop)
    logs.mark()
    folder = str(tmp_path / "loops")
    targets = [os.path.realpath(f"/proc/self/fd/{one}") for one in os.listdir("/proc/self/fd")]
    assert not [target for target in targets if target.startswith(folder)]
    logs.close()
    stores.close()


def test_what_was_written_a_moment_ago_has_a_mark_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"")
    marks = FileMarks([path])
    assert marks.read() != marks.read()
    os.utime(path, (time.time() + 3600, time.time() + 3600))  # as after the clock was set back
    assert marks.read() != marks.read()
    os.utime(path, (time.time() - 60, time.time() - 60))
    assert marks.read() == marks.read()


def test_files_that_come_go_or_are_replaced_change_the_mark(tmp_path: Path) -> None:
    path, old = tmp_path / "file", (1_000.0, 1_000.0)
    marks = FileMarks([path])
    seen = [marks.read()]
    for _ in range(2):
        path.with_suffix(".new").write_bytes(b"same")
        os.utime(path.with_suffix(".new"), old)
        os.replace(path.with_suffix(".new"), path)
        seen.append(marks.read())
    (tmp_path / "file-wal").write_bytes(b"")
    os.utime(tmp_path / "file-wal", old)
    seen.append(marks.read())
    path.unlink()
    seen.append(marks.read())
    assert len(set(seen)) == len(seen)


@pytest.mark.usefixtures("still")
def test_the_live_model_is_followed_without_opening_a_file(tmp_path: Path, clock: Clock) -> None:
    stores = open_stores(tmp_path, clock_us=clock)
    loop = make_loop()
    stores.catalog.create(loop)
    writing, reading = stores.open(loop), stores.open(loop)
    writing.models.publish(make_model(1), b"one", live=True)
    live = reading.models.live()
    assert live is not None
    assert live.model_id == "m1"
    reading.close()  # from now on a use of its connection fails
    assert reading.models.live() == live
    writing.close()
    stores.close()


def test_a_new_live_model_is_seen_at_once(stores: Stores) -> None:
    loop = make_loop()
    stores.catalog.create(loop)
    writing, reading = stores.open(loop), stores.open(loop)
    for number in range(1, 20):
        writing.models.publish(make_model(number), b"bytes", live=True)
        live = reading.models.live()
        assert live is not None
        assert live.model_id == f"m{number}"
    reading.models.promote(None)
    assert reading.models.live() is None
    assert writing.models.live() is None
    writing.close()
    reading.close()
