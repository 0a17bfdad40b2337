"""A past decision is recomputed, and differing fields are named."""

import pytest
from msgspec.structs import replace

from sartor.explore.decide import decide
from sartor.explore.recompute import find_differing_fields, rebuild_request
from sartor.records import Action, Decision, RankInput

REQUEST = RankInput(
    event_id="e",
    context=b"[]",
    actions=tuple(Action(name, b"[{}]") for name in "abc"),
    excluded=(1,),
    deferred=True,
)


def decide_request(request: RankInput) -> Decision:
    return decide(request, probabilities=[0.3, 0.7], loop_id="l", model_id="m", settings_version=2)


def test_what_was_asked_can_be_read_from_the_decision() -> None:
    assert rebuild_request(decide_request(REQUEST)) == REQUEST


def test_a_decision_recomputed_is_the_same() -> None:
    decision = decide_request(REQUEST)
    assert find_differing_fields(decision, decide_request(rebuild_request(decision))) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [("probabilities", (0.3 + 1e-16, 0.0, 0.7)), ("ranking", (2, 1, 0)), ("chosen", 2), ("model_id", "n")],
)
def test_the_smallest_difference_is_named(field: str, value: object) -> None:
    decision = decide_request(REQUEST)
    assert find_differing_fields(decision, replace(decision, **{field: value})) == [field]
