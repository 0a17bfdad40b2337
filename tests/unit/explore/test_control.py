"""The control group gets the baseline, the log the mixture, and both can be recomputed."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sartor.explore.control import draw_control
from sartor.explore.decide import decide
from sartor.explore.recompute import find_differing_fields, recompute_decision
from sartor.explore.slots import decide_slots
from sartor.inference import uniform_probabilities
from sartor.mixture import MixtureRules, control_shares, policy_probabilities
from sartor.records import Action, Decision, Mode, MultiSlotInput, RankInput, SlotInput

MODEL = [0.02, 0.18, 0.5, 0.3]
ACTIONS = tuple(Action(f"a{n}", b"[]") for n in range(4))
STICKY = MixtureRules(control_share=0.3, control_feature="user.id", floor=0.2)
EVENT = MixtureRules(control_share=0.3, floor=0.2)


def single(
    number: int, rules: MixtureRules, *, mode: Mode = "Online", excluded: tuple[int, ...] = ()
) -> Decision:
    request = RankInput(
        event_id=f"e{number}",
        context=b'[{"user":{"id":%d},"plan":"free"}]' % (number % 50),
        actions=ACTIONS,
        excluded=excluded,
    )
    probabilities = [MODEL[index] for index in request.rankable]
    return decide(
        request,
        probabilities=probabilities,
        loop_id="loop",
        model_id="m",
        settings_version=1,
        mode=mode,
        rules=rules,
    )


def several(number: int, rules: MixtureRules, *, mode: Mode = "Online") -> Decision:
    """The third slot accepts its baseline only, the second takes any action but one."""
    slots = (
        SlotInput(id="x", features=b"[]", baseline=0),
        SlotInput(id="y", features=b"[]", baseline=1, excluded=(2,)),
        SlotInput(id="z", features=b"[]", baseline=3, excluded=(0, 1, 2)),
    )
    request = MultiSlotInput(
        event_id=f"e{number}", context=b'[{"user":{"id":%d}}]' % (number % 50), actions=ACTIONS, slots=slots
    )

    def predict(taken: Sequence[int], offered: Sequence[int]) -> Sequence[float]:
        return [MODEL[index] for index in offered]

    return decide_slots(
        request, predict=predict, loop_id="loop", model_id="m", settings_version=1, mode=mode, rules=rules
    )


@pytest.mark.parametrize("rules", [EVENT, STICKY])
def test_the_record_holds_the_mixture_and_what_applied(rules: MixtureRules) -> None:
    decision = single(1, rules)
    assert decision.probabilities == pytest.approx(
        (0.3 + 0.7 * 0.05, *(0.7 * p * 0.95 / 0.98 for p in MODEL[1:]))
    )
    assert (decision.control_share, decision.floor) == (0.3, 0.2)
    assert decision.control_feature == rules.control_feature
    assert policy_probabilities(decision) == pytest.approx([0.05, *(p * 0.95 / 0.98 for p in MODEL[1:])])


@pytest.mark.parametrize("rules", [EVENT, STICKY])
def test_the_control_group_gets_the_first_action_that_is_not_excluded(rules: MixtureRules) -> None:
    decisions = [single(number, rules, excluded=(0,)) for number in range(200)]
    assert {one.chosen for one in decisions if one.in_control} == {1}
    assert {one.chosen for one in decisions if not one.in_control} == {1, 2, 3}
    assert all(one.probabilities[0] == 0.0 for one in decisions)


def test_membership_by_a_feature_is_for_good_and_a_larger_share_only_adds_to_it() -> None:
    groups = [single(number, STICKY).in_control for number in range(200)]
    assert groups == groups[:50] * 4
    assert 0 < sum(groups[:50]) < 50
    larger = MixtureRules(control_share=0.5, control_feature="user.id")
    more = [single(number, larger).in_control for number in range(50)]
    assert all(after for before, after in zip(groups[:50], more, strict=True) if before)
    assert sum(more) > sum(groups[:50])


def test_membership_differs_between_loops_and_is_independent_of_the_draw_of_the_action() -> None:
    groups = [
        [
            draw_control(STICKY, context=b'[{"user":{"id":%d}}]' % n, loop_id=loop, event_id=str(n)).in_control
            for n in range(99)
        ]
        for loop in ("one", "two")
    ]
    drawn = [draw_control(EVENT, context=b"[]", loop_id="one", event_id=str(n)).in_control for n in range(99)]
    assert groups[0] != groups[1]
    assert groups[0] != drawn


@pytest.mark.parametrize(
    "context",
    [b"[]", b'[{"user":{"id":null}}]', b'[{"user":{"id":""}}]', b'[{"user":{"id":[1]}}]', b'[{"id":7}]'],
)
def test_without_a_value_the_decision_is_drawn_on_its_own(context: bytes) -> None:
    for number in range(20):
        drawn = draw_control(STICKY, context=context, loop_id="loop", event_id=f"e{number}")
        assert drawn == draw_control(EVENT, context=context, loop_id="loop", event_id=f"e{number}")
        assert (drawn.feature, drawn.share) == ("", 0.3)


@pytest.mark.parametrize(
    ("feature", "context", "same"),
    [
        pytest.param("user.id", b'[{"user":{"id":7}}]', b'[{"user":{"id":"7"}}]', id="a number and its text"),
        pytest.param(
            "user.id",
            b'[{"n":1},{"a":{"user":{"id":7}}}]',
            b'[{"user":{"id":7,"x":1}}]',
            id="the nearest object",
        ),
        pytest.param("id", b'[{"id":7}]', b'[{"user":{"id":9}},{"id":7}]', id="no object around it"),
        pytest.param("Context.id", b'[{"id":7}]', b'[{"id":"7"}]', id="no object around it, in full"),
        pytest.param("user.id", b'[{"user":{"id":0}}]', b'[{"user":{"id":"0"}}]', id="0 is a value"),
    ],
)
def test_a_value_is_found_by_the_name_that_features_have(feature: str, context: bytes, same: bytes) -> None:
    rules = MixtureRules(control_share=0.3, control_feature=feature)
    for number in range(20):
        loop = f"loop{number}"
        drawn = draw_control(rules, context=context, loop_id=loop, event_id="e")
        assert drawn == draw_control(rules, context=same, loop_id=loop, event_id="e")
        assert drawn.feature == feature


@pytest.mark.parametrize("mode", ["Apprentice", "LoggingOnly"])
@pytest.mark.parametrize("decided", [single, several])
def test_outside_online_the_records_stay_as_they_were(mode: Mode, decided) -> None:  # type: ignore[no-untyped-def]
    for number in range(50):
        assert decided(number, EVENT, mode=mode) == decided(number, MixtureRules(), mode=mode)


def test_before_there_is_a_model_the_control_group_is_in_the_uniform_draw_too() -> None:
    request = RankInput(event_id="e", context=b"[]", actions=ACTIONS)
    decision = decide(
        request,
        probabilities=uniform_probabilities(4),
        loop_id="l",
        model_id="N/A",
        settings_version=1,
        rules=EVENT,
    )
    assert decision.probabilities == pytest.approx((0.3 + 0.7 / 4, 0.7 / 4, 0.7 / 4, 0.7 / 4))


@pytest.mark.parametrize("rules", [EVENT, STICKY])
def test_several_slots_are_the_control_groups_together_and_never_reach_a_dead_end(rules: MixtureRules) -> None:
    decisions = [several(number, rules) for number in range(400)]
    controls = [one for one in decisions if one.in_control]
    assert controls
    for one in controls:
        assert [slot.chosen for slot in one.slots] == [0, 1, 3]
    for one in decisions:
        assert len({slot.chosen for slot in one.slots}) == 3
        for slot in one.slots:
            assert sum(slot.probabilities) == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("rules", [EVENT, STICKY])
def test_the_probabilities_of_several_slots_multiply_to_those_of_the_whole(rules: MixtureRules) -> None:
    for number in range(100):
        decision = several(number, rules)
        joint, of_model = 1.0, 1.0
        for place, slot in enumerate(decision.slots):
            joint *= slot.probabilities[slot.chosen]
            of_model *= policy_probabilities(decision, place)[slot.chosen]
        baselines = all(slot.chosen == slot.baseline for slot in decision.slots)
        assert joint == pytest.approx(0.3 * baselines + 0.7 * of_model, rel=1e-9)
        assert control_shares(decision)[0] == 0.3


def test_a_first_slot_is_decided_like_the_only_one() -> None:
    for number in range(100):
        request = RankInput(event_id=f"e{number}", context=b"[]", actions=ACTIONS)
        alone = decide(request, probabilities=MODEL, loop_id="l", model_id="m", settings_version=1, rules=EVENT)
        slots = decide_slots(
            MultiSlotInput(
                event_id=f"e{number}",
                context=b"[]",
                actions=ACTIONS,
                slots=(SlotInput(id="x", features=b"[]", baseline=0),),
            ),
            predict=lambda taken, offered: MODEL,
            loop_id="l",
            model_id="m",
            settings_version=1,
            rules=EVENT,
        )
        assert (alone.chosen, alone.probabilities, alone.ranking) == (
            slots.chosen,
            slots.probabilities,
            slots.ranking,
        )


@given(
    st.integers(0, 10_000),
    st.floats(0, 0.5),
    st.floats(0, 0.5),
    st.sampled_from(["", "user.id", "Context.plan", "nothing"]),
    st.sampled_from(["Online", "Apprentice", "LoggingOnly"]),
    st.booleans(),
)
def test_a_decision_is_recomputed_from_its_record_alone(
    number: int, share: float, floor: float, feature: str, mode: Mode, slots: bool
) -> None:
    class Model:
        def probabilities(self, context: bytes, actions: int) -> list[float]:
            return MODEL

        def slot_probabilities(
            self, query: bytes, actions: int, *, slots: int, offered: Sequence[int]
        ) -> list[float]:
            return [MODEL[index] for index in offered]

    rules = MixtureRules(control_share=share, control_feature=feature, floor=floor)
    decision = (several if slots else single)(number, rules, mode=mode)
    again = recompute_decision(decision, Model(), loop_id="loop")  # type: ignore[arg-type]
    assert find_differing_fields(decision, again) == []
