"""How the loop does beside its baseline."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from sartor.log_search import first_outcome_since
from sartor.metrics.learning_metrics import (
    MetricWindow,
    SettledChoice,
    read_choices,
    windows_by_count,
    windows_by_time,
)
from sartor.records import Cursor, Mode, Settlement
from sartor.testing.builders import make_decision, make_loop, make_outcome
from sartor.testing.stores import MemoryStores


def choice(at_us: int, reward: float = 1.0, *, matched: bool = True, mode: Mode = "Online") -> SettledChoice:
    return SettledChoice(at_us=at_us, mode=mode, matched=matched, reward=reward)


def test_windows_of_time_begin_where_they_are_asked_to() -> None:
    found = windows_by_time(
        [choice(9), choice(10, 0.5), choice(19, 0.25, matched=False), choice(20), choice(41), choice(45)],
        start_us=10,
        end_us=45,
        width_us=10,
    )
    assert found == {
        "Online": [
            MetricWindow(
                mode="Online", start_us=10, end_us=20, events=2, rewards=0.75, matched=1, imitated=0.5
            ),
            MetricWindow(mode="Online", start_us=20, end_us=30, events=1, rewards=1.0, matched=1, imitated=1.0),
            MetricWindow(mode="Online", start_us=40, end_us=45, events=1, rewards=1.0, matched=1, imitated=1.0),
        ]
    }


def test_windows_of_time_are_in_order_though_outcomes_are_not() -> None:
    found = windows_by_time([choice(25), choice(5), choice(15)], start_us=0, end_us=30, width_us=10)
    assert [window.start_us for window in found["Online"]] == [0, 10, 20]


def test_each_learning_mode_has_its_own_windows() -> None:
    choices = [choice(1, mode="Apprentice"), choice(2), choice(3, mode="Apprentice")]
    for found in (
        windows_by_time(choices, start_us=0, end_us=9, width_us=9),
        windows_by_count(choices, count=5),
    ):
        assert {mode: sum(w.events for w in windows) for mode, windows in found.items()} == {
            "Apprentice": 2,
            "Online": 1,
        }


def test_windows_of_events_hold_as_many_as_they_are_asked_to() -> None:
    found = windows_by_count([choice(at, float(at)) for at in (3, 1, 2, 5, 4)], count=2)
    assert [(w.start_us, w.end_us, w.events, w.rewards) for w in found["Online"]] == [
        (1, 3, 2, 4.0),
        (2, 5, 2, 7.0),
        (4, 4, 1, 4.0),
    ]


@given(st.lists(st.tuples(st.integers(0, 500), st.booleans()), max_size=40), st.integers(1, 60))
def test_no_event_is_lost_or_counted_twice(choices: list[tuple[int, bool]], width: int) -> None:
    given_ = [choice(at, 1.0, matched=matched) for at, matched in choices]
    for found in (
        windows_by_time(given_, start_us=0, end_us=501, width_us=width),
        windows_by_count(given_, count=width),
    ):
        windows = [window for group in found.values() for window in group]
        assert sum(w.events for w in windows) == len(choices)
        assert sum(w.matched for w in windows) == sum(w.imitated for w in windows) == sum(m for _, m in choices)


def test_choices_are_read_in_the_order_of_settling() -> None:
    logs = MemoryStores().open(make_loop())
    decisions = [make_decision(f"event-{number}", chosen=number % 3) for number in range(8)]
    decisions[4] = replace(decisions[4], mode="Apprentice")
    logs.events.append(decisions)
    outcomes = [
        replace(make_outcome(number, reward=number / 10), event_id=f"event-{number - 1}")
        for number in (2, 1, 5, 8)
    ]
    outcomes[3] = replace(outcomes[3], learnable=False)
    logs.outcomes.record(Settlement(outcomes=tuple(outcomes), unmatched=(), cursor=Cursor()))
    found = read_choices(logs.events, logs.outcomes, after=0, until=4)
    assert [(one.reward, one.mode, one.matched) for one in found] == [
        (0.2, "Online", False),
        (0.1, "Online", True),
        (0.5, "Apprentice", False),
    ]
    assert [one.reward for one in read_choices(logs.events, logs.outcomes, after=1, until=2)] == [0.1]


@pytest.mark.parametrize(("at_us", "number"), [(0, 1), (10, 1), (11, 2), (20, 2), (30, 3), (31, 4)])
def test_the_first_outcome_since_a_time_is_found(at_us: int, number: int) -> None:
    logs = MemoryStores().open(make_loop())
    logs.events.append([make_decision(f"event-{number}") for number in range(3)])
    outcomes = tuple(replace(make_outcome(n), settled_at_us=10 * n) for n in (1, 2, 3))
    logs.outcomes.record(Settlement(outcomes=outcomes, unmatched=(), cursor=Cursor()))
    assert first_outcome_since(logs.outcomes, at_us) == number
