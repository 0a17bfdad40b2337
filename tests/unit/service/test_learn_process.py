"""The learn process follows the catalog, and one broken loop does not stop the others."""

import logging
import time
from contextlib import closing
from pathlib import Path

import pytest

from sartor.errors import Corrupt
from sartor.management import loops
from sartor.ports import Engine, Loop, LoopStores
from sartor.records import Observation
from sartor.runtime import compose
from sartor.runtime.shutdown import StopSignal
from sartor.service.learn_process import LearnProcess
from sartor.stores.stores import open_stores
from sartor.testing.builders import make_decision, make_loop
from sartor.testing.stores import MemoryStores

BROKEN = "--cb_explore_adf --squarecb --gamma_scale 7"


def factory(arguments: str, blob: bytes | None = None, /) -> Engine:
    """Engines that learn; none for the settings of a broken loop."""
    if arguments.startswith(BROKEN):
        raise Corrupt("This loop is broken, as a test asked.")
    return compose.engine_factory()(arguments, blob)


class Seconds:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def stores() -> MemoryStores:
    return MemoryStores()


def record_reward(stores: MemoryStores, loop: Loop, event_id: str = "event") -> None:
    """One decision and its reward."""
    stores.open(loop).events.append([make_decision(event_id), Observation(event_id=event_id, reward=1.0)])


def learned(stores: MemoryStores, loop: Loop) -> int:
    live = stores.open(loop).models.live()
    return 0 if live is None else live.learned


def run_rounds(learner: LearnProcess, *, for_s: float = 0.3) -> None:
    until = time.monotonic() + for_s
    while time.monotonic() < until:
        time.sleep(min(learner.run_once(), 0.01))


def test_every_loop_learns(stores: MemoryStores) -> None:
    made = [loops.create_loop(stores, name) for name in ("a", "b")]
    for loop in made:
        record_reward(stores, loop)
    LearnProcess(stores, factory).run_once()
    assert [learned(stores, loop) for loop in made] == [1, 1]


def test_a_new_loop_is_seen_at_the_next_round(stores: MemoryStores) -> None:
    learner = LearnProcess(stores, factory)
    learner.run_once()
    loop = loops.create_loop(stores, "late")
    record_reward(stores, loop)
    learner.run_once()
    assert learned(stores, loop) == 1


def test_new_settings_are_used_at_the_next_round(stores: MemoryStores) -> None:
    loop = loops.create_loop(stores, "a")
    loops.change_settings(stores, "a", {"learnWhen": "window"})
    record_reward(stores, loop)
    learner = LearnProcess(stores, factory)
    learner.run_once()
    assert learned(stores, loop) == 0
    loops.change_settings(stores, "a", {"learnWhen": "reward"})
    learner.run_once()
    assert learned(stores, loop) == 1


def test_a_loop_made_again_under_its_name_is_another(stores: MemoryStores) -> None:
    learner = LearnProcess(stores, factory)
    first = loops.create_loop(stores, "a")
    learner.run_once()
    stores.catalog.delete("a")
    second = loops.create_loop(stores, "a")
    record_reward(stores, second)
    learner.run_once()
    assert (learned(stores, first), learned(stores, second)) == (0, 1)


def test_a_broken_loop_does_not_stop_the_others(stores: MemoryStores, caplog: pytest.LogCaptureFixture) -> None:
    broken = make_loop("a", arguments=BROKEN)
    stores.catalog.create(broken)
    sound = loops.create_loop(stores, "b")
    for loop in (broken, sound):
        record_reward(stores, loop)
    attempts: list[str] = []

    def counting(arguments: str, blob: bytes | None = None, /) -> Engine:
        attempts.append(arguments)
        return factory(arguments, blob)

    run_rounds(LearnProcess(stores, counting))
    assert (learned(stores, broken), learned(stores, sound)) == (0, 1)
    errors = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert errors == ["Loop 'a': This loop is broken, as a test asked."]
    assert 1 <= attempts.count(broken.arguments) <= 2, "it waits longer each time before it tries again"


def test_a_broken_loop_that_is_mended_learns(stores: MemoryStores) -> None:
    broken = make_loop("a", arguments=BROKEN)
    stores.catalog.create(broken)
    record_reward(stores, broken)
    learner = LearnProcess(stores, factory)
    learner.run_once()
    assert learned(stores, broken) == 0
    loops.set_policy(stores, "a", None)
    learner.run_once()
    assert learned(stores, broken) == 1


