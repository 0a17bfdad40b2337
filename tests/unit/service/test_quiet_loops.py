"""Loops without work cost a look at their files; what falls due, or is committed, is done all the same."""

import os
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from sartor.management import loops
from sartor.ports import Engine, Loop
from sartor.records import Observation
from sartor.runtime import compose
from sartor.service import loop_learner
from sartor.service.due_loops import DueLoops
from sartor.service.learn_process import LOOKS_PER_S, LearnProcess
from sartor.stores import file_marks
from sartor.stores.open_connections import OPEN_CONNECTIONS
from sartor.stores.stores import SqliteStores, open_stores
from sartor.testing.builders import make_decision, make_loop
from sartor.testing.stores import MemoryStores

COUNT = 1_000


def factory(arguments: str, blob: bytes | None = None, /) -> Engine:
    return compose.engine_factory()(arguments, blob)


class Steps:
    """How many steps the pipelines of loops did, by name, in a time that the test sets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.done: Counter[str] = Counter()
        self.now_s = 0.0
        step = loop_learner._LoopPipeline.step

        def counting(pipeline: loop_learner._LoopPipeline, loop: Loop) -> bool:
            self.done[loop.name] += 1
            return step(pipeline, loop)

        monkeypatch.setattr(loop_learner._LoopPipeline, "step", counting)

    def run(self, learner: LearnProcess, *, for_s: float) -> int:
        """Run rounds for some seconds of that time; returns how many there were."""
        until_s, rounds = self.now_s + for_s, 0
        while self.now_s < until_s:
            self.now_s += max(0.001, learner.run_once())
            rounds += 1
        return rounds


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Steps:
    return Steps(monkeypatch)


@pytest.fixture
def thousand() -> tuple[MemoryStores, list[Loop]]:
    stores = MemoryStores()
    made = [make_loop(f"loop-{number:04d}") for number in range(COUNT)]
    for loop in made:
        stores.catalog.create(loop)
    return stores, made


def learned(stores: MemoryStores | SqliteStores, loop: Loop) -> int:
    live = stores.open(loop).models.live()
    return 0 if live is None else live.learned


def record_reward(stores: MemoryStores | SqliteStores, loop: Loop, event_id: str) -> None:
    stores.open(loop).events.append([make_decision(event_id), Observation(event_id=event_id, reward=1.0)])


def test_a_thousand_loops_without_work_take_no_steps(
    thousand: tuple[MemoryStores, list[Loop]], steps: Steps
) -> None:
    stores, _ = thousand
    learner = LearnProcess(stores, factory, clock_s=lambda: steps.now_s)
    steps.run(learner, for_s=3)
    steps.done.clear()
    stores.catalog.loops_read = 0
    steps.run(learner, for_s=20)
    assert steps.done.total() == 0
    assert stores.catalog.loops_read == 0
    steps.run(learner, for_s=60)
    assert set(steps.done.values()) == {1}, "now and then each is looked at all the same"


def test_of_a_thousand_loops_only_the_one_with_an_event_takes_steps(
    thousand: tuple[MemoryStores, list[Loop]], steps: Steps
) -> None:
    stores, made = thousand
    learner = LearnProcess(stores, factory, clock_s=lambda: steps.now_s)
    steps.run(learner, for_s=3)
    for loop in (made[0], made[500], made[-1]):
        steps.done.clear()
        record_reward(stores, loop, "event")
        steps.run(learner, for_s=3)
        assert learned(stores, loop) == 1
        assert set(steps.done) == {loop.name}


def test_a_change_of_one_loop_reads_and_steps_that_one(
    thousand: tuple[MemoryStores, list[Loop]], steps: Steps
) -> None:
    stores, made = thousand
    learner = LearnProcess(stores, factory, clock_s=lambda: steps.now_s)
    steps.run(learner, for_s=3)
    for number in range(10):
        steps.done.clear()
        stores.catalog.loops_read = 0
        stores.catalog.update(replace(made[7], policy_name=f"policy-{number}"))
        learner.run_once()
        assert stores.catalog.loops_read == 1
        assert steps.done == {made[7].name: 1}


def test_a_busy_loop_costs_no_look_at_the_others(
    thousand: tuple[MemoryStores, list[Loop]], steps: Steps
) -> None:
    stores, made = thousand
    learner = LearnProcess(stores, factory, clock_s=lambda: steps.now_s)
    steps.run(learner, for_s=3)
    looks, start_s = Counter[str](), steps.now_s
    original = loop_learner.LoopLearner.step

    def looking(one: loop_learner.LoopLearner, *, longest_quiet_s: float = 0.0) -> None:
        looks[one.name] += 1
        original(one, longest_quiet_s=longest_quiet_s)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop_learner.LoopLearner, "step", looking)
        for number in range(100):
            record_reward(stores, made[3], f"event-{number}")
            steps.run(learner, for_s=0.01)
    assert looks[made[3].name] >= 20
    assert looks.total() - looks[made[3].name] <= COUNT + LOOKS_PER_S * (steps.now_s - start_s)


def run_until(learner: LearnProcess, condition: object, *, within_s: float = 20.0) -> None:
    assert callable(condition)
    until = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < until
        time.sleep(min(0.02, learner.run_once()))


def rest(learner: LearnProcess, *, for_s: float) -> None:
    until = time.monotonic() + for_s
    while time.monotonic() < until:
        time.sleep(min(0.02, learner.run_once()))


def test_a_window_that_ends_is_settled_although_nothing_is_committed() -> None:
    stores = MemoryStores()
    loop = loops.create_loop(stores, "a")
    changed = {"learnWhen": "window", "rewardWaitTime": "PT3S"}
    loop = loops.change_settings(stores, "a", changed)
    learner = LearnProcess(stores, factory)
    record_reward(stores, loop, "event")
    rest(learner, for_s=1.5)
    assert learned(stores, loop) == 0
    run_until(learner, lambda: learned(stores, loop) == 1)


def test_a_model_that_falls_due_is_published_although_nothing_is_committed() -> None:
    stores = MemoryStores()
    loops.create_loop(stores, "a")
    loop = loops.change_settings(stores, "a", {"modelExportFrequency": "PT3S"})
    learner = LearnProcess(stores, factory)
    record_reward(stores, loop, "first")
    run_until(learner, lambda: learned(stores, loop) == 1)
    record_reward(stores, loop, "second")
    rest(learner, for_s=1.0)
    assert learned(stores, loop) == 1
    run_until(learner, lambda: learned(stores, loop) == 2)


@pytest.fixture
def folder_stores(tmp_path: Path) -> Iterator[SqliteStores]:
    made = open_stores(tmp_path)
    yield made
    made.close()


def test_quiet_loops_in_files_keep_no_files_open_for_long_and_learn_what_comes(
    folder_stores: SqliteStores, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_marks, "RECENT_S", 0.05)
    monkeypatch.setattr(OPEN_CONNECTIONS, "_most", lambda: 6)
    made = [loops.create_loop(folder_stores, f"loop-{number}") for number in range(8)]
    learner = LearnProcess(folder_stores, factory)
    rest(learner, for_s=1.5)
    steps.done.clear()
    rest(learner, for_s=1.0)
    assert steps.done.total() == 0
    assert OPEN_CONNECTIONS.open <= 6
    for number, loop in enumerate(made):
        record_reward(folder_stores, loop, f"event-{number}")
    run_until(learner, lambda: all(learned(folder_stores, loop) == 1 for loop in made))
    assert OPEN_CONNECTIONS.open <= 6
    learner.close()


def test_loops_are_due_at_their_last_time_and_until_they_are_scheduled_again() -> None:
    due = DueLoops()
    assert (due.find(100.0), due.next_s()) == (set(), float("inf"))
    for loop_id, at_s in (("a", 1.0), ("b", 2.0), ("c", 3.0), ("a", 4.0)):
        due.schedule(loop_id, at_s)
    assert due.find(2.5) == {"b"}
    assert due.find(3.5) == {"b", "c"}
    due.schedule("b", 9.0)
    due.drop("c")
    assert due.find(4.0) == {"a"}
    due.drop("a")
    assert (due.find(8.0), due.next_s()) == (set(), 9.0)
    due.schedule("b", 1.0)
    due.schedule("b", 9.0)
    assert due.find(8.5) == set()
    assert due.find(9.0) == {"b"}


def test_after_a_start_loops_that_are_used_are_followed_before_those_that_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps: Steps
) -> None:
    stores = open_stores(tmp_path)
    made = [make_loop(f"loop-{number:02d}") for number in range(60)]
    for loop in made:
        stores.catalog.create(loop)
    monkeypatch.setattr(file_marks, "RECENT_S", 0.0)
    learner = LearnProcess(stores, factory, clock_s=lambda: steps.now_s)
    step = loop_learner._LoopPipeline.step

    def slow(pipeline: loop_learner._LoopPipeline, loop: Loop) -> bool:
        steps.now_s += 0.02
        return step(pipeline, loop)

    monkeypatch.setattr(loop_learner._LoopPipeline, "step", slow)
    learner.run_once()
    assert 8 <= len(steps.done) <= 12, "a round does not open them all"
    monkeypatch.setattr(file_marks, "RECENT_S", 5.0)
    for one in (tmp_path / "loops").rglob("*.sqlite*"):
        os.utime(one, (1_000, 1_000))
    used = (made[1], made[59])
    for number, loop in enumerate(used):
        record_reward(stores, loop, f"event-{number}")
    steps.done.clear()
    for _ in range(2):
        steps.now_s += max(0.1, learner.run_once())
    assert [learned(stores, loop) for loop in used] == [1, 1]
    assert len(steps.done) < 40, "it did not open all others for that"
    for _ in range(20):
        steps.now_s += max(0.1, learner.run_once())
    assert len(steps.done) == 60, "the others have their turns too"
    learner.close()
    stores.close()


@pytest.mark.parametrize("broken", ["loop-0000", "loop-0500", "loop-0999"])
def test_a_loop_that_is_not_followed_is_named_and_the_others_learn(
    thousand: tuple[MemoryStores, list[Loop]], steps: Steps, broken: str
) -> None:
    stores, made = thousand
    stores.broken = {broken}
    learner = LearnProcess(stores, factory, clock_s=lambda: steps.now_s)
    others = [loop for loop in (made[0], made[1], made[998], made[999]) if loop.name != broken]
    for loop in others:
        record_reward(stores, loop, "event")
    steps.run(learner, for_s=3)
    assert [learned(stores, loop) for loop in others] == [1] * len(others)
    assert [(problem.loop, problem.fatal) for problem in learner.find_problems()] == [(broken, True)]
    stores.broken = set()
    steps.run(learner, for_s=10)
    assert learner.find_problems() == []
