"""An evaluation from spec to result: the numbers of both APIs, the report, the models that are kept."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from sartor.errors import InvalidEvaluation, InvalidSetting, NoLogsInRange, StoreUnavailable
from sartor.evaluation import run as module
from sartor.evaluation.batch import BatchResult, BatchTask, run_batch
from sartor.evaluation.executor import open_executor
from sartor.evaluation.feature_importance import run_importance
from sartor.evaluation.report import EvaluationReport
from sartor.evaluation.run import (
    SEARCHED_POLICIES,
    list_candidates,
    run_evaluation,
    searched_policies,
    split_batches,
)
from sartor.evaluation.spec import (
    WINDOWS_S,
    EvaluationResult,
    EvaluationSpec,
    ImportanceSpec,
    PolicySpec,
    decode_job,
    encode_job,
    merge_windows,
    model_name,
)
from sartor.learn.engines import create_engine as create_engine_of_settings
from sartor.learn.engines import fills_several_slots
from sartor.learn.policy import check_policy
from sartor.learn.vw import create_engine
from sartor.management import loops
from sartor.ports import Loop, LoopStores
from sartor.settings import AZURE_ARGUMENTS
from sartor.stores.stores import open_stores
from sartor.testing.builders import make_loop
from sartor.testing.fakes import Clock
from tests.unit.evaluation.small_logs import LINEAR, SQUARE, fill

JOB = "evaluation/one"
SPEC = EvaluationSpec(
    name="two",
    start_us=0,
    end_us=2**53,
    policies=(PolicySpec(name="square", arguments=SQUARE), PolicySpec(name="linear", arguments=LINEAR)),
)


class StoredLog:
    """A folder with a log of a loop."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        clock = Clock()
        self.stores = open_stores(folder, clock_us=clock)
        self.stores.catalog.create(make_loop(arguments=SQUARE))
        self.loop: Loop = loops.find_loop(self.stores, "default")
        self.logs: LoopStores = self.stores.open(self.loop)
        fill(self.logs, self.loop, clock, turns=600)

    def evaluate(self, spec: EvaluationSpec = SPEC, *, job_id: str = JOB) -> EvaluationResult:
        return run_evaluation(self.logs, self.loop, spec, job_id=job_id, where=str(self.folder))


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoredLog]:
    log = StoredLog(tmp_path_factory.mktemp("stored") / "data")
    yield log
    log.logs.close()
    log.stores.close()


@pytest.fixture(scope="module")
def result(stored: StoredLog) -> EvaluationResult:
    return stored.evaluate()


def test_the_policies_come_in_order_with_the_three_that_are_always_shown(result: EvaluationResult) -> None:
    assert [(one.name, one.source) for one in result.policies] == [
        ("Online", "Online"),
        ("Baseline", "Baseline"),
        ("Random", "Random"),
        ("square", "Custom"),
        ("linear", "Custom"),
    ]
    assert result.policies[0].arguments == SQUARE


def test_the_windows_of_each_length_make_the_total(result: EvaluationResult) -> None:
    for policy in result.policies:
        assert set(policy.windows) == set(WINDOWS_S)
        for name, windows in policy.windows.items():
            whole = merge_windows(windows)
            assert whole.events == policy.total.events == 600, name
            assert whole.numerator == pytest.approx(policy.total.numerator)
            assert whole.expected_reward == pytest.approx(policy.total.expected_reward)
            assert whole.low == pytest.approx(policy.total.low)
            assert [one.start_us % (WINDOWS_S[name] * 1_000_000) for one in windows] == [0] * len(windows)
    assert len(result.policies[0].windows["PT5M"]) in (12, 13), "an hour"


def test_the_models_are_kept_and_can_be_loaded(stored: StoredLog, result: EvaluationResult) -> None:
    kept = {one.name: one.model for one in result.policies}
    assert kept["Online"] is None
    assert kept["square"] == model_name(JOB, 3)
    blob = stored.logs.blobs.get(model_name(JOB, 4))
    assert blob is not None
    create_engine(LINEAR, blob).close()


def test_doing_it_again_gives_the_same_and_keeps_nothing_twice(
    stored: StoredLog, result: EvaluationResult
) -> None:
    before = list(stored.logs.blobs.names())
    assert stored.evaluate() == result
    assert list(stored.logs.blobs.names()) == before


def test_the_result_survives_its_json_with_the_report(result: EvaluationResult) -> None:
    again = decode_job(encode_job(result), EvaluationResult)
    assert again.policies == result.policies
    report = msgspec.json.decode(again.report, type=EvaluationReport)
    assert report.decisions == 600
    assert [one.name for one in report.table] == [one.name for one in result.policies]
    assert report.calibration.believable
    assert report.table[3].value == result.policies[3].total.expected_reward
    assert report.importance.features
    assert {one.feature for one in report.importance.features} >= {"device", "hour"}
    assert result.importance


def test_only_the_time_of_the_spec_is_scored(stored: StoredLog, result: EvaluationResult) -> None:
    windows = result.policies[0].windows["PT5M"]
    spec = replace(SPEC, start_us=windows[2].start_us, end_us=windows[6].start_us, policies=())
    total = stored.evaluate(spec, job_id="evaluation/part").policies[0].total
    assert total.events == sum(one.events for one in windows[2:6])
    assert total.start_us == windows[2].start_us


