"""Facts are frozen, compact when stored, and know the little that follows from them."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sartor.records import (
    Action,
    Cursor,
    Decision,
    JoinedObservation,
    LoggedDecision,
    LoggedOutcome,
    Observation,
    Outcome,
)


def decision(*, excluded: tuple[int, ...] = (), chosen: int = 1) -> Decision:
    return Decision(
        event_id="e",
        context=b'[{"hour":9}]',
        actions=tuple(Action(name, b"[]") for name in "abcd"),
        excluded=excluded,
        probabilities=(0.0, 0.75, 0.25, 0.0),
        ranking=(0, chosen, 2, 3),
        chosen=chosen,
        model_id="m",
        settings_version=4,
    )


def test_the_propensity_is_the_probability_of_the_chosen_action() -> None:
    assert decision(chosen=2).propensity == 0.25


def test_the_rankable_actions_are_those_not_excluded_in_the_order_of_the_request() -> None:
    assert decision().rankable == (0, 1, 2, 3)
    assert decision(excluded=(3, 0)).rankable == (1, 2)


def test_a_fact_does_not_change() -> None:
    with pytest.raises(AttributeError):
        decision().chosen = 2  # type: ignore[misc]


def test_without_more_a_decision_is_online_and_not_deferred() -> None:
    assert (decision().mode, decision().deferred) == ("Online", False)


def test_settling_begins_before_the_first_event() -> None:
    assert Cursor() == Cursor(0, 0)


def test_records_are_stored_without_the_names_of_their_fields() -> None:
    assert msgspec.json.encode(Observation(event_id="e", reward=0.5)) == b'["e",0.5,null]'


@given(st.text(), st.binary(), st.lists(st.floats(0, 1), min_size=1, max_size=5), st.booleans())
def test_a_decision_reads_back_bit_for_bit(
    event_id: str, context: bytes, probabilities: list[float], deferred: bool
) -> None:
    logged = LoggedDecision(
        7,
        1_700_000_000_000_001,
        Decision(
            event_id=event_id,
            context=context,
            actions=tuple(Action(f"a{n}", context) for n in range(len(probabilities))),
            excluded=(),
            probabilities=tuple(probabilities),
            ranking=tuple(range(len(probabilities))),
            chosen=0,
            model_id="m",
            settings_version=1,
            deferred=deferred,
        ),
    )
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(logged), type=LoggedDecision) == logged


@given(st.floats(allow_nan=False), st.none() | st.floats(allow_nan=False))
def test_an_outcome_reads_back_bit_for_bit(reward: float, observed: float | None) -> None:
    outcome = Outcome(
        decision_seq=3,
        event_id="é/1",
        reward=reward,
        learnable=True,
        joined=(JoinedObservation(9, 12, observed),),
        settled_at_us=13,
        settings_version=2,
    )
    logged = LoggedOutcome(1, outcome)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(logged), type=LoggedOutcome) == logged
