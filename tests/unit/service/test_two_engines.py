"""Loops of both engines side by side, and a loop that goes from one to the other and back."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sartor.management import loops
from sartor.ports import Loop, LoopStores, Stores
from sartor.runtime import compose
from sartor.settings import VW_ARGUMENTS
from sartor.verification import decision_replay
from sartor.verification.doctor import check_all_loops, check_loop
from sartor.verification.explain import explain_event
from tests.unit.slots_world import learn, play

FACTORY = compose.engine_factory()
SECOND_ORDER = "--sartor"


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Stores]:
    with compose.open_instance(str(tmp_path / "data"), must_exist=False) as opened:
        yield opened


def create(stores: Stores, name: str, arguments: str) -> Loop:
    loops.create_loop(stores, name)
    return loops.set_policy(stores, name, arguments)


def play_and_learn(loop: Loop, logs: LoopStores, *, first: int, turn: int) -> int:
    """Forty decisions; returns how many of them chose what is worth something."""
    made = play(loop, logs, FACTORY, first=first, count=40)
    learn(loop, logs, FACTORY, ahead_s=1_000.0 * turn)
    return sum(decision.chosen == 2 for decision in made)


def test_loops_of_both_engines_learn_side_by_side(stores: Stores) -> None:
    both = [create(stores, "old", VW_ARGUMENTS), create(stores, "new", SECOND_ORDER)]
    for loop in both:
        with loops.open_loop(stores, loop) as logs:
            for turn in range(3):
                right = play_and_learn(loop, logs, first=40 * turn, turn=turn)
            assert right > 30
            live = logs.models.live()
            assert live is not None
            assert live.arguments == loop.effective_arguments
            (why,) = explain_event(logs, "event-110", FACTORY)
            assert why.explained[0].measure == "reward"
    reports = check_all_loops(stores, FACTORY, replay=True)
    assert {report.loop: (report.problems, report.compared) for report in reports} == {
        "old": ((), 120),
        "new": ((), 120),
    }


def test_a_loop_that_changes_its_engine_and_back_learns_the_last_days_again_and_serves(stores: Stores) -> None:
    loop = create(stores, "default", VW_ARGUMENTS)
    loop = loops.change_settings(stores, "default", {"modelRetrainDays": 1})
    with loops.open_loop(stores, loop) as logs:
        play_and_learn(loop, logs, first=0, turn=1)
        for turn, arguments in enumerate((SECOND_ORDER, VW_ARGUMENTS, SECOND_ORDER), start=1):
            before = logs.models.live()
            loop = loops.set_policy(stores, "default", arguments)
            assert logs.models.live() == before, "the model of the other engine serves until there is a new one"
            right = play_and_learn(loop, logs, first=40 * turn, turn=turn + 1)
            live = logs.models.live()
            assert live is not None
            assert (live.arguments, live.learned) == (loop.effective_arguments, 40 * (turn + 1))
            assert turn == 1 or right > 25
        assert check_loop(loop, logs, FACTORY, replay=True).problems == ()
        for number in (50, 90, 130):  # made by models of either engine
            (logged,) = decision_replay.find_decisions(logs, f"event-{number}")
            result = decision_replay.replay_decision(loop, logs, logged, FACTORY)
            assert (result.exact, result.model_from) == (True, "stored")
