"""A log that lost its beginning to retention is in order, and what can't be checked any more is said."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from sartor.errors import ModelNotFound
from sartor.log import joined_log
from sartor.management import loops
from sartor.ports import Engine, EngineFactory, Loop, LoopStores, Stores
from sartor.records import Observation
from sartor.runtime import compose
from sartor.stores.stores import open_stores
from sartor.testing.builders import make_decision, make_loop
from sartor.testing.fakes import Clock
from sartor.testing.stores import MemoryStores
from sartor.verification import decision_replay
from sartor.verification.doctor import check_loop
from sartor.verification.log_integrity import LogIntegrityCheck
from tests.unit.instance import learn, play


@pytest.fixture(scope="module")
def factory() -> EngineFactory:
    return compose.engine_factory()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", "memory"])
def stores(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Stores]:
    made: Stores = MemoryStores(clock_us=clock)
    if request.param == "sqlite":
        made = open_stores(tmp_path / "data", clock_us=clock)
    yield made
    made.close()


@pytest.fixture
def loop(stores: Stores) -> Loop:
    loop = make_loop("articles")
    stores.catalog.create(loop)
    return loop


@pytest.fixture
def logs(stores: Stores, loop: Loop, factory: EngineFactory, clock: Clock) -> Iterator[LoopStores]:
    """A loop that learned 40 outcomes in two models, 20 an hour, and waits for no reward any more."""
    with loops.open_loop(stores, loop) as logs:
        for part in range(2):
            play(loop, logs, factory, first=20 * part, count=20)
            learn(loop, logs, factory, ahead_s=400 * part)
            clock.advance(3_600)
            learn(loop, logs, factory, ahead_s=400 * part)
        yield logs


def forget(stores: Stores, loop: Loop, logs: LoopStores, *, outcomes: int) -> None:
    (kept,) = logs.outcomes.outcomes(after=outcomes, limit=1)
    assert stores.apply_retention(loop, before_us=kept.outcome.settled_at_us) > 0


def test_a_log_without_its_beginning_is_in_order(stores: Stores, loop: Loop, logs: LoopStores) -> None:
    forget(stores, loop, logs, outcomes=20)
    census = LogIntegrityCheck()
    assert census.run(logs) == []
    assert (census.counts["decisions"], census.counts["outcomes"]) == (20, 20)
    assert (census.counts["observations"], census.counts["open"]) == (20, 0)
    assert len(list(joined_log.read_settled_lines(logs))) == 20


def test_what_was_settled_out_of_order_is_in_order(
    stores: Stores, loop: Loop, logs: LoopStores, clock: Clock, factory: EngineFactory
) -> None:
    logs.events.append([make_decision(f"new-{number}") for number in range(3)])
    logs.events.append([Observation(event_id="new-2", reward=1.0)])
    learn(loop, logs, factory, ahead_s=0)
    clock.advance(3_600)
    learn(loop, logs, factory, ahead_s=0)
    forget(stores, loop, logs, outcomes=41)
    assert [head.seq for head in logs.events.heads(after=0, limit=9)] == [41, 42, 43]
    census = LogIntegrityCheck()
    assert census.run(logs) == []
    assert (census.counts["decisions"], census.counts["outcomes"], census.counts["open"]) == (3, 2, 0)


def test_that_a_model_can_not_be_learned_again_is_a_note(
    stores: Stores, loop: Loop, logs: LoopStores, factory: EngineFactory
) -> None:
    assert check_loop(loop, logs, factory, replay=True).compared == 40
    forget(stores, loop, logs, outcomes=20)
    report = check_loop(loop, logs, factory, replay=True)
    assert (report.healthy, report.problems, report.compared) == (True, (), None)
    assert report.notes == (
        f"Model {report.live_model} can't be learned again to compare: "
        "the log begins with outcome 21, the model with 1.",
    )
    assert check_loop(loop, logs, factory, replay=False).notes == ()


def test_that_outcomes_were_amended_since_is_a_note(
    stores: Stores, loop: Loop, logs: LoopStores, factory: EngineFactory
) -> None:
    assert not stores.erase(loop, decisions=[3])
    report = check_loop(loop, logs, factory, replay=True)
    assert (report.healthy, report.compared) == (True, None)
    assert "revision 0 of the log, which is at 1" in report.notes[0]
    learn(loop, logs, factory, ahead_s=800)
    again = check_loop(loop, logs, factory, replay=True)
    assert (again.healthy, again.compared, again.notes) == (True, 40, ())


def test_a_decision_of_a_model_that_is_gone_for_good_can_not_be_recomputed(
    stores: Stores, loop: Loop, factory: EngineFactory, logs: LoopStores
) -> None:
    first = logs.models.history()[-1]
    assert logs.events.decisions(after=20, limit=1)[0].decision.model_id == first.model_id
    for number in range(21):
        lineage = replace(first, model_id=f"other-{number}")
        logs.models.publish(lineage, logs.models.blob(logs.models.history()[0].model_id), live=True)
    (logged,) = decision_replay.find_decisions(logs, "event-25")
    assert decision_replay.replay_decision(loop, logs, logged, factory).model_from == "replayed"
    forget(stores, loop, logs, outcomes=20)
    with pytest.raises(ModelNotFound, match="can't be learned again: the log begins with outcome 21"):
        decision_replay.replay_decision(loop, logs, logged, factory)


def test_that_retention_removes_what_is_being_learned_again_is_a_note(
    stores: Stores, loop: Loop, logs: LoopStores, factory: EngineFactory
) -> None:

    def retaining(arguments: str, blob: bytes | None = None, /) -> Engine:
        if blob is None:  # the engine of the replay: all others are loaded from the bytes of a model
            forget(stores, loop, logs, outcomes=20)
        return factory(arguments, blob)

    report = check_loop(loop, logs, retaining, replay=True)
    assert report.problems == ()
    assert report.compared is None
    assert "the log begins with outcome 21" in report.notes[0]
