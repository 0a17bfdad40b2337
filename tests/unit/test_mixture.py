"""The mixture of floor and control group is exact, and can be taken apart again."""

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sartor.mixture import (
    conditional_probabilities,
    control_shares,
    mix_as_recorded,
    mix_control,
    policy_probabilities,
    raise_to_floor,
    remove_control,
)
from sartor.ranking import normalise, share_among_likeliest
from sartor.records import Action, Decision, Slot

weights = st.lists(st.one_of(st.just(0.0), st.floats(1e-9, 1.0)), min_size=1, max_size=50).filter(
    lambda found: sum(found) > 0
)
floors = st.floats(0.0, 0.5)


def decision(**changes: object) -> Decision:
    made = Decision(
        event_id="e",
        context=b"[]",
        actions=tuple(Action(f"a{n}", b"[]") for n in range(3)),
        excluded=(),
        probabilities=(0.2, 0.3, 0.5),
        ranking=(2, 1, 0),
        chosen=2,
        model_id="m",
        settings_version=1,
    )
    return msgspec.structs.replace(made, **changes)


@given(weights, floors)
def test_no_probability_is_below_the_floor_and_they_sum_to_1(found: list[float], floor: float) -> None:
    raised = raise_to_floor(normalise(found), floor)
    assert min(raised) >= floor / len(found)
    assert math.fsum(raised) == pytest.approx(1.0, abs=1e-14)


@given(weights, floors)
def test_the_floor_keeps_the_order_and_scales_what_is_above_it_by_one_factor(
    found: list[float], floor: float
) -> None:
    before = normalise(found)
    raised = raise_to_floor(before, floor)
    pairs = sorted(zip(before, raised, strict=True))
    assert [after for _, after in pairs] == sorted(raised)
    factors = [after / one for one, after in pairs if after > floor / len(found)]
    assert factors == pytest.approx([factors[0]] * len(factors), rel=1e-12)
    assert factors[0] <= 1.0 + 1e-12


def test_probabilities_above_the_floor_stay_as_they_are_bit_for_bit() -> None:
    before = normalise([0.3, 0.1, 0.7])
    assert raise_to_floor(before, 0.2) == before
    assert raise_to_floor(before, 0.0) == before


def test_an_action_that_scaling_would_take_below_the_floor_is_raised_as_well() -> None:
    assert raise_to_floor([0.0, 0.0, 0.101, 0.899], 0.4) == pytest.approx([0.1, 0.1, 0.1, 0.7])
    assert raise_to_floor([0.0, 0.0, 0.101, 0.899], 0.4)[:3] == [0.1, 0.1, 0.1]


@given(weights, st.floats(0.0, 0.5), st.data())
def test_the_control_group_can_be_taken_out_of_its_mixture(
    found: list[float], share: float, data: st.DataObject
) -> None:
    before = normalise(found)
    baseline = data.draw(st.integers(0, len(before) - 1))
    mixed = mix_control(before, baseline, share=share)
    assert math.fsum(mixed) == pytest.approx(1.0, abs=1e-14)
    assert mixed[baseline] >= share
    assert remove_control(mixed, baseline, share=share) == pytest.approx(before, abs=1e-14)


def test_without_a_control_group_the_policys_probabilities_are_those_of_the_record() -> None:
    assert policy_probabilities(decision()) == [0.2, 0.3, 0.5]
    assert control_shares(decision()) == [0.0]


def test_the_policys_probabilities_are_found_in_a_record() -> None:
    mixed = tuple(mix_control([0.2, 0.3, 0.5], 0, share=0.1))
    assert policy_probabilities(decision(probabilities=mixed, control_share=0.1)) == pytest.approx(
        [0.2, 0.3, 0.5]
    )


def test_a_greedy_policy_shows_what_is_likeliest_without_the_control_group() -> None:
    mixed = tuple(mix_control([0.2, 0.3, 0.5], 0, share=0.4))
    assert max(mixed) == mixed[0]
    assert share_among_likeliest(policy_probabilities(decision(probabilities=mixed, control_share=0.4))) == [
        0.0,
        0.0,
        1.0,
    ]


