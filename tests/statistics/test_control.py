"""With a control group and a floor, actions are drawn as often as the log says, in every mode.

The event ids are fixed; a test passes when chance alone would give a figure as bad in more than one case in
a million.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence

import pytest
from scipy import stats  # type: ignore[import-untyped]

from sartor.explore.decide import decide
from sartor.explore.slots import decide_slots
from sartor.inference import uniform_probabilities
from sartor.mixture import MixtureRules, control_shares, policy_probabilities
from sartor.records import Action, Decision, Mode, MultiSlotInput, RankInput, SlotInput

MANY = 30_000
LIMIT = 1e-6
MODEL = [0.0, 0.15, 0.55, 0.3]
ACTIONS = tuple(Action(f"a{n}", b"[]") for n in range(4))
EVENT = MixtureRules(control_share=0.1, floor=0.08)
STICKY = MixtureRules(control_share=0.1, floor=0.08, control_feature="user.id")


def single(
    number: int,
    rules: MixtureRules,
    *,
    mode: Mode = "Online",
    excluded: tuple[int, ...] = (),
    model: Sequence[float] = MODEL,
) -> Decision:
    request = RankInput(
        event_id=f"e{number}",
        context=b'[{"user":{"id":"user-%d"}}]' % number,
        actions=ACTIONS,
        excluded=excluded,
    )
    probabilities = [model[index] for index in request.rankable]
    return decide(
        request,
        probabilities=probabilities,
        loop_id="loop",
        model_id="m",
        settings_version=1,
        mode=mode,
        rules=rules,
    )


def several(number: int, rules: MixtureRules) -> Decision:
    slots = (
        SlotInput(id="x", features=b"[]", baseline=2),
        SlotInput(id="y", features=b"[]", baseline=1, excluded=(2,)),
        SlotInput(id="z", features=b"[]", baseline=3, excluded=(0, 1)),
    )
    request = MultiSlotInput(
        event_id=f"e{number}", context=b'[{"user":{"id":"user-%d"}}]' % number, actions=ACTIONS, slots=slots
    )

    def predict(taken: Sequence[int], offered: Sequence[int]) -> Sequence[float]:
        return [MODEL[index] + 0.01 for index in offered]

    return decide_slots(request, predict=predict, loop_id="loop", model_id="m", settings_version=1, rules=rules)


def agrees(chosen: Sequence[int], probabilities: Sequence[float]) -> bool:
    """Whether draws are as their probabilities say (chi-square); what has none was never drawn."""
    counts = Counter(chosen)
    possible = [index for index, odd in enumerate(probabilities) if odd > 0]
    if set(counts) - set(possible):
        return False
    if len(possible) == 1:
        return True
    expected = [len(chosen) * probabilities[index] for index in possible]
    return bool(stats.chisquare([counts[index] for index in possible], expected).pvalue > LIMIT)


@pytest.mark.parametrize("rules", [EVENT, STICKY], ids=["by event", "by user"])
@pytest.mark.parametrize("excluded", [(), (0,), (1, 3)])
def test_actions_are_drawn_as_often_as_the_mixture_says(rules: MixtureRules, excluded: tuple[int, ...]) -> None:
    decisions = [single(number, rules, excluded=excluded) for number in range(MANY)]
    assert len({one.probabilities for one in decisions}) == 1
    assert agrees([one.chosen for one in decisions], decisions[0].probabilities)
    assert agrees([int(one.in_control) for one in decisions], [0.9, 0.1])


@pytest.mark.parametrize("rules", [EVENT, STICKY], ids=["by event", "by user"])
def test_whoever_is_not_in_the_control_group_is_drawn_as_the_policy_says(rules: MixtureRules) -> None:
    others = [one for one in (single(number, rules) for number in range(MANY)) if not one.in_control]
    policy = policy_probabilities(others[0])
    assert agrees([one.chosen for one in others], policy)
    assert min(policy) == pytest.approx(0.02)


def test_one_user_is_drawn_as_the_policy_says_or_never() -> None:
    def of_user(user: int) -> list[Decision]:
        return [
            decide(
                RankInput(event_id=f"{user}-{n}", context=b'[{"user":{"id":%d}}]' % user, actions=ACTIONS),
                probabilities=MODEL,
                loop_id="loop",
                model_id="m",
                settings_version=1,
                rules=STICKY,
            )
            for n in range(2_000)
        ]

    users = [of_user(user) for user in range(15)]
    members = [decisions for decisions in users if decisions[0].in_control]
    assert members
    for decisions in members:
        assert {one.chosen for one in decisions} == {0}
    for decisions in users:
        if decisions not in members:
            assert agrees([one.chosen for one in decisions], policy_probabilities(decisions[0]))


def test_without_a_model_the_uniform_draw_and_the_control_group_are_as_logged() -> None:
    decisions = [single(number, EVENT, model=uniform_probabilities(4)) for number in range(MANY)]
    assert agrees([one.chosen for one in decisions], [0.1 + 0.9 / 4, *[0.9 / 4] * 3])
    assert decisions[0].probabilities == pytest.approx((0.1 + 0.9 / 4, *[0.9 / 4] * 3))


@pytest.mark.parametrize("mode", ["Apprentice", "LoggingOnly"])
def test_in_the_other_modes_the_draws_are_the_models(mode: Mode) -> None:
    decisions = [single(number, EVENT, mode=mode) for number in range(3_000)]
    assert not any(one.in_control for one in decisions)
    assert agrees([one.chosen for one in decisions], decisions[0].probabilities)
    assert decisions[0].probabilities == pytest.approx(MODEL if mode == "Apprentice" else (1, 0, 0, 0))


@pytest.mark.parametrize("rules", [EVENT, STICKY], ids=["by event", "by user"])
def test_each_slot_is_drawn_as_its_mixture_says_given_the_slots_before(rules: MixtureRules) -> None:
    drawn: dict[tuple[int, ...], list[int]] = defaultdict(list)
    control: dict[tuple[int, ...], list[int]] = defaultdict(list)
    logged: dict[tuple[int, ...], tuple[float, ...]] = {}
    odds: dict[tuple[int, ...], float] = {}
    for number in range(MANY):
        decision = several(number, rules)
        shares = control_shares(decision)
        for place, slot in enumerate(decision.slots):
            before = tuple(one.chosen for one in decision.slots[:place])
            drawn[before].append(slot.chosen)
            control[before].append(int(decision.in_control))
            assert logged.setdefault(before, slot.probabilities) == slot.probabilities
            odds[before] = shares[place]
    assert len(drawn) > 4
    for before, chosen in drawn.items():
        assert agrees(chosen, logged[before])
        assert agrees(control[before], [1 - odds[before], odds[before]])
