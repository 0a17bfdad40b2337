"""A loop of several slots: scored slot by slot, each given what was put into those before it."""

from pathlib import Path

import pytest

from sartor.evaluation.batch import CandidateSpec, score_candidates
from sartor.evaluation.progressive_validation import CandidateScore, LogSummary
from sartor.evaluation.report import summarise_calibration
from sartor.evaluation.run import reference_candidates
from sartor.evaluation.time_range import find_outcome_range
from sartor.learn.vw import create_engine
from sartor.ports import Loop, LoopStores
from sartor.testing.builders import make_loop
from sartor.testing.stores import MemoryStores
from tests.unit.slots_world import fill, learn

CCB = "--ccb_explore_adf --epsilon 0.2 --cb_type mtr -q ::"


def make_slots_log(count: int = 400) -> tuple[Loop, LoopStores]:
    loop = make_loop(arguments=CCB)
    logs = MemoryStores().open(loop)
    fill(loop, logs, create_engine, first=0, count=count)
    learn(loop, logs, create_engine)
    return loop, logs


@pytest.fixture(scope="module")
def found() -> tuple[dict[str, CandidateScore], LogSummary]:
    loop, logs = make_slots_log()
    candidates = (*reference_candidates(loop), CandidateSpec(name="ccb", arguments=CCB, source="Custom"))
    result = score_candidates(
        logs, create_engine, find_outcome_range(logs, start_us=0, end_us=2**53), candidates
    )
    return {one.name: one for one in result.scores}, result.summary


def test_each_slot_has_a_score_and_all_rows_have_one(
    found: tuple[dict[str, CandidateScore], LogSummary],
) -> None:
    policies, summary = found
    for one in policies.values():
        assert {name: score.estimators.ips.rows for name, score in one.scores.items()} == {
            "": 800,
            "top": 400,
            "side": 400,
        }
    assert summary.decisions == 400
    assert summarise_calibration(summary.calibration).believable


def test_a_policy_that_learns_the_slots_beats_random_in_each(
    found: tuple[dict[str, CandidateScore], LogSummary],
) -> None:
    policies, _ = found
    for slot in ("top", "side"):
        learned = policies["ccb"].scores[slot].estimators.snips.value()
        random = policies["Random"].scores[slot].estimators.snips.value()
        assert learned is not None
        assert random is not None
        assert learned > random + 0.1, slot


def test_weights_average_to_one_in_each_slot(found: tuple[dict[str, CandidateScore], LogSummary]) -> None:
    policies, _ = found
    for name, one in policies.items():
        for slot, score in one.scores.items():
            calibrated = score.estimators.diagnostics.calibration()
            assert calibrated is not None, (name, slot)
            assert abs(calibrated) < 4, (name, slot)


def test_a_policy_for_single_slots_can_not_rank_them() -> None:
    _, logs = make_slots_log(20)
    single = CandidateSpec(name="single", arguments="--cb_explore_adf --epsilon 0.2", source="Custom")
    (one,) = score_candidates(
        logs, create_engine, find_outcome_range(logs, start_us=0, end_us=2**53), (single,)
    ).scores
    assert one.refused == 40
    assert one.learned == 0


def test_the_whole_path_works(tmp_path: Path) -> None:
    from sartor.evaluation.run import run_evaluation
    from sartor.evaluation.spec import EvaluationSpec, PolicySpec
    from sartor.management import loops
    from sartor.stores.stores import open_stores

    stores = open_stores(tmp_path / "data")
    stores.catalog.create(make_loop(arguments=CCB))
    loop = loops.find_loop(stores, "default")
    with loops.open_loop(stores, loop) as logs:
        fill(loop, logs, create_engine, first=0, count=150)
        learn(loop, logs, create_engine)
        spec = EvaluationSpec(
            name="slots", start_us=0, end_us=2**53, policies=(PolicySpec(name="ccb", arguments=CCB),)
        )
        result = run_evaluation(logs, loop, spec, job_id="evaluation/s", where=str(tmp_path / "data"))
    stores.close()
    slots = [(one.name, one.slot, one.model is not None) for one in result.policies if one.name == "ccb"]
    assert slots == [("ccb", "", True), ("ccb", "top", False), ("ccb", "side", False)]
