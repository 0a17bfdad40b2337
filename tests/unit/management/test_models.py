"""Models come and go: what training, the log and the live model make of it."""

import time

import pytest
from msgspec.structs import replace

from sartor.errors import InvalidModel, InvalidSignature, LoopLocked, LoopNotFound, ModelInUse, ModelNotFound
from sartor.learn.trainer import Trainer
from sartor.log.settler import Settler
from sartor.management import loops, models
from sartor.records import ModelNote
from tests.unit import instance
from tests.unit.world import FACTORY, World


@pytest.fixture
def world() -> World:
    return World()


def test_an_imported_model_serves_at_once(world: World) -> None:
    before, package = world.live, world.signed()
    assert before is not None
    models.reset_model(world.stores, "default")
    assert world.logs.models.live() is None
    imported = models.import_model(world.stores, "default", package)
    assert world.live == imported
    assert imported.base_id == imported.model_id
    assert world.probabilities(imported) == world.probabilities(before)
    assert imported.generation == world.loop.generation == before.generation + 2


def test_training_goes_on_from_an_imported_model(world: World) -> None:
    imported = models.import_model(world.stores, "default", world.signed())
    after = world.train(5)
    assert after.base_id == after.parent_id == imported.model_id
    assert (after.first_outcome, after.last_outcome, after.learned) == (21, 25, 5)
    assert world.probabilities(after) == world.replay_probabilities(after) != world.probabilities(imported)


def test_an_imported_model_serves_though_others_are_not_published_by_themselves(world: World) -> None:
    package = world.signed()
    loops.change_settings(world.stores, "default", {"modelAutoPublish": False})
    imported = models.import_model(world.stores, "default", package)
    assert world.live == imported


def test_a_loop_goes_on_with_the_model_of_another_instance(world: World) -> None:
    other = World()
    with pytest.raises(InvalidSignature) as caught:
        models.import_model(other.stores, "default", world.signed())
    fingerprint = caught.value.message.rsplit(" ", 1)[1].rstrip(".")
    loops.change_settings(other.stores, "default", {"trustedModelSigners": fingerprint})
    imported = models.import_model(other.stores, "default", world.signed())
    assert world.live is not None
    assert other.probabilities(imported) == world.probabilities(world.live)


def test_an_unsigned_model_needs_the_setting(world: World) -> None:
    with pytest.raises(InvalidModel, match="zip"):
        models.import_model(world.stores, "default", world.raw())
    loops.change_settings(world.stores, "default", {"allowUnsignedModels": True})
    models.import_model(world.stores, "default", world.raw())


def test_a_refused_model_changes_nothing(world: World) -> None:
    before = (world.live, world.loop, world.logs.models.history())
    package = world.signed()
    loops.set_policy(world.stores, "default", "--cb_explore_adf --epsilon 0.1 --cb_type mtr")
    changed = world.loop
    with pytest.raises(InvalidModel, match="does not fit"):
        models.import_model(world.stores, "default", package)
    assert (world.live, world.logs.models.history()) == (before[0], before[2])
    assert world.loop == changed


def test_the_model_is_one_under_the_exploration_of_the_loop(world: World) -> None:
    loops.set_policy(world.stores, "default", "--cb_explore_adf --epsilon 0.2 --cb_type mtr")
    loops.change_settings(world.stores, "default", {"explorationPercentage": 0.4})
    world.train(3)
    imported = models.import_model(world.stores, "default", world.signed())
    assert imported.arguments == "--cb_explore_adf --epsilon 0.4 --cb_type mtr"
    assert world.train(2).base_id == imported.model_id


def test_a_model_on_its_way_does_not_take_the_place_of_an_imported_one(world: World) -> None:
    package = world.signed()
    old = world.loop
    imported = models.import_model(world.stores, "default", package)
    # The learn process has not seen the new generation yet.
    instance.play(old, world.logs, FACTORY, first=100, count=3)
    slow = Trainer(world.logs.events, world.logs.outcomes, world.logs.models, FACTORY)
    Settler(world.logs.events, world.logs.outcomes).step(old.settings, settings_version=1)
    slow.step(old, now_us=time.time_ns() // 1_000 + 10**10)
    assert world.live != imported
    slow.step(world.loop, now_us=time.time_ns() // 1_000 + 2 * 10**10)
    slow.close()
    live = world.live
    assert live is not None
    assert live.generation == imported.generation


def test_a_reset_forgets(world: World) -> None:
    models.reset_model(world.stores, "default")
    assert world.live is None
    after = world.train(4)
    assert (after.first_outcome, after.learned, after.base_id, after.parent_id) == (21, 4, None, None)


def test_a_model_is_described_and_removed(world: World) -> None:
    first = world.live
    assert first is not None
    world.train(3)
    models.note_model(world.stores, "default", ModelNote(model_id=first.model_id, description="the first"))
    assert world.logs.notes.all()[-1].description == "the first"
    models.remove_model(world.stores, "default", first.model_id)
    with pytest.raises(ModelNotFound):
        world.logs.models.blob(first.model_id)


def test_a_model_in_use_is_not_removed(world: World) -> None:
    imported = models.import_model(world.stores, "default", world.signed())
    live = world.train(3)
    for model in (imported, live):
        with pytest.raises(ModelInUse):
            models.remove_model(world.stores, "default", model.model_id)
    models.reset_model(world.stores, "default")
    models.remove_model(world.stores, "default", imported.model_id)


def test_a_locked_loop_keeps_its_model(world: World) -> None:
    package, before = world.signed(), world.live
    terms = replace(world.loop.terms, lock="change")
    world.stores.catalog.update(replace(world.loop, terms=terms))
    history = world.logs.models.history()
    for choice in (
        lambda: models.import_model(world.stores, "default", package),
        lambda: models.reset_model(world.stores, "default"),
        lambda: models.remove_model(world.stores, "default", history[0].model_id),
        lambda: models.note_model(world.stores, "default", ModelNote(model_id=history[0].model_id)),
    ):
        with pytest.raises(LoopLocked):
            choice()
    assert (world.live, world.logs.models.history()) == (before, history)


def test_a_loop_that_is_not_there_has_no_model(world: World) -> None:
    with pytest.raises(LoopNotFound):
        models.reset_model(world.stores, "another")
    with pytest.raises(LoopNotFound):
        models.import_model(world.stores, "another", world.signed())
