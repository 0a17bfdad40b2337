"""What every model registry promises."""

import pytest
from msgspec.structs import replace

from sartor.errors import Corrupt, ModelNotFound, StoreUnavailable
from sartor.ports import Loop, ModelRegistry, Stores
from sartor.testing.builders import make_model
from tests.contract.conftest import FullDisk


def publish_many(models: ModelRegistry, count: int, *, live: bool) -> None:
    for number in range(1, count + 1):
        models.publish(make_model(f"m{number}", last_outcome=number), b"%d" % number, live=live)


def test_an_empty_registry_has_no_live_model(models: ModelRegistry) -> None:
    assert models.live() is None
    assert not models.history()
    with pytest.raises(ModelNotFound):
        models.blob("m1")


def test_a_published_model_is_live_when_asked(models: ModelRegistry) -> None:
    first = make_model("m1")
    second = make_model("m2", last_outcome=3, parent_id="m1")
    models.publish(first, b"one", live=True)
    models.publish(second, b"two", live=False)
    assert models.live() == first
    assert list(models.history()) == [second, first]
    assert (models.blob("m1"), models.blob("m2")) == (b"one", b"two")


def test_bytes_come_back_whatever_they_are(models: ModelRegistry) -> None:
    blob = bytes(range(256)) * 4096
    models.publish(make_model("m1"), blob, live=True)
    models.publish(make_model("m2"), b"", live=True)
    assert models.blob("m1") == blob
    assert models.blob("m2") == b""


def test_an_id_is_published_once(models: ModelRegistry) -> None:
    models.publish(make_model("m1"), b"one", live=False)
    with pytest.raises(Corrupt):
        models.publish(make_model("m1", last_outcome=9), b"other", live=True)
    assert models.live() is None
    assert models.blob("m1") == b"one"
    assert [model.last_outcome for model in models.history()] == [0]


def test_promoting_moves_the_live_model_there_and_back(models: ModelRegistry) -> None:
    publish_many(models, 2, live=True)
    models.promote("m1")
    assert models.live() == make_model("m1", last_outcome=1)
    models.promote(None)
    assert models.live() is None
    models.promote("m2")
    assert models.live() == make_model("m2", last_outcome=2)


def test_an_unknown_model_can_not_be_promoted(models: ModelRegistry) -> None:
    publish_many(models, 1, live=True)
    with pytest.raises(ModelNotFound):
        models.promote("m2")
    assert models.live() == make_model("m1", last_outcome=1)


def test_the_last_twenty_keep_their_bytes_and_all_their_lineage(models: ModelRegistry) -> None:
    publish_many(models, 23, live=True)
    assert [model.model_id for model in models.history()] == [f"m{n}" for n in range(23, 0, -1)]
    assert [models.blob(f"m{number}") for number in range(4, 24)] == [b"%d" % n for n in range(4, 24)]
    for pruned in ("m1", "m2", "m3"):
        with pytest.raises(ModelNotFound):
            models.blob(pruned)
        with pytest.raises(ModelNotFound):
            models.promote(pruned)


def test_the_live_model_keeps_its_bytes_however_old_it_is(models: ModelRegistry) -> None:
    models.publish(make_model("old"), b"old", live=True)
    publish_many(models, 25, live=False)
    assert models.live() == make_model("old")
    assert models.blob("old") == b"old"
    models.promote("m25")
    models.publish(make_model("new"), b"new", live=False)
    with pytest.raises(ModelNotFound):
        models.blob("old")


def test_an_imported_model_never_loses_its_bytes(models: ModelRegistry) -> None:
    models.publish(replace(make_model("imported"), base_id="imported"), b"imported", live=False)
    models.publish(replace(make_model("based"), base_id="imported"), b"based", live=False)
    publish_many(models, 25, live=True)
    assert models.blob("imported") == b"imported"
    with pytest.raises(ModelNotFound):
        models.blob("based")


def test_fewer_models_keep_their_bytes_when_asked(models: ModelRegistry) -> None:
    publish_many(models, 5, live=True)
    models.publish(make_model("m6"), b"6", live=False, keep=2)
    kept = ("m5", "m6")
    assert [models.blob(model_id) for model_id in kept] == [b"5", b"6"]
    with pytest.raises(ModelNotFound):
        models.blob("m4")
    models.publish(make_model("m7"), b"7", live=False, keep=1)
    assert models.blob("m5") == b"5"  # it serves
    with pytest.raises(ModelNotFound):
        models.blob("m6")


def test_the_newest_of_the_history_can_be_asked_for(models: ModelRegistry) -> None:
    publish_many(models, 5, live=True)
    assert [model.model_id for model in models.history(limit=2)] == ["m5", "m4"]
    assert len(models.history(limit=9)) == 5
    assert not models.history(limit=0)


def test_other_openings_follow_the_live_model(stores: Stores, loop: Loop, models: ModelRegistry) -> None:
    other = stores.open(loop)
    assert other.models.live() is None
    publish_many(models, 2, live=True)
    assert other.models.live() == make_model("m2", last_outcome=2)
    other.models.promote("m1")
    assert models.live() == other.models.live() == make_model("m1", last_outcome=1)
    other.close()


def test_a_full_disk_publishes_nothing(models: ModelRegistry, full_disk: FullDisk) -> None:
    publish_many(models, 1, live=True)
    with full_disk(), pytest.raises(StoreUnavailable):
        models.publish(make_model("m2"), b"x" * 100_000, live=True)
    assert models.live() == make_model("m1", last_outcome=1)
    assert len(models.history()) == 1
    models.publish(make_model("m2"), b"two", live=True)
    assert models.blob("m2") == b"two"
