"""Emptying a log, and what stays."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from sartor.errors import LoopLocked, StoreUnavailable
from sartor.log.joined_log import find_settled_time_range
from sartor.management import log_deletion, loops
from sartor.records import Observation
from sartor.runtime import compose
from tests.unit import instance
from tests.unit.world import FACTORY, World


@pytest.fixture
def world() -> World:
    return World()


def span(world: World) -> tuple[int, int] | None:
    return find_settled_time_range(world.logs.events, world.logs.outcomes)


def test_nothing_that_is_settled_is_left(world: World) -> None:
    assert span(world) is not None
    log_deletion.delete_log(world.stores, "default")
    assert span(world) is None
    left = world.logs.events.decisions(after=0, limit=1_000)
    assert {logged.decision.event_id for logged in left} == {""}
    assert {logged.decision.context for logged in left} == {b"[]"}
    observed = world.logs.events.observations(after=0, limit=1_000)
    assert {logged.observation.event_id for logged in observed} == {""}
    outcomes = world.logs.outcomes.outcomes(after=0, limit=1_000)
    assert {(one.outcome.event_id, one.outcome.learnable) for one in outcomes} <= {("", False)}


def test_the_model_stays_and_training_goes_on_from_it(world: World) -> None:
    before = world.live
    assert before is not None
    log_deletion.delete_log(world.stores, "default")
    live = world.live
    assert live is not None
    assert world.probabilities(live) == world.probabilities(before)
    after = world.train(5)
    assert (after.base_id, after.learned) == (live.model_id, 5)
    assert world.probabilities(after) == world.replay_probabilities(after) != world.probabilities(before)
    assert span(world) is not None


def test_it_can_be_repeated(world: World) -> None:
    before = world.live
    assert before is not None
    for _ in range(3):
        log_deletion.delete_log(world.stores, "default")
    assert world.live is not None
    assert world.probabilities(world.live) == world.probabilities(before)
    assert world.train(2).learned == 2


def test_a_decision_that_waits_for_its_reward_stays(world: World) -> None:
    world.logs.events.append([instance.decide_event("open", world.loop, world.logs, FACTORY)])
    log_deletion.delete_log(world.stores, "default")
    heads = world.logs.events.heads(after=0, limit=1_000)
    assert [head.event_id for head in heads if head.event_id] == ["open"]
    world.logs.events.append([Observation(event_id="open", reward=1.0)])
    assert world.train(1).learned == 2
    assert span(world) is not None


def test_a_model_that_was_chosen_by_hand_still_serves(world: World) -> None:
    first = world.live
    assert first is not None
    newest = world.train(5)
    loops.promote_model(world.stores, "default", first.model_id)
    log_deletion.delete_log(world.stores, "default")
    assert world.live == first
    assert world.probabilities(world.logs.models.history()[0]) == world.probabilities(newest)


def test_a_loop_without_a_model_loses_only_its_log() -> None:
    world = World(learned=0)
    world.logs.events.append([instance.decide_event("open", world.loop, world.logs, FACTORY)])
    before = world.loop
    log_deletion.delete_log(world.stores, "default")
    assert world.loop == before
    assert world.logs.models.live() is None


def test_a_locked_loop_keeps_its_log(world: World) -> None:
    world.stores.catalog.update(replace(world.loop, terms=replace(world.loop.terms, lock="change")))
    with pytest.raises(LoopLocked):
        log_deletion.delete_log(world.stores, "default")
    assert span(world) is not None


def test_a_store_that_fails_is_told(world: World) -> None:
    world.stores.disk.failing = True
    with pytest.raises(StoreUnavailable):
        log_deletion.delete_log(world.stores, "default")
    world.stores.disk.failing = False
    log_deletion.delete_log(world.stores, "default")
    assert span(world) is None


def test_a_log_on_disk_is_emptied_while_others_read_it(tmp_path: Path) -> None:
    folder = instance.create_trained_folder(tmp_path / "data")
    with (
        compose.open_instance(str(folder)) as stores,
        loops.open_loop(stores, loops.find_loop(stores, "default")) as opened,
    ):
        assert find_settled_time_range(opened.events, opened.outcomes) is not None
        before = opened.models.live()
        log_deletion.delete_log(stores, "default")
        assert find_settled_time_range(opened.events, opened.outcomes) is None
        heads = opened.events.heads(after=0, limit=1_000)
        assert [head.event_id for head in heads if head.event_id] == ["open"]
        after = opened.models.live()
        assert before is not None
        assert after is not None
        assert opened.models.blob(after.model_id) == opened.models.blob(before.model_id)