def test_a_full_disk_is_waited_out(stores: MemoryStores) -> None:
    loop = loops.create_loop(stores, "a")
    record_reward(stores, loop)
    learner = LearnProcess(stores, factory)
    learner.run_once()
    record_reward(stores, loop, "second")
    stores.disk.failing = True
    assert learner.run_once() > 0
    stores.disk.failing = False
    run_rounds(learner, for_s=0.5)
    assert stores.open(loop).outcomes.counts().outcomes == 2


def test_it_ends_when_the_stop_signal_is_set(stores: MemoryStores) -> None:
    stop_signal = StopSignal()
    stop_signal.set()
    LearnProcess(stores, factory).run(stop_signal)
    assert stop_signal.is_set


def test_an_idle_loop_is_not_visited_without_pause(stores: MemoryStores) -> None:
    loops.create_loop(stores, "a")
    learner = LearnProcess(stores, factory)
    pauses = [learner.run_once() for _ in range(3)]
    assert all(pause > 0.01 for pause in pauses)


def test_a_loop_that_was_never_used_holds_no_engine(stores: MemoryStores) -> None:
    made: list[str] = []

    def counting(arguments: str, blob: bytes | None = None, /) -> Engine:
        made.append(arguments)
        return factory(arguments, blob)

    loop = loops.create_loop(stores, "a")
    learner = LearnProcess(stores, counting)
    learner.run_once()
    assert made == []
    record_reward(stores, loop)
    run_rounds(learner, for_s=0.1)
    assert len(made) == 1


def test_a_loop_that_can_not_be_closed_keeps_no_other_from_it(caplog: pytest.LogCaptureFixture) -> None:
    closed: list[str] = []

    class Closing(MemoryStores):
        def open(self, loop: Loop, /) -> LoopStores:  # type: ignore[override]
            logs = super().open(loop)

            def close() -> None:
                closed.append(loop.name)
                if loop.name == "a":
                    raise ZeroDivisionError("a bug")

            logs.close = close  # type: ignore[method-assign]
            return logs

    closing = Closing()
    for name in ("a", "b"):
        loops.create_loop(closing, name)
    learner = LearnProcess(closing, factory)
    learner.run_once()
    learner.close()
    assert closed == ["a", "b"]
    assert "The learner of a loop could not be closed: a bug" in caplog.text


def test_a_loop_that_fails_is_among_the_problems_until_it_recovers(stores: MemoryStores) -> None:
    broken, sound = (make_loop(name) for name in ("a", "b"))
    for loop in (broken, sound):
        stores.catalog.create(loop)
        record_reward(stores, loop)
    stores.broken = {"a"}
    learner = LearnProcess(stores, factory)
    learner.run_once()
    (problem,) = learner.find_problems()
    assert (problem.loop_id, problem.loop, problem.fatal) == (broken.loop_id, "a", True)
    assert problem.message == "Settling and learning failed: The folder of a can't be opened."
    stores.broken = set()
    run_rounds(learner, for_s=0.6)
    assert learner.find_problems() == []
    learner.close()


def test_what_a_part_of_the_learning_says_is_wrong_is_a_problem_of_its_loop(
    stores: MemoryStores, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> int:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("sartor.metrics.checkpointed_fold.CheckpointedFold.step", fail)
    loop = loops.create_loop(stores, "a")
    record_reward(stores, loop)
    learner = LearnProcess(stores, factory)
    learner.run_once()
    problem = learner.find_problems()[0]
    assert (problem.loop_id, problem.loop, problem.fatal) == (loop.loop_id, "a", False)
    assert "scorecard" in problem.message.lower()
    learner.close()


def test_a_log_without_a_time_is_one_failure_until_it_is_mended(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Each attempt begins with reading what open decisions have already, which goes well."""
    caplog.set_level(logging.INFO)
    clock = Seconds()
    with closing(open_stores(tmp_path)) as stores:
        loop = loops.create_loop(stores, "a")
        with closing(stores.open(loop)) as logs:
            for number in range(3):
                event_id = f"event-{number}"
                logs.events.append([make_decision(event_id), Observation(event_id=event_id, reward=1.0)])
        latest_time = tmp_path / "loops" / "a" / "latest-time"
        content = latest_time.read_bytes()
        latest_time.write_bytes(b"garbage!" * 5)
        learner = LearnProcess(stores, factory, clock_s=clock)
        for _ in range(40):
            learner.run_once()
            clock.now_s += 0.5
        assert [problem.loop for problem in learner.find_problems()] == ["a"]
        assert [record.levelname for record in caplog.records if "'a'" in record.getMessage()] == ["ERROR"]
        latest_time.write_bytes(content)
        for _ in range(40):
            learner.run_once()
            clock.now_s += 0.5
        assert learner.find_problems() == []
        learner.close()
    assert [record.levelname for record in caplog.records if "'a'" in record.getMessage()] == ["ERROR", "INFO"]
