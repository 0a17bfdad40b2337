"""Who may use a data folder, and where the instance on it is reached."""

from pathlib import Path

import pytest

from sartor.errors import DataFolderInUse, StoreUnavailable
from sartor.runtime.instance_lock import DEFAULT_ENDPOINT, InstanceLock


def test_a_folder_has_one_supervisor(tmp_path: Path) -> None:
    first, second = InstanceLock(tmp_path), InstanceLock(tmp_path)
    refused = pytest.raises(DataFolderInUse, match="Another running instance")
    with first.only_supervisor(), refused, second.only_supervisor():
        pass
    with InstanceLock(tmp_path).only_supervisor():
        pass


def test_a_folder_has_one_learner_beside_its_supervisor(tmp_path: Path) -> None:
    first, second = InstanceLock(tmp_path), InstanceLock(tmp_path)
    refused = pytest.raises(DataFolderInUse, match="Another learn process")
    with (
        first.only_supervisor(),
        first.only_learner(patience_s=0),
        refused,
        second.only_learner(patience_s=0.1),
    ):
        pass


def test_a_folder_that_can_not_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    refused = pytest.raises(StoreUnavailable, match="can't be used")
    with refused, InstanceLock(tmp_path / "file").only_supervisor():
        pass


def test_the_endpoint_is_what_was_announced_last(tmp_path: Path) -> None:
    assert InstanceLock(tmp_path / "nowhere").endpoint() == DEFAULT_ENDPOINT
    for endpoint in ("http://127.0.0.1:1", "http://127.0.0.1:2"):
        InstanceLock(tmp_path).announce(endpoint)
        assert InstanceLock(tmp_path).endpoint() == endpoint
