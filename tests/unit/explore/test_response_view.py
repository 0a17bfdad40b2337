"""The record and the response of a decision, in each learning mode (contract, section 2.6)."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sartor.explore.decide import decide
from sartor.explore.response_view import SingleSlotView, SlotView, view_decision, view_slots
from sartor.explore.slots import decide_slots
from sartor.records import Action, Decision, Mode, MultiSlotInput, RankInput, SlotInput

PROBABILITIES = [0.1, 0.2, 0.7]


def decide_in_mode(mode: Mode, *, event_id: str = "e", excluded: tuple[int, ...] = ()) -> Decision:
    actions = tuple(Action(f"a{n}", b'[{"n":1}]') for n in range(len(PROBABILITIES) + len(excluded)))
    rank_input = RankInput(event_id=event_id, context=b"[]", actions=actions, excluded=excluded)
    return decide(
        rank_input, probabilities=PROBABILITIES, loop_id="l", model_id="m", settings_version=1, mode=mode
    )


def filled(mode: Mode, event_id: str = "e") -> Decision:
    slots = [SlotInput(id=f"s{n}", features=b"[]", baseline=n) for n in range(2)]
    rank_input = MultiSlotInput(
        event_id=event_id,
        context=b"[]",
        actions=tuple(Action(f"a{n}", b'[{"n":1}]') for n in range(3)),
        slots=tuple(slots),
    )
    return decide_slots(
        rank_input,
        predict=lambda taken, offered: [PROBABILITIES[index] for index in offered],
        loop_id="l",
        model_id="m",
        settings_version=1,
        mode=mode,
    )


def test_online_answers_what_was_drawn() -> None:
    decision = decide_in_mode("Online", excluded=(0,))
    assert view_decision(decision) == SingleSlotView(
        ranking=decision.ranking, probabilities=decision.probabilities, chosen=decision.chosen
    )


@pytest.mark.parametrize("event_id", [f"e{n}" for n in range(20)])
def test_apprentice_records_the_draw_of_the_model_and_answers_the_order_of_the_caller(event_id: str) -> None:
    decision = decide_in_mode("Apprentice", event_id=event_id, excluded=(0,))
    online = decide_in_mode("Online", event_id=event_id, excluded=(0,))
    assert (decision.chosen, decision.ranking) == (online.chosen, online.ranking)
    assert decision.probabilities == online.probabilities
    assert view_decision(decision) == SingleSlotView(
        ranking=(0, 1, 2, 3), probabilities=(0.0, *decision.probabilities[1:]), chosen=1
    )


@pytest.mark.parametrize("event_id", [f"e{n}" for n in range(20)])
def test_logging_only_records_the_baseline_for_certain(event_id: str) -> None:
    decision = decide_in_mode("LoggingOnly", event_id=event_id, excluded=(0,))
    assert (decision.chosen, decision.propensity) == (1, 1.0)
    assert decision.probabilities == (0.0, 1.0, 0.0, 0.0)
    assert decision.ranking == (0, 1, 2, 3)


def test_logging_only_answers_the_probabilities_of_the_model_without_recording_them() -> None:
    decision = decide_in_mode("LoggingOnly", excluded=(0,))
    assert view_decision(decision, model=PROBABILITIES) == SingleSlotView(
        ranking=(0, 1, 2, 3), probabilities=(0.0, *PROBABILITIES), chosen=1
    )
    assert view_decision(decision).probabilities == decision.probabilities


@pytest.mark.parametrize("mode", ["Online", "Apprentice"])
def test_what_the_model_gave_changes_no_answer_whose_record_has_it(mode: Mode) -> None:
    decision = decide_in_mode(mode)
    assert view_decision(decision, model=[1.0, 0.0, 0.0]) == view_decision(decision)


def test_the_slots_of_a_loop_that_is_online_get_what_was_drawn_for_them() -> None:
    decision = filled("Online")
    assert view_slots(decision) == tuple(
        SlotView(id=slot.id, chosen=slot.chosen, probability=slot.probabilities[slot.chosen])
        for slot in decision.slots
    )


@given(st.text(max_size=5))
def test_in_apprentice_each_slot_gets_its_baseline_with_the_probability_that_it_had(event_id: str) -> None:
    decision = filled("Apprentice", event_id)
    assert [slot.chosen for slot in decision.slots] == [
        slot.chosen for slot in filled("Online", event_id).slots
    ]
    assert [slot.chosen for slot in view_slots(decision)] == [0, 1]
    first, second = view_slots(decision)
    assert first.probability == pytest.approx(0.1)
    taken = decision.slots[0].chosen
    expected = (
        0.0
        if taken == 1
        else 0.2 / math.fsum(probability for place, probability in enumerate(PROBABILITIES) if place != taken)
    )
    assert second.probability == pytest.approx(expected)


def test_in_logging_only_each_slot_gets_its_baseline_for_certain_without_asking_the_model() -> None:
    decision = filled("LoggingOnly")
    assert [(slot.chosen, slot.probabilities) for slot in decision.slots] == [
        (0, (1.0, 0.0, 0.0)),
        (1, (0.0, 1.0, 0.0)),
    ]
    assert [(slot.chosen, slot.probability) for slot in view_slots(decision)] == [(0, 1.0), (1, 1.0)]
