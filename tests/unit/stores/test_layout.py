"""Names that are folders stay inside the data folder."""

from pathlib import Path

import pytest

from sartor.errors import InvalidSetting, StoreUnavailable
from sartor.stores.layout import Layout, check_id, check_name
from sartor.stores.stores import open_stores
from sartor.testing.builders import make_loop, make_model


@pytest.mark.parametrize("name", ["a", "0", "news-articles_2", "a" * 63])
def test_good_names_are_taken_as_they_are(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name",
    ["", "a" * 64, "A", "é", "a b", "a/b", "..", ".", "a.b", "-a", "_a", "a\n", "a\0", "../x", "/etc"],
)
def test_other_names_are_refused(name: str, tmp_path: Path) -> None:
    stores = open_stores(tmp_path / "data")
    with pytest.raises(InvalidSetting):
        stores.open(make_loop(name))
    with pytest.raises(InvalidSetting):
        stores.catalog.create(make_loop(name, loop_id="id"))
    assert not stores.catalog.loops()
    stores.close()


@pytest.mark.parametrize("text", ["", "a/b", "..", ".hidden", "N/A", "a\0", "a" * 129])
def test_ids_that_could_leave_a_folder_are_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting):
        check_id(text)
    stores = open_stores(tmp_path / "data")
    opened = stores.open(make_loop())
    with pytest.raises(InvalidSetting):
        opened.models.publish(make_model(text), b"", live=True)
    opened.close()
    stores.close()


def test_a_deleted_folder_is_set_aside_though_an_earlier_one_waits(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    for _ in range(3):
        layout.make_loop("a", loop_id="id")
        layout.set_aside("a", loop_id="id")
    layout.set_aside("a", loop_id="id")
    layout.make_loop("b", loop_id="id2")
    layout.set_aside("b", loop_id="id2")
    assert len(layout.remains("id")) == 3
    assert len(layout.remains("id2")) == 1
    assert not layout.loop("a").exists()


def test_a_data_folder_is_its_owners_alone(tmp_path: Path) -> None:
    open_stores(tmp_path / "deep" / "data").close()
    assert (tmp_path / "deep" / "data").stat().st_mode & 0o777 == 0o700


def test_a_file_in_place_of_the_folder_is_reported(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("not a folder")
    with pytest.raises(StoreUnavailable):
        open_stores(tmp_path / "data")
