"""Each change of a loop leaves an entry without a secret, and a lock holds against everybody."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from sartor.errors import LoopLocked, LoopNotFound
from sartor.learn.vw import create_engine
from sartor.management import lifecycle, loops
from sartor.ports import Loop
from sartor.settings import VW_ARGUMENTS
from sartor.stores.audited import AuditedStores, audited
from sartor.testing.builders import make_loop, make_model
from sartor.testing.stores import MemoryStores

TARGET = "https://user:word@store.example/container?sig=very-secret"

DUMP = create_engine(VW_ARGUMENTS).dump()


@pytest.fixture
def stores() -> AuditedStores:
    made = audited(MemoryStores(), "ada")
    made.wrapped.catalog.create(make_loop("shop"))
    return made


def shop(stores: AuditedStores) -> Loop:
    return loops.find_loop(stores, "shop")


def last_entry(stores: AuditedStores) -> tuple[str, str, Any, Any]:
    """The newest entry: who, what, before, after."""
    entry = stores.audit.last(1)[0].entry
    assert entry.loop == "shop"
    return entry.by, entry.action, json.loads(entry.before), json.loads(entry.after)


def test_a_new_loop_is_recorded_whole(stores: AuditedStores) -> None:
    stores.wrapped.catalog.delete("shop")
    lifecycle.create_on_terms(stores, "shop", terms={"tier": "F0"})
    by, action, before, after = last_entry(stores)
    assert (by, action, before) == ("ada", "create", None)
    assert after["terms"]["tier"] == "F0"
    assert after["settings"]["rewardWaitTime"] == "PT600S"


def test_of_a_change_only_what_changed_is_recorded(stores: AuditedStores) -> None:
    loops.change_settings(stores, "shop", {"defaultReward": 0.5})
    assert last_entry(stores) == (
        "ada",
        "update",
        {"settings": {"defaultReward": 0.0}},
        {"settings": {"defaultReward": 0.5}},
    )
    lifecycle.set_tags(stores, "shop", {"team": "news"})
    assert last_entry(stores)[2:] == (
        {"terms": {"tags": {"team": None}}},
        {"terms": {"tags": {"team": "news"}}},
    )


def test_both_the_policy_and_the_exploration_that_it_brings_are_recorded(stores: AuditedStores) -> None:
    policy = "--cb_explore_adf --epsilon {}"
    loops.set_policy(stores, "shop", policy.format(0.05))
    assert last_entry(stores)[2:] == (
        {"policy": {"arguments": VW_ARGUMENTS}, "settings": {"explorationPercentage": 0.2}},
        {"policy": {"arguments": policy.format(0.05)}, "settings": {"explorationPercentage": 0.05}},
    )
    loops.change_settings(stores, "shop", {"explorationPercentage": 0.4})
    assert last_entry(stores)[2:] == (
        {"policy": {"arguments": policy.format(0.05)}, "settings": {"explorationPercentage": 0.05}},
        {"policy": {"arguments": policy.format(0.4)}, "settings": {"explorationPercentage": 0.4}},
    )


def test_no_key_is_recorded(stores: AuditedStores) -> None:
    before = shop(stores)
    after = loops.rotate_key(stores, "shop", second=True)
    assert after.key2 != before.key2
    assert last_entry(stores)[2:] == ({"key2": ""}, {"key2": "replaced"})
    lifecycle.delete(stores, "shop")
    text = b"".join(one.entry.before + one.entry.after for one in stores.audit.last(99)).decode()
    for key in (before.key1, before.key2, after.key2):
        assert key not in text


def test_no_signature_of_a_mirror_is_recorded(stores: AuditedStores) -> None:
    loops.change_settings(stores, "shop", {"logMirrorSasUri": TARGET})
    target = {"settings": {"logMirrorSasUri": "https://store.example/container?…"}}
    assert last_entry(stores)[2:] == ({"settings": {"logMirrorSasUri": None}}, target)
    loops.change_settings(stores, "shop", {"logMirrorSasUri": TARGET.replace("very", "other")})
    assert last_entry(stores)[2:] == (target, target)
    lifecycle.delete(stores, "shop")
    text = b"".join(one.entry.before + one.entry.after for one in stores.audit.last(99))
    assert b"secret" not in text
    assert b"word" not in text


def test_each_entry_names_its_caller(stores: AuditedStores) -> None:
    lifecycle.set_tags(audited(stores, "grace"), "shop", {"a": "b"})
    assert last_entry(stores)[0] == "grace"
    lifecycle.set_tags(stores, "shop", {"a": "c"})
    assert last_entry(stores)[0] == "ada"


def test_a_change_beside_the_catalog(stores: AuditedStores) -> None:
    stores.note("ImportModel", shop(stores), after={"bytes": 3})
    assert last_entry(stores) == ("ada", "ImportModel", None, {"bytes": 3})


def test_a_lock_against_deletion_lets_changes_through(stores: AuditedStores) -> None:
    lifecycle.lock(stores, "shop", against="delete")
    loops.change_settings(stores, "shop", {"defaultReward": 0.5})
    with pytest.raises(LoopLocked, match="against deletion"):
        lifecycle.delete(stores, "shop")
    lifecycle.lock(stores, "shop", against="none")
    lifecycle.delete(stores, "shop")


def test_a_lock_against_change_holds_against_everything_but_unlocking(stores: AuditedStores) -> None:
    lifecycle.lock(stores, "shop", against="change")
    lines = len(stores.audit.last(99))
    before = shop(stores)
    attempts: list[Callable[[], object]] = [
        lambda: loops.change_settings(stores, "shop", {"defaultReward": 0.5}),
        lambda: loops.rotate_key(stores, "shop", second=False),
        lambda: loops.set_policy(stores, "shop", None),
        lambda: lifecycle.set_tags(stores, "shop", {"a": "b"}),
        lambda: lifecycle.delete(stores, "shop"),
    ]
    for forbidden in attempts:
        with pytest.raises(LoopLocked):
            forbidden()
    assert shop(stores) == before
    assert len(stores.audit.last(99)) == lines
    lifecycle.lock(stores, "shop", against="none")
    loops.change_settings(stores, "shop", {"defaultReward": 0.5})


def test_a_model_of_a_locked_loop_is_not_exchanged(stores: AuditedStores) -> None:
    opened = stores.open(shop(stores))
    opened.models.publish(make_model("m1"), DUMP, live=True)
    opened.models.publish(make_model("m2"), DUMP, live=False)
    loops.change_settings(stores, "shop", {"modelAutoPublish": False})
    lifecycle.lock(stores, "shop", against="change")
    with pytest.raises(LoopLocked):
        loops.promote_model(stores, "shop", "m2")
    live = opened.models.live()
    assert live is not None
    assert live.model_id == "m1"


def test_what_is_not_there_can_not_be_changed(stores: AuditedStores) -> None:
    with pytest.raises(LoopNotFound):
        stores.catalog.update(replace(make_loop("shop"), name="other"))
    with pytest.raises(LoopNotFound):
        stores.catalog.recover("no-such-id")
    assert list(stores.audit.last(9)) == []


def test_a_model_that_was_chosen_is_recorded(stores: AuditedStores) -> None:
    opened = stores.open(shop(stores))
    opened.models.publish(make_model("m1"), DUMP, live=True)
    opened.models.publish(make_model("m2"), DUMP, live=False)
    loops.change_settings(stores, "shop", {"modelAutoPublish": False})
    loops.promote_model(stores, "shop", "m2")
    assert last_entry(stores) == ("ada", "promote", {"liveModel": "m1"}, {"liveModel": "m2"})
