"""What every store promises of notes on models, and of secrets."""

import secrets

import pytest

from sartor.errors import ModelInUse, ModelNotFound
from sartor.ports import Loop, LoopStores, Stores
from sartor.records import ModelNote
from sartor.testing.builders import make_model

KEPT = 20


def publish(opened: LoopStores, count: int, *, first: int = 1) -> None:
    for number in range(first, first + count):
        opened.models.publish(make_model(f"m{number}"), b"bytes of m%d" % number, live=False)


def test_a_model_has_a_note_from_the_beginning(opened: LoopStores) -> None:
    assert list(opened.notes.all()) == []
    publish(opened, 2)
    assert list(opened.notes.all()) == [ModelNote(model_id="m2"), ModelNote(model_id="m1")]


def test_a_note_is_replaced(stores: Stores, loop: Loop, opened: LoopStores) -> None:
    publish(opened, 2)
    first = ModelNote(model_id="m1", saved=True, description="before the summer sale — été")
    opened.notes.note(first)
    again = stores.open(loop)
    assert list(again.notes.all()) == [ModelNote(model_id="m2"), first]
    again.close()
    opened.notes.note(ModelNote(model_id="m1"))
    assert opened.notes.all()[1] == ModelNote(model_id="m1")


def test_a_saved_model_keeps_its_bytes(opened: LoopStores) -> None:
    publish(opened, 2)
    opened.notes.note(ModelNote(model_id="m1", saved=True))
    publish(opened, KEPT + 5, first=3)
    assert opened.models.blob("m1") == b"bytes of m1"
    with pytest.raises(ModelNotFound):
        opened.models.blob("m2")
    assert [note.model_id for note in opened.notes.all()][-1] == "m1"


def test_a_model_that_is_not_saved_any_more_is_pruned_like_others(opened: LoopStores) -> None:
    publish(opened, 1)
    opened.notes.note(ModelNote(model_id="m1", saved=True))
    publish(opened, KEPT + 1, first=2)
    opened.notes.note(ModelNote(model_id="m1", saved=False))
    publish(opened, 1, first=KEPT + 3)
    with pytest.raises(ModelNotFound):
        opened.models.blob("m1")


def test_bytes_are_removed_by_name(opened: LoopStores) -> None:
    publish(opened, 2)
    opened.notes.note(ModelNote(model_id="m1", saved=True))
    opened.notes.remove("m1")
    with pytest.raises(ModelNotFound):
        opened.models.blob("m1")
    assert [note.model_id for note in opened.notes.all()] == ["m2"]
    assert [model.model_id for model in opened.models.history()] == ["m2", "m1"]
    with pytest.raises(ModelNotFound):
        opened.notes.remove("m1")


def test_the_live_model_is_not_removed(opened: LoopStores) -> None:
    opened.models.publish(make_model("m1"), b"bytes", live=True)
    with pytest.raises(ModelInUse):
        opened.notes.remove("m1")
    assert opened.models.blob("m1") == b"bytes"


def test_there_is_no_note_on_what_is_not_there(opened: LoopStores) -> None:
    with pytest.raises(ModelNotFound):
        opened.notes.note(ModelNote(model_id="m1"))
    publish(opened, KEPT + 1)
    with pytest.raises(ModelNotFound):
        opened.notes.note(ModelNote(model_id="m1", saved=True))


def test_a_secret_is_made_once(stores: Stores) -> None:
    first = stores.secret("signer", lambda: secrets.token_bytes(20))
    assert stores.secret("signer", lambda: secrets.token_bytes(20)) == first
    assert stores.secret("another", lambda: secrets.token_bytes(20)) != first
