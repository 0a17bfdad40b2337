"""The rules of sections 2.4 and 2.5 of the contract, one by one, and what holds for every history."""

from collections.abc import Sequence
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sartor.log.settle import SettledReward, belongs_to, settle
from sartor.records import DecisionHeader, JoinedObservation
from sartor.settings import Aggregation, LearnWhen, LoopSettings, with_changes

S = 1_000_000
WAIT = 600 * S
RANK = 1_000 * S
MINUTES_2 = 120 * S


def rules(**changes: object) -> LoopSettings:
    return with_changes(LoopSettings(), {"rewardWaitTime": "PT10M", **changes})


WINDOW = rules(learnWhen="window")
SUM = rules(rewardAggregation="sum")


def head(*, deferred: bool = False) -> DecisionHeader:
    return DecisionHeader(1, RANK, "e", deferred)


def joined(*rewards: float | None, at_us: int = RANK + S) -> tuple[JoinedObservation, ...]:
    """Observations one second apart; None is an activation."""
    return tuple(JoinedObservation(n + 1, at_us + n * S, reward) for n, reward in enumerate(rewards))


def at_the_end(
    of: DecisionHeader, observed: Sequence[JoinedObservation] = (), *, settings: LoopSettings | None = None
) -> SettledReward:
    verdict = settle(of, observed, now_us=RANK + WAIT, settings=settings or rules())
    assert verdict is not None
    return verdict


@pytest.mark.parametrize(
    ("offset_us", "inside"),
    [
        pytest.param(-MINUTES_2, False, id="two minutes before its rank"),
        pytest.param(-MINUTES_2 + 1, True, id="less than two minutes before"),
        pytest.param(0, True, id="with its rank"),
        pytest.param(WAIT - 1, True, id="just inside the window"),
        pytest.param(WAIT, False, id="at the end of the window"),
    ],
)
def test_which_observations_belong_to_a_decision(offset_us: int, inside: bool) -> None:
    assert belongs_to(head(), RANK + offset_us, wait_us=WAIT) is inside


def test_the_first_reward_settles_at_once() -> None:
    observed = joined(0.5)
    verdict = settle(head(), observed, now_us=RANK + 2 * S, settings=rules())
    assert verdict == SettledReward(reward=0.5, learnable=True, joined=observed, due_us=RANK + S)


def test_a_reward_that_overtook_its_rank_settles_with_the_rank() -> None:
    observed = joined(0.5, at_us=RANK - 5 * S)
    verdict = settle(head(), observed, now_us=RANK, settings=rules())
    assert verdict is not None
    assert verdict.due_us == RANK


def test_what_comes_after_the_first_reward_changes_nothing() -> None:
    first = settle(head(), joined(0.5), now_us=RANK + S, settings=rules())
    assert settle(head(), joined(0.5, 0.9, None), now_us=RANK + 5 * S, settings=rules()) == first
    assert at_the_end(head(), joined(0.5, 0.9, None)) == first


def test_a_reward_of_zero_is_a_reward() -> None:
    settings = rules(defaultReward=0.7)
    verdict = settle(head(), joined(0.0, 1.0), now_us=RANK + 3 * S, settings=settings)
    assert verdict is not None
    assert verdict.reward == 0.0


def test_without_a_reward_the_default_counts_when_the_window_ends() -> None:
    settings = rules(defaultReward=-0.25)
    assert settle(head(), (), now_us=RANK + WAIT - 1, settings=settings) is None
    verdict = settle(head(), (), now_us=RANK + WAIT, settings=settings)
    assert verdict == SettledReward(reward=-0.25, learnable=True, joined=(), due_us=RANK + WAIT)


@pytest.mark.parametrize("settings", [WINDOW, SUM, rules(rewardAggregation="max")])
def test_all_others_wait_for_the_window(settings: LoopSettings) -> None:
    assert settle(head(), joined(0.5, 1.0), now_us=RANK + WAIT - 1, settings=settings) is None
    assert settle(head(), joined(0.5, 1.0), now_us=RANK + WAIT, settings=settings) is not None


@pytest.mark.parametrize(
    ("how", "reward"),
    [("earliest", 0.5), ("sum", 1.0), ("average", 0.25), ("median", 0.375), ("min", -0.75), ("max", 1.0)],
)
def test_a_window_is_aggregated_as_set(how: Aggregation, reward: float) -> None:
    observed = joined(0.5, -0.75, None, 0.25, 1.0)
    verdict = at_the_end(head(), observed, settings=rules(rewardAggregation=how, learnWhen="window"))
    assert (verdict.reward, verdict.joined) == (reward, observed)


