"""A log with rewards from before rewards had a range: they are set aside and named; all other figures stand."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from sartor.estimators.scorecard import Scorecard
from sartor.evaluation.feature_importance import run_importance
from sartor.evaluation.html.page import render_report
from sartor.evaluation.report import EvaluationReport
from sartor.evaluation.run import run_evaluation
from sartor.evaluation.spec import EvaluationSpec, ImportanceSpec, PolicySpec
from sartor.evaluation.time_range import find_outcome_range
from sartor.learn.trainer import Trainer
from sartor.log.settler import Settler
from sartor.metrics.apprentice import ApprenticeMatchFold, MatchSums
from sartor.metrics.learning_metrics import read_choices, windows_by_time
from sartor.metrics.scorecard import SCORECARD, read_scorecard
from sartor.ports import Loop, LoopStores
from sartor.records import Observation
from sartor.runtime import compose
from sartor.settings import LoopSettings
from sartor.stores.stores import open_stores
from sartor.testing.builders import make_decision, make_loop
from sartor.testing.fakes import Clock
from sartor.testing.stores import MemoryStores
from sartor.verification.doctor import check_loop
from tests.unit.evaluation.small_logs import LINEAR, SQUARE, fill

EVENTS = 400
OLD = {3: 1.7e308, 40: -1.7e308, 41: 1e51, 200: math.inf, 201: -math.inf, 399: math.nan}
"""Numbers of outcomes, and the rewards that they have."""


class OldLog:
    """A folder with a log in which some outcomes have rewards that would be refused now."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        clock = Clock()
        self.stores = open_stores(folder, clock_us=clock)
        self.stores.catalog.create(make_loop(arguments=SQUARE))
        self.loop: Loop = self.stores.catalog.loops()[0]
        self.logs: LoopStores = self.stores.open(self.loop)
        fill(self.logs, self.loop, clock, turns=EVENTS)
        for seq, reward in OLD.items():
            (logged,) = self.logs.outcomes.outcomes(after=seq - 1, limit=1)
            self.logs.outcomes.amend([replace(logged.outcome, reward=reward)])


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OldLog]:
    log = OldLog(tmp_path_factory.mktemp("old") / "data")
    yield log
    log.logs.close()
    log.stores.close()


def find_odd_numbers(value: Any, path: str = "") -> list[str]:
    """Where JSON holds null in the place of a number that is not finite, or one beyond all sense."""
    if isinstance(value, dict):
        return [odd for name, inner in value.items() for odd in find_odd_numbers(inner, f"{path}.{name}")]
    if isinstance(value, list):
        return [odd for place, inner in enumerate(value) for odd in find_odd_numbers(inner, f"{path}[{place}]")]
    return [path] if isinstance(value, float) and not abs(value) < 1e6 else []


def test_an_evaluation_counts_the_others_and_names_them(old: OldLog) -> None:
    spec = EvaluationSpec(
        name="e", start_us=0, end_us=2**53, policies=(PolicySpec(name="linear", arguments=LINEAR),)
    )
    result = run_evaluation(old.logs, old.loop, spec, job_id="evaluation/e", where=str(old.folder))
    assert [round(one.total.events) for one in result.policies] == [EVENTS - len(OLD)] * 4
    shown = json.loads(msgspec.json.encode(result))
    assert not find_odd_numbers(shown)
    assert all(math.isfinite(one.total.expected_reward) for one in result.policies)
    report = msgspec.json.decode(bytes(result.report), type=EvaluationReport)
    assert report.notes == (
        "6 outcomes of the log set aside: a reward is between -1e+50 and 1e+50. 'sartor doctor' names them.",
    )
    assert report.decisions == EVENTS - len(OLD)
    assert "6 outcomes of the log set aside" in render_report(report)


def test_the_range_of_rewards_is_that_of_the_others(old: OldLog) -> None:
    found = find_outcome_range(old.logs, start_us=0, end_us=2**53)
    assert (found.lowest, found.highest, found.set_aside) == (0.0, 1.0, len(OLD))


def test_importance_is_measured_over_the_others(old: OldLog) -> None:
    spec = ImportanceSpec(name="i", start_us=0, end_us=2**53)
    result = run_importance(old.logs, old.loop, spec, where=str(old.folder))
    assert result.scores
    assert not find_odd_numbers(json.loads(msgspec.json.encode(result)))


def test_metrics_and_scorecard_are_those_of_the_others(old: OldLog) -> None:
    choices = read_choices(old.logs.events, old.logs.outcomes, after=0, until=EVENTS)
    (windows,) = windows_by_time(choices, start_us=0, end_us=2**53, width_us=2**53).values()
    assert sum(window.events for window in windows) == EVENTS - len(OLD)
    assert sum(window.set_aside for window in windows) == len(OLD)
    assert 0 < sum(window.rewards for window in windows) <= EVENTS
    view = read_scorecard(old.logs).view(now_us=Clock()())
    assert (view.events, view.set_aside) == (EVENTS - len(OLD), len(OLD))
    assert not find_odd_numbers(json.loads(msgspec.json.encode(view)))


