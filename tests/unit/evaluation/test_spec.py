"""Specs and results of jobs, and their JSON."""

import msgspec
import pytest
from msgspec.structs import replace

from sartor.errors import Corrupt
from sartor.evaluation.spec import (
    WINDOWS_S,
    Content,
    EvaluationResult,
    EvaluationSpec,
    EvaluationWindow,
    ImportanceResult,
    ImportanceScore,
    ImportanceSpec,
    PolicyResult,
    PolicySpec,
    decode_job,
    encode_job,
    job_id,
    model_name,
    model_prefix,
    public_id,
)

WINDOW = EvaluationWindow(
    start_us=1,
    events=3,
    numerator=1.5,
    sum_of_weights=2.5,
    non_zero=2,
    sum_of_squares=0.5,
    largest=1.25,
    expected_reward=0.6,
    low=0.1,
    high=0.9,
)
POLICY = PolicyResult(
    name="mine", arguments="-q ::", source="Custom", total=WINDOW, windows={"PT5M": (WINDOW,)}, model="m"
)
SPEC = EvaluationSpec(name="e", start_us=1, end_us=2, policies=(PolicySpec(name="mine", arguments="-q ::"),))
IMPORTANCE = ImportanceSpec(name="i", start_us=1, end_us=2)
SCORE = ImportanceScore(namespace="user", feature="age", score=0.5, low=0.25, high=0.75)


def test_what_is_written_is_read_again() -> None:
    result = EvaluationResult(policies=(POLICY,), optimal_policy="mine", importance=(("user.age",),))
    assert decode_job(encode_job(SPEC), EvaluationSpec) == SPEC
    assert encode_job(decode_job(encode_job(result), EvaluationResult)) == encode_job(result)
    assert decode_job(encode_job(result), EvaluationResult).policies == result.policies
    assert decode_job(encode_job(IMPORTANCE), ImportanceSpec) == IMPORTANCE
    scores = ImportanceResult(scores=(SCORE,))
    assert decode_job(encode_job(scores), ImportanceResult).scores == scores.scores


def test_a_report_passes_through_untouched() -> None:
    report = msgspec.Raw(b'{"any":[1,2.50]}')
    written = encode_job(EvaluationResult(policies=(), report=report))
    assert bytes(decode_job(written, EvaluationResult).report) == bytes(report)


@pytest.mark.parametrize("kind", [EvaluationSpec, EvaluationResult, ImportanceSpec, ImportanceResult])
@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"name":1}'])
def test_what_is_no_spec_and_no_result_is_corrupt(kind: type[Content], content: bytes) -> None:
    with pytest.raises(Corrupt, match="This job holds no"):
        decode_job(content, kind)


def test_ids_of_kinds_do_not_meet() -> None:
    assert job_id("evaluation", "a/b") != job_id("featureImportance", "a/b")
    assert public_id(job_id("evaluation", "a/b")) == "a/b"


def test_names_of_models_are_plain_and_say_whose_they_are() -> None:
    name = model_name("evaluation/any id, é", 3)
    assert name.isascii()
    assert name.replace("-", "").isalnum()
    assert name.startswith(model_prefix("evaluation/any id, é"))
    assert not name.startswith(model_prefix("evaluation/any id, e"))
    assert model_name("evaluation/a", 1) != model_name("evaluation/a", 11)


def test_windows_are_whole_multiples_of_the_shortest() -> None:
    assert WINDOWS_S == {"PT5M": 300, "PT1H": 12 * 300, "PT6H": 72 * 300, "P1D": 288 * 300}
    assert replace(WINDOW, events=4) != WINDOW