def test_a_deferred_decision_that_was_never_activated_is_not_learned() -> None:
    verdict = at_the_end(head(deferred=True))
    assert (verdict.learnable, verdict.reward) == (False, 0.0)


def test_a_reward_alone_does_not_activate() -> None:
    observed = joined(1.0)
    assert settle(head(deferred=True), observed, now_us=RANK + 2 * S, settings=rules()) is None
    verdict = at_the_end(head(deferred=True), observed)
    assert verdict == SettledReward(reward=1.0, learnable=False, joined=observed, due_us=RANK + WAIT)


@pytest.mark.parametrize("observed", [joined(None, 1.0), joined(1.0, None)])
def test_a_deferred_decision_settles_once_it_is_active_and_has_a_reward(
    observed: tuple[JoinedObservation, ...],
) -> None:
    assert settle(head(deferred=True), observed[:1], now_us=RANK + S, settings=rules()) is None
    verdict = settle(head(deferred=True), observed, now_us=RANK + 2 * S, settings=rules())
    assert verdict == SettledReward(reward=1.0, learnable=True, joined=observed, due_us=RANK + 2 * S)


def test_activated_without_a_reward_the_default_is_learned_when_the_window_ends() -> None:
    settings = rules(defaultReward=0.1)
    verdict = at_the_end(head(deferred=True), joined(None), settings=settings)
    assert (verdict.learnable, verdict.reward, verdict.joined) == (True, 0.1, joined(None))


def test_activating_what_was_never_deferred_changes_nothing() -> None:
    assert settle(head(), joined(None), now_us=RANK + 2 * S, settings=rules()) is None
    assert at_the_end(head(), joined(None)).learnable is True


def test_several_rewards_before_the_activation_count_in_order() -> None:
    verdict = settle(head(deferred=True), joined(0.2, 0.9, None, 0.4), now_us=RANK + 5 * S, settings=rules())
    assert verdict is not None
    assert (verdict.reward, verdict.joined) == (0.2, joined(0.2, 0.9, None))


def test_a_default_reward_of_minus_zero_is_zero() -> None:
    assert str(at_the_end(head(), settings=rules(defaultReward=-0.0)).reward) == "0.0"


observations = st.lists(
    st.tuples(st.integers(-MINUTES_2 + 1, WAIT - 1), st.none() | st.floats(-1, 1)), max_size=6
).map(
    lambda found: tuple(
        JoinedObservation(n + 1, RANK + at, reward) for n, (at, reward) in enumerate(sorted(found, key=_at))
    )
)
all_rules = st.builds(
    lambda how, when, default: rules(rewardAggregation=how, learnWhen=when, defaultReward=default),
    st.sampled_from(get_args(Aggregation)),
    st.sampled_from(get_args(LearnWhen)),
    st.floats(-1, 1),
)


def _at(found: tuple[int, float | None]) -> int:
    return found[0]


@given(observations, st.booleans(), all_rules, st.lists(st.integers(-MINUTES_2, 2 * WAIT), min_size=1))
def test_there_is_never_a_second_verdict(
    observed: tuple[JoinedObservation, ...], deferred: bool, settings: LoopSettings, looks: list[int]
) -> None:
    """However often somebody looked, with whatever was there by then: the first verdict is the last."""
    verdicts = []
    for look in sorted(looks):
        by_then = [one for one in observed if one.at_us < RANK + look]
        verdicts.append(settle(head(deferred=deferred), by_then, now_us=RANK + look, settings=settings))
    found = [verdict for verdict in verdicts if verdict is not None]
    assert all(verdict == found[0] for verdict in found)
    assert None not in verdicts[len(verdicts) - len(found) :]


@given(observations, st.booleans(), all_rules)
def test_the_end_of_the_window_settles_everything(
    observed: tuple[JoinedObservation, ...], deferred: bool, settings: LoopSettings
) -> None:
    verdict = at_the_end(head(deferred=deferred), observed, settings=settings)
    assert RANK <= verdict.due_us <= RANK + WAIT
    assert verdict.joined == observed[: len(verdict.joined)]
    assert verdict.learnable is (not deferred or any(one.reward is None for one in observed))


@given(observations, st.booleans())
def test_learning_at_the_reward_learns_what_the_window_would_have(
    observed: tuple[JoinedObservation, ...], deferred: bool
) -> None:
    early = at_the_end(head(deferred=deferred), observed, settings=rules())
    late = at_the_end(head(deferred=deferred), observed, settings=WINDOW)
    assert (early.reward, early.learnable) == (late.reward, late.learnable)
