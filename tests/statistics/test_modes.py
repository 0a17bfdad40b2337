"""In each learning mode, and in each of several slots, the logged probabilities are those that were used.

The event ids are fixed; a test passes when chance alone would give a figure as bad in more than one case in
a million.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence

import pytest
from scipy import stats  # type: ignore[import-untyped]

from sartor.explore.decide import decide
from sartor.explore.response_view import view_decision, view_slots
from sartor.explore.slots import decide_slots
from sartor.records import Action, Decision, Mode, MultiSlotInput, RankInput, SlotInput

MANY = 30_000
LIMIT = 1e-6
PROBABILITIES = [0.05, 0.15, 0.5, 0.3]
ACTIONS = tuple(Action(f"a{n}", b'[{"n":1}]') for n in range(4))


def single(number: int, mode: Mode) -> Decision:
    request = RankInput(event_id=f"e{number}", context=b"[]", actions=ACTIONS)
    return decide(
        request, probabilities=PROBABILITIES, loop_id="loop", model_id="m", settings_version=1, mode=mode
    )


def several(number: int, mode: Mode) -> Decision:
    """Three slots; the second does not take the action that is most likely, the third needs the last."""
    slots = (
        SlotInput(id="x", features=b"[]", baseline=0),
        SlotInput(id="y", features=b"[]", baseline=1, excluded=(2,)),
        SlotInput(id="z", features=b"[]", baseline=3, excluded=(0, 1)),
    )
    request = MultiSlotInput(event_id=f"e{number}", context=b"[]", actions=ACTIONS, slots=slots)

    def predict(taken: Sequence[int], offered: Sequence[int]) -> Sequence[float]:
        return [PROBABILITIES[index] for index in offered]

    return decide_slots(request, predict=predict, loop_id="loop", model_id="m", settings_version=1, mode=mode)


def agrees(chosen: Sequence[int], probabilities: Sequence[float]) -> bool:
    """Whether draws are as their probabilities say (chi-square); what has no probabilities was never drawn."""
    counts = Counter(chosen)
    possible = [index for index, odd in enumerate(probabilities) if odd > 0]
    if set(counts) - set(possible):
        return False
    if len(possible) == 1:
        return True
    expected = [len(chosen) * probabilities[index] for index in possible]
    return bool(stats.chisquare([counts[index] for index in possible], expected).pvalue > LIMIT)


@pytest.mark.parametrize("mode", ["Online", "Apprentice"])
def test_the_draws_of_the_model_are_as_logged(mode: Mode) -> None:
    decisions = [single(number, mode) for number in range(MANY)]
    assert {decision.probabilities for decision in decisions} == {decisions[0].probabilities}
    assert agrees([decision.chosen for decision in decisions], decisions[0].probabilities)


@pytest.mark.parametrize("mode", ["Apprentice", "LoggingOnly"])
def test_what_the_caller_is_told_to_show_is_certain(mode: Mode) -> None:
    assert {view_decision(single(number, mode)).chosen for number in range(500)} == {0}


def test_logging_only_logs_what_was_done() -> None:
    for number in range(500):
        decision = single(number, "LoggingOnly")
        assert decision.chosen == view_decision(decision).chosen
        assert decision.propensity == 1.0


@pytest.mark.parametrize("mode", ["Online", "Apprentice"])
def test_each_slot_is_drawn_as_logged_given_the_slots_before(mode: Mode) -> None:
    seen: dict[tuple[int, ...], list[Decision]] = defaultdict(list)
    for number in range(MANY):
        decision = several(number, mode)
        for place in range(3):
            seen[tuple(slot.chosen for slot in decision.slots[:place])].append(decision)
    assert len(seen) > 8
    for before, decisions in seen.items():
        place = len(before)
        logged = {decision.slots[place].probabilities for decision in decisions}
        assert len(logged) == 1
        assert agrees([decision.slots[place].chosen for decision in decisions], logged.pop())


def test_importance_weights_of_the_slots_average_to_one() -> None:
    """So does each single assignment: its share of the draws is the product of the logged probabilities."""
    assignments: Counter[tuple[int, ...]] = Counter()
    products: dict[tuple[int, ...], float] = {}
    for number in range(MANY):
        slots = several(number, "Online").slots
        assignment = tuple(slot.chosen for slot in slots)
        assignments[assignment] += 1
        product = 1.0
        for slot in slots:
            product *= slot.probabilities[slot.chosen]
        products[assignment] = product
    assert sum(products.values()) == pytest.approx(1.0)
    observed = [assignments[assignment] for assignment in products]
    assert stats.chisquare(observed, [MANY * product for product in products.values()]).pvalue > LIMIT


@pytest.mark.parametrize("mode", ["Apprentice", "LoggingOnly"])
def test_each_slot_shows_its_baseline(mode: Mode) -> None:
    for number in range(200):
        assert [slot.chosen for slot in view_slots(several(number, mode))] == [0, 1, 3]