def test_the_doctor_names_them_and_finds_nothing_wrong(old: OldLog) -> None:
    report = check_loop(old.loop, old.logs, compose.engine_factory(), replay=False)
    assert report.healthy
    assert report.notes == (
        "Outcomes that are set aside, because a reward is between -1e+50 and 1e+50: "
        "3, 40, 41, 200, 201 and 1 more.",
    )


def test_the_loop_learns_and_its_model_is_a_replay_of_the_log(old: OldLog) -> None:
    trainer = Trainer(old.logs.events, old.logs.outcomes, old.logs.models, compose.engine_factory())
    trainer.step(old.loop, now_us=Clock()() + 10**12)
    trainer.close()
    assert trainer.problem is None
    live = old.logs.models.live()
    assert live is not None
    assert live.last_outcome == EVENTS
    # A cost is learned at 1e9 at most; a model from before learned the finite ones so, and must stay a replay.
    assert live.learned == EVENTS - 3
    report = check_loop(old.loop, old.logs, compose.engine_factory(), replay=True)
    assert report.compared == 200
    assert report.healthy, report.problems


def test_checkpoints_from_before_are_folded_again(old: OldLog) -> None:
    stale = read_scorecard(old.logs)
    stale.open_step.highest = 1.7e308
    old.logs.blobs.put(SCORECARD.name, stale.state())
    assert read_scorecard(old.logs).events == EVENTS - len(OLD)
    with pytest.raises(Exception, match="before rewards had a range"):
        Scorecard.from_state(stale.state())
    for rewards in (1.7e308, math.inf, math.nan):
        fold = ApprenticeMatchFold(last=3, total=MatchSums(events=3, rewards=rewards))
        with pytest.raises(Exception, match="before rewards had a range"):
            ApprenticeMatchFold.from_state(fold.state())


@pytest.mark.parametrize("how", ["earliest", "sum", "average", "median", "min", "max"])
@pytest.mark.parametrize("waiting", [[1.7e308], [-math.inf], [2e50, -2e50]])
def test_rewards_that_wait_are_passed_over(how: str, waiting: list[float]) -> None:
    clock = Clock()
    logs = MemoryStores(clock_us=clock).open(make_loop())
    settings = LoopSettings(reward_aggregation=how, default_reward=0.25)  # type: ignore[arg-type]
    logs.events.append([make_decision("old"), make_decision("both")])
    logs.events.append([Observation(event_id="old", reward=one) for one in waiting])
    logs.events.append([Observation(event_id="both", reward=one) for one in [*waiting, 0.5]])
    clock.advance(settings.reward_wait_time.total_seconds())
    settler = Settler(logs.events, logs.outcomes)
    while settler.step(settings, settings_version=1):
        pass
    settled = {one.outcome.event_id: one.outcome.reward for one in logs.outcomes.outcomes(after=0, limit=9)}
    assert settled == {"old": 0.25, "both": 0.5}


@pytest.mark.parametrize(
    ("rewards", "settled"), [([1e50] * 3, 1e50), ([-1e50] * 3, -1e50), ([1e50, -1e50], 0.0)]
)
def test_sums_stay_in_range(rewards: list[float], settled: float) -> None:
    clock = Clock()
    logs = MemoryStores(clock_us=clock).open(make_loop())
    settings = LoopSettings(reward_aggregation="sum")
    logs.events.append([make_decision("e")])
    logs.events.append([Observation(event_id="e", reward=one) for one in rewards])
    clock.advance(settings.reward_wait_time.total_seconds())
    settler = Settler(logs.events, logs.outcomes)
    while settler.step(settings, settings_version=1):
        pass
    assert logs.outcomes.outcomes(after=0, limit=1)[0].outcome.reward == settled


def test_the_largest_and_the_smallest_rewards_are_evaluated(tmp_path: Path) -> None:
    log = OldLog(tmp_path / "data")
    extreme = {**dict.fromkeys(OLD, 1e50), 7: -1e50, 8: 5e-324, 9: -0.0}
    for seq, reward in extreme.items():
        (logged,) = log.logs.outcomes.outcomes(after=seq - 1, limit=1)
        log.logs.outcomes.amend([replace(logged.outcome, reward=reward)])
    spec = EvaluationSpec(name="e", start_us=0, end_us=2**53, policies=())
    result = run_evaluation(log.logs, log.loop, spec, job_id="evaluation/e", where=str(log.folder))
    for policy in result.policies:
        assert policy.total.events == EVENTS
        for number in (policy.total.expected_reward, policy.total.low, policy.total.high):
            assert math.isfinite(number)
    msgspec.json.decode(bytes(result.report), type=EvaluationReport)
    log.logs.close()
    log.stores.close()
