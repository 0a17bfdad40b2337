"""Several slots: each gets another action, drawn with the logged probabilities; none is left without."""

import itertools
import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sartor.explore.decide import decide
from sartor.explore.draw import draw_point, pick_action
from sartor.explore.recompute import find_differing_fields, rebuild_slots_request, recompute_decision
from sartor.explore.slot_matching import SlotMatching
from sartor.explore.slots import decide_slots, slot_seed
from sartor.inference import slot_predictor
from sartor.learn.vw import create_engine
from sartor.records import NO_MODEL, Action, Decision, Mode, MultiSlotInput, RankInput, SlotInput
from sartor.settings import VW_ARGUMENTS

SEVERAL = VW_ARGUMENTS.replace("--cb_", "--ccb_", 1)


def request(
    actions: int, *slots: tuple[int, tuple[int, ...]], event_id: str = "e", deferred: bool = False
) -> MultiSlotInput:
    """For each slot its baseline and what is excluded there."""
    return MultiSlotInput(
        event_id=event_id,
        context=b'[{"hour":9}]',
        actions=tuple(Action(f"a{n}", b'[{"n":%d}]' % n) for n in range(actions)),
        slots=tuple(
            SlotInput(id=f"s{n}", features=b'[{"place":%d}]' % n, baseline=baseline, excluded=excluded)
            for n, (baseline, excluded) in enumerate(slots)
        ),
        deferred=deferred,
    )


def weights(taken: Sequence[int], offered: Sequence[int]) -> Sequence[float]:
    """Probabilities that depend on the action and the number of the slot."""
    return [1.0 + index * (1 + len(taken)) for index in offered]


def decide_request(slots_input: MultiSlotInput, *, loop_id: str = "loop") -> Decision:
    return decide_slots(slots_input, predict=weights, loop_id=loop_id, model_id="m1", settings_version=3)


@st.composite
def requests(draw_from: st.DrawFn) -> MultiSlotInput:
    """Up to six actions and as many slots, with any exclusions that leave each slot its baseline."""
    count = draw_from(st.integers(1, 6))
    baselines = draw_from(st.permutations(range(count)))[: draw_from(st.integers(1, count))]
    slots = []
    for baseline in baselines:
        others = [index for index in range(count) if index != baseline]
        excluded = draw_from(st.lists(st.sampled_from(others), unique=True)) if others else []
        slots.append((baseline, tuple(sorted(excluded))))
    return request(count, *slots, event_id=draw_from(st.text(st.characters(codec="utf-8"), max_size=6)))


def test_a_decision_keeps_what_was_asked_and_the_first_slot_stands_for_it() -> None:
    slots_input = request(3, (0, (2,)), (1, ()), deferred=True)
    decision = decide_request(slots_input)
    first = decision.slots[0]
    assert (decision.excluded, decision.probabilities) == (first.excluded, first.probabilities)
    assert (decision.ranking, decision.chosen) == (first.ranking, first.chosen)
    assert (decision.baseline, decision.propensity) == (0, first.probabilities[first.chosen])
    assert (decision.event_id, decision.context, decision.actions) == (
        "e",
        slots_input.context,
        slots_input.actions,
    )
    assert (decision.model_id, decision.settings_version, decision.deferred) == ("m1", 3, True)
    assert rebuild_slots_request(decision) == slots_input


@given(requests())
def test_no_action_goes_into_two_slots_nor_where_it_is_excluded(slots_input: MultiSlotInput) -> None:
    decision = decide_request(slots_input)
    chosen = [slot.chosen for slot in decision.slots]
    assert len(set(chosen)) == len(chosen) == len(slots_input.slots)
    assert all(slot.chosen not in slot.excluded for slot in decision.slots)


@given(requests())
def test_the_logged_probabilities_of_each_slot_are_those_of_its_draw(slots_input: MultiSlotInput) -> None:
    decision = decide_request(slots_input)
    taken: set[int] = set()
    for number, slot in enumerate(decision.slots):
        assert math.fsum(slot.probabilities) == pytest.approx(1.0, abs=1e-12)
        assert all(slot.probabilities[index] == 0.0 for index in {*slot.excluded, *taken})
        assert slot.chosen == pick_action(
            slot.probabilities, draw_point("loop", slot_seed(slots_input.event_id, number))
        )
        taken.add(slot.chosen)


@given(requests())
def test_what_a_slot_can_t_take_keeps_its_place_and_the_rest_is_in_order(slots_input: MultiSlotInput) -> None:
    decision = decide_request(slots_input)
    taken: set[int] = set()
    for slot in decision.slots:
        closed = {*slot.excluded, *taken}
        assert sorted(slot.ranking) == list(range(len(slots_input.actions)))
        assert all(slot.ranking[index] == index for index in closed)
        ranked = [index for index in slot.ranking if index not in closed]
        best = sorted(set(range(len(slots_input.actions))) - closed, key=lambda i: (-slot.probabilities[i], i))
        where = best.index(slot.chosen)
        best[0], best[where] = best[where], best[0]
        assert ranked == best
        taken.add(slot.chosen)


