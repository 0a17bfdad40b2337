"""A decision ranks, draws and swaps as the contract says, and logs the probabilities that were used."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sartor.explore.decide import decide
from sartor.explore.draw import draw_point, pick_action
from sartor.inference import uniform_probabilities
from sartor.records import NO_MODEL, Action, Decision, RankInput


def request(actions: int, *, excluded: tuple[int, ...] = (), event_id: str = "e") -> RankInput:
    return RankInput(
        event_id=event_id,
        context=b'[{"hour":9}]',
        actions=tuple(Action(f"a{i}", b'[{"n":%d}]' % i) for i in range(actions)),
        excluded=excluded,
    )


def decide_request(rank_input: RankInput, probabilities: list[float], *, loop_id: str = "loop") -> Decision:
    return decide(rank_input, probabilities=probabilities, loop_id=loop_id, model_id="m1", settings_version=3)


def event_that_draws(low: float, high: float) -> str:
    """An event id whose draw in the loop "loop" lies between the two."""
    return next(f"e{n}" for n in range(100_000) if low <= draw_point("loop", f"e{n}") < high)


def test_a_decision_keeps_what_was_asked_and_who_answered() -> None:
    rank_input = RankInput(
        event_id="e9", context=b"[]", actions=(Action("a", b"[{}]"),), excluded=(), deferred=True
    )
    decision = decide_request(rank_input, [1.0])
    assert decision == Decision(
        event_id="e9",
        context=b"[]",
        actions=rank_input.actions,
        excluded=(),
        probabilities=(1.0,),
        ranking=(0,),
        chosen=0,
        model_id="m1",
        settings_version=3,
        mode="Online",
        deferred=True,
    )


def test_actions_are_ranked_by_probability_and_ties_keep_the_order_of_the_request() -> None:
    greedy = event_that_draws(0.1, 0.7)
    decision = decide_request(request(4, event_id=greedy), [0.1, 0.6, 0.1, 0.2])
    assert decision.chosen == 1
    assert decision.ranking == (1, 3, 0, 2)


def test_the_drawn_action_changes_places_with_the_first() -> None:
    last = event_that_draws(0.9, 1.0)
    decision = decide_request(request(4, event_id=last), [0.6, 0.2, 0.1, 0.1])
    assert decision.chosen == 3
    assert decision.ranking == (3, 1, 2, 0)
    assert decision.probabilities == (0.6, 0.2, 0.1, 0.1)
    assert decision.propensity == 0.1


def test_an_excluded_action_keeps_its_place_in_the_answer() -> None:
    decision = decide_request(request(2, excluded=(0,)), [1.0])
    assert decision.ranking == (0, 1)
    assert decision.probabilities == (0.0, 1.0)
    assert decision.chosen == 1


def test_excluded_actions_in_the_middle_stay_in_the_middle() -> None:
    greedy = event_that_draws(0.3, 1.0)
    decision = decide_request(request(5, excluded=(1, 3), event_id=greedy), [0.1, 0.2, 0.7])
    assert decision.ranking == (4, 1, 2, 3, 0)
    assert decision.probabilities == (0.1, 0.0, 0.2, 0.0, 0.7)


def test_one_action_is_certain() -> None:
    assert decide_request(request(1), uniform_probabilities(1)).probabilities == (1.0,)


def test_without_a_model_every_action_has_the_same_probability() -> None:
    assert uniform_probabilities(4) == [0.25] * 4
    rank_input = request(3)
    decision = decide(
        rank_input, probabilities=uniform_probabilities(3), loop_id="l", model_id=NO_MODEL, settings_version=1
    )
    assert decision.probabilities == (1 / 3, 1 / 3, 1 / 3)


def test_probabilities_in_single_precision_are_logged_as_shares_of_their_sum() -> None:
    probabilities = [0.8000000715255737, 0.10000000149011612, 0.10000000149011612]
    decision = decide_request(request(3), probabilities)
    assert decision.probabilities == tuple(p / math.fsum(probabilities) for p in probabilities)


@pytest.mark.parametrize(
    "probabilities",
    [
        pytest.param([0.5], id="too few"),
        pytest.param([0.5, 0.5, 0.0], id="too many"),
        pytest.param([1.5, -0.5], id="negative"),
        pytest.param([0.0, 0.0], id="nothing possible"),
        pytest.param([math.nan, 1.0], id="not a number first"),
        pytest.param([1.0, math.nan], id="not a number last"),
        pytest.param([math.inf, 1.0], id="infinite"),
    ],
)
def test_what_is_no_distribution_is_refused(probabilities: list[float]) -> None:
    with pytest.raises(ValueError, match="probabilit"):
        decide_request(request(2), probabilities)


def test_a_request_in_which_everything_is_excluded_is_refused() -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        decide_request(request(2, excluded=(0, 1)), [])


weights = st.lists(st.floats(0, 1e6), min_size=1, max_size=60).filter(lambda w: max(w) > 1e-3)


@st.composite
def inputs_and_probabilities(draw_from: st.DrawFn) -> tuple[RankInput, list[float]]:
    values = draw_from(weights)
    left_out = draw_from(st.integers(0, 5))
    count = len(values) + left_out
    excluded = draw_from(st.permutations(range(count)))[:left_out]
    return request(count, excluded=tuple(sorted(excluded)), event_id=draw_from(st.text(max_size=9))), values


@given(inputs_and_probabilities())
def test_the_logged_probabilities_are_a_distribution_over_the_rankable_actions(
    case: tuple[RankInput, list[float]],
) -> None:
    decision = decide_request(*case)
    assert math.fsum(decision.probabilities) == pytest.approx(1.0, abs=1e-12)
    assert all(decision.probabilities[index] == 0.0 for index in decision.excluded)
    assert decision.propensity > 0.0
    assert decision.chosen not in decision.excluded


@given(inputs_and_probabilities())
def test_the_logged_probabilities_are_those_of_the_draw(case: tuple[RankInput, list[float]]) -> None:
    decision = decide_request(*case)
    rankable = decision.rankable
    used = [decision.probabilities[index] for index in rankable]
    assert decision.chosen == rankable[pick_action(used, draw_point("loop", decision.event_id))]


@given(inputs_and_probabilities())
def test_the_answer_holds_every_action_once_and_the_excluded_at_home(
    case: tuple[RankInput, list[float]],
) -> None:
    decision = decide_request(*case)
    assert sorted(decision.ranking) == list(range(len(decision.actions)))
    assert all(decision.ranking[index] == index for index in decision.excluded)
    assert decision.ranking[decision.rankable[0]] == decision.chosen


@given(inputs_and_probabilities())
def test_but_for_the_swap_the_order_is_that_of_the_probabilities(case: tuple[RankInput, list[float]]) -> None:
    decision = decide_request(*case)
    ranked = [index for index in decision.ranking if index not in decision.excluded]
    best = sorted(decision.rankable, key=lambda index: (-decision.probabilities[index], index))
    where = best.index(decision.chosen)
    best[0], best[where] = best[where], best[0]
    assert ranked == best


@given(inputs_and_probabilities())
def test_the_same_request_with_the_same_probabilities_gives_the_same_decision(
    case: tuple[RankInput, list[float]],
) -> None:
    assert decide_request(*case) == decide_request(*case)


def test_a_request_knows_which_actions_can_be_ranked() -> None:
    assert request(3).rankable == (0, 1, 2)
    assert request(4, excluded=(0, 2)).rankable == (1, 3)
