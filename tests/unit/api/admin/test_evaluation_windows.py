"""Windows of an evaluation put together to the ones that were asked for."""

from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sartor.api.admin.evaluation_windows import (
    expanding_windows,
    half_interval,
    merge_all,
    rolling_windows,
    select_windows,
)
from sartor.evaluation.spec import WINDOWS_S, EvaluationWindow, PolicyResult

MINUTES_5_US = 300_000_000
Event = tuple[int, float, float]
"""Time in minutes, reward, weight."""


def window(start_us: int, events: list[Event]) -> EvaluationWindow:
    """The sums of some events, in the plainest way."""
    products = [reward * weight for _, reward, weight in events]
    weights = [weight for _, _, weight in events]
    return EvaluationWindow(
        start_us=start_us,
        events=len(events),
        numerator=sum(products),
        sum_of_weights=sum(weights),
        non_zero=sum(weight > 0 for weight in weights),
        sum_of_squares=sum(product * product for product in products),
        largest=max(map(abs, products)),
        expected_reward=sum(products) / sum(weights) if sum(weights) else 0.0,
        low=-9.0,
        high=9.0,
    )


def windows(events: list[Event], width_s: int) -> tuple[EvaluationWindow, ...]:
    groups: dict[int, list[Event]] = {}
    for event in sorted(events):
        groups.setdefault(event[0] * 60 // width_s * width_s, []).append(event)
    return tuple(window(start * 1_000_000, group) for start, group in groups.items())


def policy(events: list[Event]) -> PolicyResult:
    made = {name: windows(events, width_s) for name, width_s in WINDOWS_S.items()}
    return PolicyResult(name="p", arguments="", source="Custom", total=window(0, events), windows=made)


EVENTS: list[Event] = [(3, 1.0, 0.5), (4, 0.0, 2.0), (7, -1.0, 0.0), (400, 0.5, 1.5), (2_000, 1.0, 1.0)]
ALL = {"start_us": 0, "end_us": 10**15}


def test_the_half_width_is_that_of_the_contract() -> None:
    products = np.array([0.5, 0.0, 1.0, 2.0])
    found = window(0, [(0, product, 1.0) for product in products.tolist()])
    expected = 1.96 * sqrt(products.var(ddof=1) / 4)
    assert half_interval(found) == pytest.approx(expected, rel=1e-4)
    assert half_interval(window(0, [(0, 1.0, 1.0)])) == 0.0


def test_windows_are_those_that_begin_in_the_time() -> None:
    found = windows(EVENTS, 300)
    assert select_windows(found, start_us=0, end_us=MINUTES_5_US) == [found[0]]
    assert select_windows(found, start_us=MINUTES_5_US, end_us=400 * 60_000_000) == [found[1]]


def test_expanding_windows_grow_from_the_start() -> None:
    found = expanding_windows(policy(EVENTS), **ALL)
    assert [one.start_us // 60_000_000 for one in found] == [0, 5, 400, 2_000]
    assert [one.events for one in found] == [2, 3, 4, 5]
    assert [one.expected_reward for one in found] == pytest.approx([0.2, 0.2, 1.25 / 4, 2.25 / 5])
    assert found[0] == policy(EVENTS).windows["PT5M"][0]
    assert all(one.low < one.expected_reward < one.high for one in found[1:])


def test_expanding_windows_know_nothing_of_before_the_start() -> None:
    found = expanding_windows(policy(EVENTS), start_us=MINUTES_5_US, end_us=10**15)
    assert [one.events for one in found] == [1, 2, 3]


@pytest.mark.parametrize(
    ("minutes", "starts"), [(60, [0, 360, 1_980]), (360, [0, 360, 1_800]), (1440, [0, 1_440])]
)
def test_rolling_windows_are_the_results_own(minutes: int, starts: list[int]) -> None:
    found = rolling_windows(policy(EVENTS), minutes=minutes, **ALL)
    assert [one.start_us // 60_000_000 for one in found] == starts
    assert {one.low for one in found} == {-9.0}


def test_rolling_windows_of_half_a_day_are_put_together() -> None:
    found = rolling_windows(policy(EVENTS), minutes=720, **ALL)
    assert [(one.start_us // 60_000_000, one.events) for one in found] == [(0, 4), (1_440, 1)]
    assert found[0].expected_reward == pytest.approx(1.25 / 4)


@given(st.lists(st.tuples(st.integers(0, 3_000), st.floats(-1, 1), st.floats(0, 5)), min_size=1, max_size=30))
def test_parts_add_up_to_the_whole(events: list[Event]) -> None:
    whole = window(0, events)
    for parts in (windows(events, 300), windows(events, 3_600)):
        summed = merge_all(parts)
        assert summed is not None
        assert summed.events == whole.events
        assert summed.non_zero == whole.non_zero
        assert summed.largest == whole.largest
        assert summed.numerator == pytest.approx(whole.numerator)
        assert summed.sum_of_squares == pytest.approx(whole.sum_of_squares)
        assert summed.expected_reward == pytest.approx(whole.expected_reward)


def test_nothing_adds_up_to_nothing() -> None:
    assert merge_all([]) is None
