"""What was done is what was shown, in every learning mode and for every slot."""

import pytest
from msgspec.structs import replace

from sartor.estimators.logged_choices import as_shown, logged_choices
from sartor.records import Slot
from sartor.testing.builders import make_decision, make_outcome


def test_online_is_as_recorded() -> None:
    decision = make_decision(actions=3, chosen=2)
    (choice,) = logged_choices(decision, make_outcome(reward=0.5))
    assert as_shown(decision) is decision
    assert choice.ids == ("action-0", "action-1", "action-2")
    assert (choice.chosen, choice.baseline, choice.reward) == (2, 0, 0.5)
    assert choice.propensity == pytest.approx(1 / 3)
    assert choice.rows == 1.0


def test_places_are_among_the_actions_that_could_be_ranked() -> None:
    decision = replace(
        make_decision(actions=4, chosen=3), excluded=(0, 2), probabilities=(0.0, 0.25, 0.0, 0.75)
    )
    (choice,) = logged_choices(decision, make_outcome())
    assert choice.ids == ("action-1", "action-3")
    assert choice.probabilities == (0.25, 0.75)
    assert (choice.chosen, choice.baseline) == (1, 0)


@pytest.mark.parametrize("mode", ["Apprentice", "LoggingOnly"])
def test_where_the_caller_chose_the_first_action_was_certain(mode: str) -> None:
    decision = replace(make_decision(actions=3, chosen=2), mode=mode)
    shown = as_shown(decision)
    (choice,) = logged_choices(decision, make_outcome())
    assert (shown.mode, shown.chosen, shown.probabilities) == ("Online", 0, (1.0, 0.0, 0.0))
    assert shown.ranking[0] == 0
    assert sorted(shown.ranking) == [0, 1, 2]
    assert (choice.chosen, choice.propensity) == (0, 1.0)


def test_rows_that_were_left_out_are_stood_for() -> None:
    (choice,) = logged_choices(replace(make_decision(), dropped=0.75), make_outcome())
    assert choice.rows == 4.0


def slot(
    name: str, *, baseline: int, chosen: int, probabilities: tuple[float, ...], excluded: tuple[int, ...] = ()
) -> Slot:
    return Slot(
        id=name,
        features=b"[]",
        excluded=excluded,
        baseline=baseline,
        probabilities=probabilities,
        ranking=(chosen, *(i for i in range(3) if i != chosen)),
        chosen=chosen,
    )


def test_each_slot_chooses_among_what_is_left() -> None:
    decision = replace(
        make_decision(actions=3),
        slots=(
            slot("top", baseline=1, chosen=1, probabilities=(0.5, 0.5, 0.0), excluded=(2,)),
            slot("side", baseline=1, chosen=2, probabilities=(0.3, 0.0, 0.7)),
        ),
    )
    top, side = logged_choices(decision, replace(make_outcome(), slot_rewards=(1.0, 0.25)))
    assert (top.slot, top.ids, top.chosen, top.baseline, top.reward) == (
        "top",
        ("action-0", "action-1"),
        1,
        1,
        1.0,
    )
    assert (side.slot, side.ids, side.chosen, side.reward) == ("side", ("action-0", "action-2"), 1, 0.25)
    assert side.probabilities == (0.3, 0.7)
    assert side.baseline == 0, "its own was taken: the first that is left"


def test_in_apprentice_mode_every_slot_shows_its_baseline() -> None:
    decision = replace(
        make_decision(actions=3),
        mode="Apprentice",
        slots=(
            slot("top", baseline=0, chosen=1, probabilities=(0.2, 0.8, 0.0)),
            slot("side", baseline=2, chosen=0, probabilities=(0.9, 0.0, 0.1)),
        ),
    )
    shown = as_shown(decision)
    assert [one.chosen for one in shown.slots] == [0, 2]
    assert shown.slots[1].probabilities == (0.0, 0.0, 1.0)
    assert (shown.chosen, shown.probabilities) == (0, (1.0, 0.0, 0.0))
    assert [
        one.propensity for one in logged_choices(decision, replace(make_outcome(), slot_rewards=(0.0, 1.0)))
    ] == [
        1.0,
        1.0,
    ]
