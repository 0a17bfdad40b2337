"""A past decision is the same again, whether its model is stored, pruned, or was none; a forged one is not."""

import msgspec
import pytest

from sartor.errors import EventNotFound, ModelNotFound
from sartor.ports import EngineFactory, Loop, LoopStores
from sartor.records import LoggedDecision
from sartor.runtime import compose
from sartor.testing.builders import make_loop
from sartor.testing.models import KEPT
from sartor.testing.stores import MemoryStores
from sartor.verification import decision_replay, model_replay
from sartor.verification.model_replay import ReplayComparison
from tests.unit.instance import learn, play
from tests.unit.learn.training_loop import ENGINES


@pytest.fixture(scope="module")
def factory() -> EngineFactory:
    return compose.engine_factory()


@pytest.fixture(scope="module", params=list(ENGINES.values()), ids=list(ENGINES))
def loop(request: pytest.FixtureRequest) -> Loop:
    return make_loop(arguments=request.param)


@pytest.fixture(scope="module")
def logs(loop: Loop, factory: EngineFactory) -> LoopStores:
    """More models than are kept, each with decisions of its own."""
    logs = MemoryStores().open(loop)
    for number in range(KEPT + 3):
        play(loop, logs, factory, first=4 * number, count=4)
        learn(loop, logs, factory, ahead_s=400 * number)
    return logs


@pytest.mark.parametrize(
    ("event_id", "source"),
    [("event-0", "none"), ("event-5", "replayed"), ("event-80", "stored")],
)
def test_a_decision_is_the_same_again(
    loop: Loop, logs: LoopStores, factory: EngineFactory, event_id: str, source: str
) -> None:
    (logged,) = decision_replay.find_decisions(logs, event_id)
    result = decision_replay.replay_decision(loop, logs, logged, factory)
    assert result.model_from == source
    assert result.same
    assert result.exact
    assert result.now == logged.decision


def test_a_forged_decision_is_not(loop: Loop, logs: LoopStores, factory: EngineFactory) -> None:
    (logged,) = decision_replay.find_decisions(logs, "event-80")
    forged = msgspec.structs.replace(logged.decision, chosen=(logged.decision.chosen + 1) % 3)
    result = decision_replay.replay_decision(
        loop, logs, LoggedDecision(logged.seq, logged.at_us, forged), factory
    )
    assert result.differs == ("chosen",)
    assert not result.drawn_by_rounding


def test_another_loop_draws_otherwise(logs: LoopStores, factory: EngineFactory) -> None:
    stranger = make_loop("stranger")
    numbers = range(40)
    found = [one for number in numbers for one in decision_replay.find_decisions(logs, f"event-{number}")]
    assert not all(decision_replay.replay_decision(stranger, logs, one, factory).same for one in found)


def test_two_decisions_may_share_an_id(loop: Loop, factory: EngineFactory) -> None:
    logs = MemoryStores().open(loop)
    for _ in range(2):
        play(loop, logs, factory, first=7, count=1)
    learn(loop, logs, factory, ahead_s=0)
    assert [logged.seq for logged in decision_replay.find_decisions(logs, "event-7")] == [1, 2]


def test_what_was_never_decided_is_not_found(logs: LoopStores) -> None:
    with pytest.raises(EventNotFound, match="'nothing'"):
        decision_replay.find_decisions(logs, "nothing")


def test_a_decision_of_an_unknown_model_can_not_be_computed(
    loop: Loop, logs: LoopStores, factory: EngineFactory
) -> None:
    (logged,) = decision_replay.find_decisions(logs, "event-80")
    strange = msgspec.structs.replace(logged.decision, model_id="strange")
    with pytest.raises(ModelNotFound, match="'strange'"):
        decision_replay.replay_decision(loop, logs, LoggedDecision(logged.seq, logged.at_us, strange), factory)


def test_the_live_model_equals_its_replay(logs: LoopStores, factory: EngineFactory) -> None:
    live = logs.models.live()
    assert live is not None
    assert model_replay.compare_with_replay(live, logs, factory, decisions=50) == ReplayComparison(compared=50)


def test_a_model_that_learned_something_else_is_found(logs: LoopStores, factory: EngineFactory) -> None:
    live = logs.models.live()
    assert live is not None
    shorter = msgspec.structs.replace(live, last_outcome=live.last_outcome - 30)
    found = model_replay.compare_with_replay(shorter, logs, factory, decisions=50)
    assert found.compared == 50
    (problem,) = found.problems
    assert "is not what its outcomes teach" in problem
