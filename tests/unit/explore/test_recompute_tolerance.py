"""A recomputed decision may differ in the last bits of its probabilities, where its engine says so."""

import pytest
from msgspec.structs import replace

from sartor.explore.recompute import find_differing_fields
from sartor.learn.engines import replay_tolerance
from sartor.records import Decision
from sartor.settings import AZURE_ARGUMENTS, DEFAULT_ARGUMENTS
from sartor.testing.builders import make_decision


def moved(decision: Decision, by: float) -> Decision:
    first, *others = decision.probabilities
    return replace(decision, probabilities=(first + by, *others))


@pytest.mark.parametrize(("by", "differs"), [(9e-7, []), (-9e-7, []), (2e-6, ["probabilities"])])
def test_probabilities_may_differ_by_the_tolerance(by: float, differs: list[str]) -> None:
    decision = make_decision()
    assert find_differing_fields(decision, moved(decision, by), tolerance=1e-6) == differs
    assert find_differing_fields(decision, moved(decision, by)) == ["probabilities"]


def test_nothing_else_may_differ() -> None:
    decision = make_decision()
    other = replace(moved(decision, 1e-9), model_id="another")
    assert find_differing_fields(decision, other, tolerance=1e-6) == ["probabilities", "model_id"]


def test_only_the_engine_that_is_not_exact_everywhere_has_a_tolerance() -> None:
    assert replay_tolerance(DEFAULT_ARGUMENTS) == 1e-6
    assert replay_tolerance(AZURE_ARGUMENTS) == 0.0
