"""The stores alone write private files, in a process with any umask; and make a folder of before private."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sartor.runtime.instance_lock import InstanceLock
from sartor.stores.stores import open_stores
from sartor.testing.builders import make_decision, make_loop, make_model
from sartor.transfer.open_location import open_location
from tests.acceptance.test_file_modes import find_open, open_all


@pytest.fixture(autouse=True)
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def fill(folder: Path) -> None:
    stores = open_stores(folder)
    loop = make_loop()
    stores.catalog.create(loop)
    logs = stores.open(loop)
    logs.events.append([make_decision("event")])
    logs.models.publish(make_model("model-1"), b"bytes", live=True)
    logs.blobs.put("name", b"content")
    logs.jobs.jobs(kind="evaluation")
    stores.check_writable()
    stores.secret("name", lambda: b"secret")
    stores.maintain(loop)
    stores.back_up(loop, folder / "loops" / "backup")
    assert find_open(folder) == []  # with its write-ahead logs
    logs.close()
    stores.close()


def test_what_stores_write(tmp_path: Path) -> None:
    with InstanceLock(tmp_path / "data").only_supervisor():
        InstanceLock(tmp_path / "data").announce("http://127.0.0.1:1")
        fill(tmp_path / "data")
    assert find_open(tmp_path / "data") == []


def test_folders_above_the_data_folder_are_private_too(tmp_path: Path) -> None:
    open_stores(tmp_path / "a" / "b").close()
    assert find_open(tmp_path / "a") == []


def test_a_folder_of_before(tmp_path: Path) -> None:
    fill(tmp_path / "data")
    open_all(tmp_path / "data")
    open_stores(tmp_path / "data").close()
    assert find_open(tmp_path / "data") == []


def test_a_loop_of_before_in_a_private_folder(tmp_path: Path) -> None:
    fill(tmp_path / "data")
    open_all(tmp_path / "data" / "loops" / "default")
    stores = open_stores(tmp_path / "data")
    stores.open(make_loop()).close()
    stores.close()
    assert find_open(tmp_path / "data") == []


def test_a_mirror_in_a_folder(tmp_path: Path) -> None:
    open_location(str(tmp_path / "there")).put("a/b/c.json", b"the log")
    assert find_open(tmp_path / "there") == []
