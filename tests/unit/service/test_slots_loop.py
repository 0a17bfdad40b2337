"""A loop of several slots closes: it learns slot by slot, and everything about it can be computed again."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from sartor.errors import InvalidPolicy
from sartor.explore.recompute import recompute_decision
from sartor.log.joined_log import read_pending_lines, read_settled_lines
from sartor.management import loops
from sartor.management.policy_change import DEFAULT_SLOTS_ARGUMENTS
from sartor.ports import Loop, LoopStores, Stores
from sartor.records import Observation
from sartor.runtime import compose
from sartor.settings import DEFAULT_ARGUMENTS
from sartor.verification import decision_replay
from sartor.verification.doctor import check_loop
from sartor.verification.explain import explain_event
from tests.unit.slots_world import fill, learn, play

FACTORY = compose.engine_factory()


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Stores]:
    with compose.open_instance(str(tmp_path / "data"), must_exist=False) as opened:
        yield opened


@pytest.fixture
def loop(stores: Stores) -> Loop:
    """A loop of several slots."""
    loops.create_loop(stores, "default")
    return loops.set_policy(stores, "default", DEFAULT_SLOTS_ARGUMENTS)


@pytest.fixture
def trained(stores: Stores, loop: Loop) -> Iterator[LoopStores]:
    """Two models, 120 outcomes, and one decision that is open."""
    with loops.open_loop(stores, loop) as logs:
        for turn in range(4):
            fill(loop, logs, FACTORY, first=30 * turn, count=30)
            learn(loop, logs, FACTORY, ahead_s=1_000.0 * turn)
        fill(loop, logs, FACTORY, first=120, count=1)
        yield logs


def test_it_learns_what_belongs_into_each_slot(loop: Loop, trained: LoopStores) -> None:
    decisions = fill(loop, trained, FACTORY, first=1_000, count=60)
    assert sum(decision.slots[0].chosen == 2 for decision in decisions) > 45
    assert sum(decision.slots[1].chosen == 0 for decision in decisions) > 45


def test_every_decision_is_recomputed_bit_for_bit(loop: Loop, trained: LoopStores) -> None:
    for number in (0, 40, 100, 120):
        (logged,) = decision_replay.find_decisions(trained, f"event-{number}")
        again = decision_replay.replay_decision(loop, trained, logged, FACTORY)
        assert again.same, again.differs
    assert again.model_id == "N/A" or again.model_from == "stored"


def test_the_live_model_equals_a_replay_of_the_log(loop: Loop, trained: LoopStores) -> None:
    report = check_loop(loop, trained, FACTORY, replay=True)
    assert report.problems == ()
    assert report.compared == 121
    assert report.counts["learnable"] == report.counts["outcomes"] == 120


def test_the_exported_log_is_what_another_engine_learns_the_same_from(trained: LoopStores) -> None:
    live = trained.models.live()
    assert live is not None
    stored = FACTORY(live.arguments, trained.models.blob(live.model_id))
    bare = FACTORY(live.arguments)
    for line in read_settled_lines(trained):
        bare.learn(line)
    (logged,) = decision_replay.find_decisions(trained, "event-120")
    decision = msgspec.structs.replace(logged.decision, model_id=live.model_id)
    assert recompute_decision(decision, stored, loop_id="any") == recompute_decision(
        decision, bare, loop_id="any"
    )


def test_open_decisions_are_exported_without_labels(trained: LoopStores) -> None:
    (line,) = read_pending_lines(trained)
    assert line.startswith(b'{"_pending":true,"_skipLearn":true,"Timestamp":')
    assert b"_label_cost" not in line


def test_each_slot_is_explained(trained: LoopStores) -> None:
    (reasons,) = explain_event(trained, "event-120", FACTORY)
    top, side = reasons.explained
    assert top.measure == side.measure == "reward"
    assert {"Action.id", "Action.topic", "Context.device", "Slot.place"} == {
        feature.name for feature in top.actions[0].features
    }
    decision = reasons.logged.decision
    assert [one.actions[0].id for one in reasons.explained] == [
        decision.actions[slot.chosen].id for slot in decision.slots
    ]


def test_a_loop_gets_several_slots_for_good(stores: Stores) -> None:
    first = loops.create_loop(stores, "default")
    with loops.open_loop(stores, first) as logs:
        play(first, logs, FACTORY, first=0, count=20)
        learn(first, logs, FACTORY)
        assert logs.models.live() is not None
        loop = loops.set_policy(stores, "default", "--ccb_explore_adf --squarecb")
        assert logs.models.live() is None
        assert (loop.generation, loop.first_outcome) == (2, 21)
        learn(loop, logs, FACTORY)
        assert logs.models.live() is None
        fill(loop, logs, FACTORY, first=100, count=10)
        learn(loop, logs, FACTORY)
        live = logs.models.live()
        assert live is not None
        assert (live.generation, live.first_outcome, live.learned) == (2, 21, 10)
    with pytest.raises(InvalidPolicy, match="stays one"):
        loops.set_policy(stores, "default", DEFAULT_ARGUMENTS)
    assert loops.set_policy(stores, "default", None).arguments == DEFAULT_SLOTS_ARGUMENTS


def test_a_loop_that_optimises_itself_gets_no_slots(stores: Stores) -> None:
    loops.create_loop(stores, "default")
    loops.change_settings(stores, "default", {"isAutoOptimizationEnabled": "true"})
    with pytest.raises(InvalidPolicy, match="isAutoOptimizationEnabled"):
        loops.set_policy(stores, "default", DEFAULT_SLOTS_ARGUMENTS)


def test_what_was_decided_before_there_were_slots_is_settled_and_not_learned(stores: Stores) -> None:
    first = loops.create_loop(stores, "default")
    with loops.open_loop(stores, first) as logs:
        play(first, logs, FACTORY, first=0, count=3)
        loop = loops.set_policy(stores, "default", DEFAULT_SLOTS_ARGUMENTS)
        fill(loop, logs, FACTORY, first=10, count=5)
        logs.events.append([Observation(event_id="event-0", reward=1.0)])
        learn(loop, logs, FACTORY)
        live = logs.models.live()
        assert live is not None
        assert logs.outcomes.counts().outcomes == 8
        assert live.learned == 5
