"""A URL or a path names the store; nothing else does."""

from pathlib import Path

import pytest

from sartor.errors import InvalidSetting
from sartor.runtime import compose


@pytest.mark.parametrize(
    ("where", "folder"),
    [
        ("data", "data"),
        ("/var/lib/sartor", "/var/lib/sartor"),
        ("sqlite:///data", "data"),
        ("sqlite:////var/lib/sartor", "/var/lib/sartor"),
    ],
)
def test_a_folder_is_named_by_a_path_or_a_url(where: str, folder: str) -> None:
    assert compose.data_folder(where) == Path(folder)


@pytest.mark.parametrize("where", ["postgresql://host/db", "sqlite://data", "sqlite:///", "nats://host"])
def test_another_url_is_refused(where: str) -> None:
    with pytest.raises(InvalidSetting, match="Can't keep data at"):
        compose.open_stores(where)


def test_a_missing_folder_is_made_only_when_asked(tmp_path: Path) -> None:
    where = str(tmp_path / "data")
    with pytest.raises(InvalidSetting, match="There is no data folder"), compose.open_instance(where):
        pass
    with compose.open_instance(where, must_exist=False) as stores:
        assert list(stores.catalog.loops()) == []
    with compose.open_instance(f"sqlite:///{where}") as stores:
        stores.check_writable()
