"""What a loop learns in each learning mode (contract, section 2.6), by the mode of each decision."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sartor.management import loops
from sartor.management.policy_change import DEFAULT_SLOTS_ARGUMENTS
from sartor.metrics.apprentice import ApprenticeUpdater, read_apprentice_match
from sartor.ports import Loop, LoopStores, Stores
from sartor.runtime import compose
from sartor.verification import decision_replay
from sartor.verification.doctor import check_loop
from tests.unit.slots_world import fill, learn, play

FACTORY = compose.engine_factory()


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Stores]:
    with compose.open_instance(str(tmp_path / "data"), must_exist=False) as opened:
        loops.create_loop(opened, "default")
        yield opened


def play_and_learn(loop: Loop, logs: LoopStores, *, first: int = 0, turns: int = 3) -> None:
    for turn in range(turns):
        play(loop, logs, FACTORY, first=first + 40 * turn, count=40)
        learn(loop, logs, FACTORY, ahead_s=1_000.0 * (turn + first))


def switch_mode(stores: Stores, mode: str) -> Loop:
    return loops.change_settings(stores, "default", {"learningMode": mode})


def test_apprentice_learns_to_imitate_the_baseline_whatever_is_rewarded(stores: Stores) -> None:
    loop = switch_mode(stores, "Apprentice")
    with loops.open_loop(stores, loop) as logs:
        play_and_learn(loop, logs)
        decisions = play(loop, logs, FACTORY, first=900, count=60)
        assert sum(decision.chosen == 0 for decision in decisions) > 45
        assert check_loop(loop, logs, FACTORY, replay=True).problems == ()


def test_apprentice_of_several_slots_learns_the_baseline_of_each(stores: Stores) -> None:
    loops.set_policy(stores, "default", DEFAULT_SLOTS_ARGUMENTS)
    loop = switch_mode(stores, "Apprentice")
    with loops.open_loop(stores, loop) as logs:
        for turn in range(3):
            fill(loop, logs, FACTORY, first=40 * turn, count=40)
            learn(loop, logs, FACTORY, ahead_s=1_000.0 * turn)
        decisions = fill(loop, logs, FACTORY, first=900, count=60)
        assert sum(decision.slots[0].chosen == 0 for decision in decisions) > 45
        assert sum(decision.slots[1].chosen == 1 for decision in decisions) > 40
        for number in (0, 100, 930):
            (logged,) = decision_replay.find_decisions(logs, f"event-{number}")
            assert decision_replay.replay_decision(loop, logs, logged, FACTORY).same


def test_logging_only_logs_and_learns_nothing(stores: Stores) -> None:
    loop = switch_mode(stores, "LoggingOnly")
    with loops.open_loop(stores, loop) as logs:
        play_and_learn(loop, logs)
        assert logs.models.live() is None
        assert logs.outcomes.counts().outcomes == 120
        (logged,) = decision_replay.find_decisions(logs, "event-100")
        assert decision_replay.replay_decision(loop, logs, logged, FACTORY).same


def test_what_was_under_way_when_the_mode_changed_is_learned_by_the_mode_of_its_rank(stores: Stores) -> None:
    """The retired service lost it."""
    online = loops.find_loop(stores, "default")
    with loops.open_loop(stores, online) as logs:
        play(online, logs, FACTORY, first=0, count=30)
        apprentice = switch_mode(stores, "Apprentice")
        play(apprentice, logs, FACTORY, first=100, count=30)
        quiet = switch_mode(stores, "LoggingOnly")
        play(quiet, logs, FACTORY, first=200, count=30)
        learn(quiet, logs, FACTORY)
        live = logs.models.live()
        assert live is not None
        assert (live.last_outcome, live.learned) == (90, 60)
        assert check_loop(quiet, logs, FACTORY, replay=True).problems == ()


def test_how_well_the_model_imitates_is_counted(stores: Stores) -> None:
    loop = switch_mode(stores, "Apprentice")
    with loops.open_loop(stores, loop) as logs:
        assert read_apprentice_match(logs) is None
        decisions = play(loop, logs, FACTORY, first=0, count=50)
        learn(loop, logs, FACTORY)
        updater = ApprenticeUpdater(logs)
        while updater.try_step():
            pass
        updater.close()
        more = play(loop, logs, FACTORY, first=50, count=10)
        learn(loop, logs, FACTORY)
        metrics = read_apprentice_match(logs)
    assert metrics is not None
    matched = [decision for decision in (*decisions, *more) if decision.chosen == 0]
    assert (metrics.total.events, metrics.total.imitated) == (60, len(matched))
    assert metrics.total.rewards == sum(decision.chosen == 2 for decision in (*decisions, *more))
    assert metrics.recent == metrics.total


def test_counting_goes_on_after_a_crash_and_begins_again_when_outcomes_were_amended(stores: Stores) -> None:
    loop = switch_mode(stores, "Apprentice")
    with loops.open_loop(stores, loop) as logs:
        play(loop, logs, FACTORY, first=0, count=30)
        learn(loop, logs, FACTORY)
        first = ApprenticeUpdater(logs)
        first.step(limit=10)
        first.save()
        second = ApprenticeUpdater(logs)
        assert second.step() == 20
        logs.outcomes.amend([logs.outcomes.outcomes(after=0, limit=1)[0].outcome])
        assert second.step() == 30
        second.close()
        metrics = read_apprentice_match(logs)
    assert metrics is not None
    assert metrics.total.events == 30


def test_a_loop_that_never_was_an_apprentice_keeps_and_counts_nothing(stores: Stores) -> None:
    loop = loops.find_loop(stores, "default")
    with loops.open_loop(stores, loop) as logs:
        play_and_learn(loop, logs, turns=1)
        updater = ApprenticeUpdater(logs)
        assert updater.try_step(start=False) == 0
        updater.close()
        assert "apprentice" not in logs.blobs.names()