def find_assignments(slots_input: MultiSlotInput) -> set[tuple[int, ...]]:
    """Every complete assignment of actions to slots, found by trying all."""
    count = len(slots_input.actions)
    return {
        assignment
        for assignment in itertools.permutations(range(count), len(slots_input.slots))
        if all(index not in slot.excluded for index, slot in zip(assignment, slots_input.slots, strict=True))
    }


@given(requests())
def test_a_slot_is_offered_exactly_what_can_still_be_completed(slots_input: MultiSlotInput) -> None:
    everything = frozenset(range(len(slots_input.actions)))
    complete = find_assignments(slots_input)
    taken: list[int] = []

    def predicted(before: Sequence[int], offered: Sequence[int]) -> Sequence[float]:
        assert list(before) == taken
        place = len(before)
        assert list(offered) == sorted({one[place] for one in complete if one[:place] == tuple(before)})
        predicted = [1.0] * len(offered)
        taken.append(
            offered[
                pick_action(
                    [p / len(predicted) for p in predicted],
                    draw_point("l", slot_seed(slots_input.event_id, place)),
                )
            ]
        )
        return predicted

    decision = decide_slots(slots_input, predict=predicted, loop_id="l", model_id="m", settings_version=1)
    assert tuple(slot.chosen for slot in decision.slots) in complete
    assert everything >= set(taken)


def test_a_dead_end_is_seen_many_slots_ahead() -> None:
    chain = [frozenset({n, n + 1}) for n in range(49)] + [frozenset({49})]
    matching = SlotMatching(accepted=chain, matching=list(range(50)))
    for number in range(50):
        assert matching.find_offered() == [
            number
        ]  # to take the next one would leave the last slot with nothing
        matching.take(number)


@given(requests())
def test_the_same_request_gives_the_same_decision(slots_input: MultiSlotInput) -> None:
    assert decide_request(slots_input) == decide_request(slots_input)


def test_the_draws_of_the_slots_do_not_depend_on_one_another() -> None:
    """The first slot is drawn as a request without slots would be; no other event shares a slot's draw."""
    single = RankInput(event_id="e", context=b"[]", actions=request(3).actions)
    alone = decide(single, probabilities=weights((), range(3)), loop_id="l", model_id="m", settings_version=1)
    several = decide_slots(
        request(3, (0, ()), (1, ())), predict=weights, loop_id="l", model_id="m", settings_version=1
    )
    assert several.chosen == alone.chosen
    assert [slot_seed("e", number) for number in range(3)] == ["e", "e\0001", "e\0002"]


@pytest.mark.parametrize("predicted", [[], [0.5], [0.0, 0.0, 0.0], [math.nan, 1.0, 1.0], [-1.0, 1.0, 1.0]])
def test_what_is_no_distribution_is_refused(predicted: list[float]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        decide_slots(
            request(3, (0, ())), predict=lambda *_: predicted, loop_id="l", model_id="m", settings_version=1
        )


@given(requests())
def test_without_a_model_every_offered_action_has_the_same_probability(slots_input: MultiSlotInput) -> None:
    decision = decide_slots(
        slots_input,
        predict=slot_predictor(None, slots_input),
        loop_id="l",
        model_id=NO_MODEL,
        settings_version=1,
    )
    for slot in decision.slots:
        assert len({p for p in slot.probabilities if p > 0}) == 1


@given(requests())
def test_a_decision_of_the_engine_is_recomputed_bit_for_bit(slots_input: MultiSlotInput) -> None:
    engine = create_engine(SEVERAL)
    decision = decide_slots(
        slots_input,
        predict=slot_predictor(engine, slots_input),
        loop_id="l",
        model_id="m",
        settings_version=1,
        mode="Online",
    )
    again = create_engine(SEVERAL)
    for _ in range(2):
        assert find_differing_fields(decision, recompute_decision(decision, again, loop_id="l")) == []
    engine.close()
    again.close()


@pytest.mark.parametrize("mode", ["Apprentice", "LoggingOnly"])
def test_other_modes_are_recomputed_too(mode: Mode) -> None:
    slots_input = request(3, (0, ()), (1, (0,)))
    decision = decide_slots(
        slots_input,
        predict=slot_predictor(None, slots_input),
        loop_id="l",
        model_id=NO_MODEL,
        settings_version=1,
        mode=mode,
    )
    assert recompute_decision(decision, None, loop_id="l") == decision
    single = RankInput(event_id="e", context=b"[]", actions=slots_input.actions, excluded=(0,))
    one = decide(
        single, probabilities=[0.5, 0.5], loop_id="l", model_id=NO_MODEL, settings_version=1, mode=mode
    )
    assert recompute_decision(one, None, loop_id="l") == one
