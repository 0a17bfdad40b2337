"""Models on the disk: what a crash leaves is cleared away, what is damaged is noticed."""

from pathlib import Path

import pytest

from sartor.errors import Corrupt, StoreUnavailable
from sartor.ports import ModelRegistry
from sartor.stores.stores import SqliteLoopStores
from sartor.testing.builders import make_model


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "loops" / "default" / "models"


@pytest.fixture
def models(opened: SqliteLoopStores) -> ModelRegistry:
    return opened.models


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_bytes_of_pruned_models_are_removed(models: ModelRegistry, folder: Path) -> None:
    models.publish(make_model("live"), b"live", live=True)
    for number in range(10, 40):
        models.publish(make_model(f"m{number}"), b"blob", live=False)
    assert names(folder) == ["live.vw", *(f"m{number}.vw" for number in range(20, 40))]


def test_the_next_publishing_clears_away_what_a_crash_left(models: ModelRegistry, folder: Path) -> None:
    models.publish(make_model("m1"), b"one", live=True)
    (folder / "m2.vw").write_bytes(b"renamed, but its row was never committed")
    (folder / "m3.new").write_bytes(b"half writ")
    models.publish(make_model("m2"), b"two", live=True)
    assert names(folder) == ["m1.vw", "m2.vw"]
    assert models.blob("m2") == b"two"


def test_damaged_bytes_are_noticed(models: ModelRegistry, folder: Path) -> None:
    models.publish(make_model("m1"), b"one", live=True)
    (folder / "m1.vw").write_bytes(b"two")
    with pytest.raises(Corrupt, match="m1"):
        models.blob("m1")


def test_missing_bytes_are_noticed(models: ModelRegistry, folder: Path) -> None:
    models.publish(make_model("m1"), b"one", live=True)
    (folder / "m1.vw").unlink()
    with pytest.raises(Corrupt, match="missing"):
        models.blob("m1")


def test_bytes_that_can_not_be_written_publish_nothing(models: ModelRegistry, folder: Path) -> None:
    models.publish(make_model("m1"), b"one", live=True)
    (folder / "m1.vw").rename(folder.parent / "m1.vw")
    folder.rmdir()
    with pytest.raises(StoreUnavailable):
        models.publish(make_model("m2"), b"two", live=True)
    assert [model.model_id for model in models.history()] == ["m1"]
    folder.mkdir()
    (folder.parent / "m1.vw").rename(folder / "m1.vw")
    models.publish(make_model("m2"), b"two", live=True)
    assert models.blob("m1") + models.blob("m2") == b"onetwo"
