"""A wrong reward is replaced or taken back; the log has it at once, the model when it was learned again."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from sartor.errors import EventNotFound, EventOpen, InvalidRequest, LoopLocked
from sartor.log.resettle import Resettler
from sartor.management import lifecycle, loops, reward_corrections
from sartor.ports import EngineFactory, LoopStores
from sartor.records import Cursor, Settlement, Slot
from sartor.runtime import compose
from sartor.stores.audited import AuditedStores, audited
from sartor.testing.builders import make_decision, make_loop, make_outcome
from sartor.testing.stores import MemoryStores
from sartor.verification.doctor import check_loop
from tests.unit import instance


@pytest.fixture
def factory() -> EngineFactory:
    return compose.engine_factory()


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[AuditedStores]:
    with compose.open_instance(str(instance.create_trained_folder(tmp_path / "data"))) as made:
        yield made


@pytest.fixture
def logs(stores: AuditedStores) -> Iterator[LoopStores]:
    with loops.open_loop(stores, loops.find_loop(stores, "default")) as opened:
        yield opened


def reward_of(logs: LoopStores, event_id: str) -> float:
    (found,) = logs.outcomes.outcomes_of(event_id)
    return found.outcome.reward


def test_replaced_in_the_log_at_once_and_in_the_model_after_the_rebuild(
    stores: AuditedStores, logs: LoopStores, factory: EngineFactory
) -> None:
    was = reward_of(logs, "event-7")
    done = reward_corrections.correct_reward(stores, "default", "event-7", 0.25)
    assert (done.before, done.after) == ((was,), (0.25,))
    assert reward_of(logs, "event-7") == 0.25
    assert not reward_corrections.is_learned(logs, done.revision)
    loop = loops.find_loop(stores, "default")
    instance.learn(loop, logs, factory, ahead_s=1200)
    assert reward_corrections.is_learned(logs, done.revision)
    assert check_loop(loop, logs, factory, replay=True).problems == ()


def test_taken_back_it_counts_as_if_there_was_none(stores: AuditedStores, logs: LoopStores) -> None:
    loops.change_settings(stores, "default", {"defaultReward": -0.5})
    reward_corrections.correct_reward(stores, "default", "event-7", None)
    assert reward_of(logs, "event-7") == -0.5


def test_what_was_corrected_stays_so_when_the_rest_is_settled_again(
    stores: AuditedStores, logs: LoopStores
) -> None:
    reward_corrections.correct_reward(stores, "default", "event-7", 0.25)
    resettler = Resettler(logs.events, logs.outcomes, logs.blobs)
    rules = loops.find_loop(stores, "default")
    now_us = logs.events.horizon().now_us
    while resettler.step(rules.settings, settings_version=1, now_us=now_us):
        pass
    changed = loops.change_settings(stores, "default", {"rewardAggregation": "sum", "defaultReward": 0.125})
    while resettler.step(changed.settings, settings_version=2, now_us=now_us):
        pass
    assert reward_of(logs, "event-7") == 0.25
    assert logs.outcomes.outcomes_of("event-8")[0].outcome.settings_version == 2, "the others were"


def test_an_event_that_is_open_or_unknown(stores: AuditedStores) -> None:
    with pytest.raises(EventOpen):
        reward_corrections.correct_reward(stores, "default", "open", 1.0)
    with pytest.raises(EventNotFound):
        reward_corrections.correct_reward(stores, "default", "no-such-event", 1.0)


def test_a_slot_of_an_event_without_slots(stores: AuditedStores) -> None:
    with pytest.raises(InvalidRequest):
        reward_corrections.correct_reward(stores, "default", "event-7", 1.0, slot="top")


def slot(name: str) -> Slot:
    return Slot(id=name, features=b"[]", excluded=(), baseline=0, probabilities=(1.0,), ranking=(0,), chosen=0)


def test_one_slot_of_several() -> None:
    stores = audited(MemoryStores(), "ada")
    stores.wrapped.catalog.create(make_loop("shop"))
    logs = stores.open(loops.find_loop(stores, "shop"))
    ids = ["top", "side"]
    logs.events.append([replace(make_decision("e"), slots=tuple(map(slot, ids)))])
    outcome = replace(make_outcome(1, "e", reward=0.0), slot_rewards=(0.0, 0.0))
    logs.outcomes.record(Settlement(outcomes=(outcome,), unmatched=(), cursor=Cursor(1, 0)))
    with pytest.raises(InvalidRequest, match=ids[0]):
        reward_corrections.correct_reward(stores, "shop", "e", 1.0)
    reward_corrections.correct_reward(stores, "shop", "e", 1.0, slot=ids[1])
    amended = logs.outcomes.outcomes_of("e")[0].outcome
    assert (amended.slot_rewards, amended.reward) == ((0.0, 1.0), 0.0)
    reward_corrections.correct_reward(stores, "shop", "e", 0.5, slot=ids[0])
    assert logs.outcomes.outcomes_of("e")[0].outcome.reward == 0.5


def test_it_leaves_a_line_with_both_rewards(stores: AuditedStores, logs: LoopStores) -> None:
    was = reward_of(logs, "event-7")
    reward_corrections.correct_reward(stores, "default", "event-7", 0.25)
    entry = stores.audit.last(1)[0].entry
    assert entry.action == "correct reward"
    assert json.loads(entry.before) == {"eventId": "event-7", "reward": [was]}
    assert json.loads(entry.after)["reward"] == [0.25]


def test_a_locked_loop_is_not_corrected(stores: AuditedStores, logs: LoopStores) -> None:
    lifecycle.lock(stores, "default", against="change")
    was = reward_of(logs, "event-7")
    with pytest.raises(LoopLocked):
        reward_corrections.correct_reward(stores, "default", "event-7", 0.25)
    assert reward_of(logs, "event-7") == was