def test_a_greedy_policy_is_uniform_where_all_are_equal_and_never_shows_what_is_excluded() -> None:
    mixed = tuple(mix_control([1 / 3] * 3, 0, share=0.03))
    assert (
        share_among_likeliest(policy_probabilities(decision(probabilities=mixed, control_share=0.03)))
        == [1 / 3] * 3
    )
    without = decision(excluded=(0,), probabilities=(0.0, 0.515, 0.485), control_share=0.03)
    assert share_among_likeliest(policy_probabilities(without)) == [0.0, 0.5, 0.5]


def test_the_baseline_is_the_first_action_that_is_not_excluded() -> None:
    found = decision(excluded=(0,), probabilities=(0.0, 0.55, 0.45), control_share=0.5)
    assert policy_probabilities(found) == pytest.approx([0.0, 0.1, 0.9])


def slot(chosen: int, *probabilities: float) -> Slot:
    return Slot(
        id=str(chosen),
        features=b"[]",
        excluded=(),
        baseline=0,
        probabilities=probabilities,
        ranking=(),
        chosen=chosen,
    )


def test_after_a_baseline_the_control_group_is_likelier_and_after_another_action_impossible() -> None:
    first = slot(0, *mix_control([0.5, 0.25, 0.25], 0, share=0.2))
    second = msgspec.structs.replace(slot(2, 0.0, 0.4, 0.6), baseline=1)
    third = slot(1, 0.0, 1.0, 0.0)
    shares = control_shares(decision(slots=(first, second, third), control_share=0.2))
    assert shares == pytest.approx([0.2, 0.2 / 0.6, 0.0])


def test_records_from_before_there_was_a_control_group_are_read_with_none() -> None:
    old = msgspec.msgpack.decode(msgspec.msgpack.encode(decision()))[:-4]
    assert msgspec.convert(old, Decision) == decision()


def test_what_would_have_been_served_is_what_was_served_for_the_same_probabilities() -> None:
    mixed = tuple(mix_control(raise_to_floor([0.01, 0.39, 0.6], 0.3), 0, share=0.2))
    made = decision(probabilities=mixed, control_share=0.2, floor=0.3)
    assert tuple(mix_as_recorded([0.01, 0.39, 0.6], made)) == mixed
    assert mix_as_recorded([0.01, 0.39, 0.6], decision()) == [0.01, 0.39, 0.6]


def test_a_decision_by_users_was_drawn_given_the_group_of_its_user() -> None:
    mixed = tuple(mix_control([0.2, 0.3, 0.5], 0, share=0.2))
    made = decision(probabilities=mixed, control_share=0.2)
    assert conditional_probabilities(made) == list(mixed)
    by_user = msgspec.structs.replace(made, control_feature="user.id")
    assert conditional_probabilities(by_user) == pytest.approx([0.2, 0.3, 0.5])
    member = msgspec.structs.replace(by_user, in_control=True, chosen=0)
    assert conditional_probabilities(member) == [1.0, 0.0, 0.0]


def test_in_several_slots_what_was_mixed_in_ends_with_the_first_other_action() -> None:
    first = slot(0, *mix_control([0.5, 0.25, 0.25], 0, share=0.2))
    second = msgspec.structs.replace(slot(2, 0.0, *mix_control([0.4, 0.6], 0, share=0.2 / 0.6)), baseline=1)
    third = slot(1, 0.0, 1.0, 0.0)
    made = decision(slots=(first, second, third), control_share=0.2)
    assert mix_as_recorded([0.5, 0.25, 0.25], made, 0) == pytest.approx(first.probabilities)
    assert mix_as_recorded([0.4, 0.6], made, 1) == pytest.approx(second.probabilities[1:])
    assert mix_as_recorded([1.0], made, 2) == [1.0]
    assert policy_probabilities(made, 1) == pytest.approx([0.0, 0.4, 0.6])