def test_a_candidate_may_be_of_the_second_order_engine(stored: StoredLog) -> None:
    arguments = "--sartor --columns 32 --pairs 4"
    spec = replace(SPEC, policies=(PolicySpec(name="own", arguments=arguments),))
    result = stored.evaluate(spec, job_id="evaluation/own")
    own = result.policies[3]
    assert (own.name, own.arguments, own.total.events) == ("own", arguments, 600)
    assert own.total.low < own.total.expected_reward < own.total.high
    assert own.model is not None
    blob = stored.logs.blobs.get(own.model)
    assert blob is not None
    create_engine_of_settings(arguments, blob).close()


def test_a_time_without_decisions_is_refused(stored: StoredLog) -> None:
    with pytest.raises(NoLogsInRange):
        stored.evaluate(replace(SPEC, start_us=1, end_us=2))


def test_a_search_adds_policies_to_the_given_ones() -> None:
    given = PolicySpec(name="azure", arguments=LINEAR)
    spec = replace(SPEC, find_optimal=True, policies=(given,))
    found = list_candidates(spec, make_loop())
    assert [one.name for one in found] == ["azure", *(name for name in SEARCHED_POLICIES if name != "Azure")]
    assert {one.source for one in found[1:]} == {"OfflineExperimentation"}


@pytest.mark.parametrize("several_slots", [False, True])
@pytest.mark.parametrize("name", SEARCHED_POLICIES)
def test_searched_policies_are_acceptable(name: str, several_slots: bool) -> None:
    arguments = searched_policies(several_slots=several_slots)[name]
    assert check_policy(arguments) == arguments
    assert fills_several_slots(arguments) is several_slots


def test_a_search_includes_the_settings_of_azure() -> None:
    assert AZURE_ARGUMENTS in SEARCHED_POLICIES.values()


@pytest.mark.parametrize(("most", "sizes"), [(1, [6]), (2, [5, 1]), (3, [4, 1, 1]), (9, [4, 1, 1])])
def test_batches_are_of_nearly_equal_size_and_the_first_has_the_reference_policies(
    most: int, sizes: list[int]
) -> None:
    spec = replace(SPEC, policies=(*SPEC.policies, PolicySpec(name="third", arguments=LINEAR)))
    batches = split_batches(make_loop(), list_candidates(spec, make_loop()), most)
    assert [len(batch) for batch in batches] == sizes
    assert [one.name for one in batches[0][:3]] == ["Online", "Baseline", "Random"]


def test_without_other_policies_there_is_one_batch() -> None:
    assert [len(batch) for batch in split_batches(make_loop(), [], 4)] == [3]


def test_importance_has_scores_from_one_downwards(stored: StoredLog) -> None:
    spec = ImportanceSpec(name="which", start_us=0, end_us=2**53)
    found = run_importance(stored.logs, stored.loop, spec, where=str(stored.folder))
    scores = [one.score for one in found.scores]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] == 1.0
    assert all(one.low <= one.score <= one.high for one in found.scores)
    assert {one.namespace for one in found.scores} == {"Context", "Action"}


def test_importance_of_a_log_that_can_not_answer_is_refused(tmp_path: Path) -> None:
    clock = Clock()
    stores = open_stores(tmp_path / "data", clock_us=clock)
    stores.catalog.create(make_loop(arguments=SQUARE))
    loop = loops.find_loop(stores, "default")
    logs = stores.open(loop)
    fill(logs, loop, clock, turns=30)
    spec = ImportanceSpec(name="which", start_us=0, end_us=2**53)
    with pytest.raises(InvalidEvaluation, match="because it holds 30 decisions"):
        run_importance(logs, loop, spec, where=str(tmp_path / "data"))
    with pytest.raises(NoLogsInRange):
        run_importance(logs, loop, replace(spec, end_us=1), where=str(tmp_path / "data"))
    logs.close()
    stores.close()


@pytest.mark.parametrize("where", ["elsewhere", "dask://", "ray://somewhere:1"])
def test_another_place_to_compute_is_refused(where: str) -> None:
    with pytest.raises(InvalidSetting, match="Can't compute"), open_executor(where):
        pass


def test_what_was_amended_meanwhile_is_evaluated_anew(
    stored: StoredLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model that learned what was taken back must not be kept."""
    attempts: list[int] = []

    def amending(task: BatchTask) -> BatchResult:
        attempts.append(task.outcomes.revision)
        result = run_batch(task)
        if len(attempts) == 1:
            outcome = stored.logs.outcomes.outcomes(after=0, limit=1)[0].outcome
            stored.logs.outcomes.amend([replace(outcome, learnable=False)])
        return result

    monkeypatch.setattr(module, "run_batch", amending)
    found = stored.evaluate(replace(SPEC, policies=()), job_id="evaluation/amended")
    assert len(attempts) == 2
    assert attempts[1] == attempts[0] + 1
    assert found.policies[0].total.events == 599


def test_what_is_amended_all_the_time_is_left_for_later(
    stored: StoredLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    def amending(task: BatchTask) -> BatchResult:
        outcome = stored.logs.outcomes.outcomes(after=5, limit=1)[0].outcome
        stored.logs.outcomes.amend([outcome])
        return run_batch(task)

    monkeypatch.setattr(module, "run_batch", amending)
    with pytest.raises(StoreUnavailable, match="again and again"):
        stored.evaluate(replace(SPEC, policies=()), job_id="evaluation/amended-always")
