"""The scorecard is one fold: exact from any checkpoint, bounded, and right window by window."""

import random

import msgspec
import pytest

from sartor.errors import Corrupt
from sartor.estimators.logged_choices import LoggedChoice
from sartor.estimators.policy_estimate import (
    BASELINE,
    FIXED,
    ONLINE,
    RANDOM,
    estimate_policies,
    find_best_fixed,
)
from sartor.estimators.reference_policies import ReferencePolicies
from sartor.estimators.scorecard import COARSE_US, FINE_US, WINDOWS, LearningCurve, Scorecard
from sartor.estimators.scorecard_view import PolicyEstimate

START_US = 1_700_000_000_000_000 // COARSE_US * COARSE_US
Event = tuple[LoggedChoice, int]


def make_events(count: int, *, seed: int = 1, step_us: int = 20_000_000) -> list[Event]:
    """Three actions, the last the best; one new action now and then; times go on, once they run back."""
    rng = random.Random(seed)
    events = []
    at_us = START_US
    for number in range(count):
        ids = ("a", "b", "c") if number % 50 else ("a", "b", "c", f"new-{number}")
        chosen = rng.randrange(len(ids))
        worth = (0.2, 0.3, 0.8, 0.0)[chosen]
        reward = float(rng.random() < worth)
        probabilities = (1 / len(ids),) * len(ids)
        at_us += step_us if number != count // 2 else -step_us
        events.append((LoggedChoice(reward=reward, ids=ids, probabilities=probabilities, chosen=chosen), at_us))
    return events


def fold(events: list[Event], card: Scorecard | None = None, *, first: int = 1) -> Scorecard:
    card = card or Scorecard()
    for number, (choice, at_us) in enumerate(events, first):
        card.add(number, choice, at_us=at_us, mark=(number, at_us))
    return card


def by_policy(found: tuple[PolicyEstimate, ...]) -> dict[str, PolicyEstimate]:
    return {estimate.policy: estimate for estimate in found}


@pytest.mark.parametrize("cut", [1, 13, 149, 150, 151, 400, 599])
def test_a_checkpoint_changes_nothing(cut: int) -> None:
    events = make_events(600)
    whole = fold(events)
    again = fold(events[cut:], Scorecard.from_state(fold(events[:cut]).state()), first=cut + 1)
    assert again.state() == whole.state()
    assert (again.last, again.mark, again.since) == (600, (600, events[-1][1]), 1)


def test_stored_scorecards_keep_their_names() -> None:
    stored = msgspec.msgpack.decode(fold(make_events(3)).state(), strict=False)
    assert list(stored) == [
        *("version", "revision", "since", "last", "mark", "at_us", "followed", "closed", "opened"),
        *("step", "fine", "coarse", "curve", "reward_model"),
    ]
    assert list(stored["followed"]) == ["most", "seen", "ordinals"]
    assert list(stored["curve"]) == ["most", "stride", "points"]
    opened = stored["opened"]
    assert (opened["type"], opened["online"]["type"], opened["arms"]["a"]["type"]) == ("Tally", "Ips", "Arm")


def test_windows_hold_what_was_settled_in_them() -> None:
    events = make_events(1_000)
    card = fold(events)
    now_us = card.at_us
    for name, (width, count) in WINDOWS.items():
        begins = (now_us // width - count + 1) * width
        expected = [choice.reward for choice, at_us in clocked(events) if at_us >= begins]
        online = card.window(name, now_us=now_us).online
        assert online.rows == len(expected), name
        assert online.product == pytest.approx(sum(expected))
    assert card.total().online.rows == card.events == 1_000


def clocked(events: list[Event]) -> list[Event]:
    """The events with the card's own times, which never run back."""
    latest, found = 0, []
    for choice, at_us in events:
        latest = max(latest, at_us)
        found.append((choice, latest))
    return found


def test_windows_empty_while_nothing_is_settled() -> None:
    card = fold(make_events(100))
    later = card.at_us + 2 * FINE_US
    assert card.window("PT5M", now_us=later).online.rows == 0
    assert card.window("PT1H", now_us=later).online.rows == 100
    assert card.window("P1D", now_us=later + 25 * COARSE_US).online.rows == 0


def test_memory_is_constant() -> None:
    sizes = [len(fold(make_events(count, step_us=60_000_000)).state()) for count in (3_000, 6_000)]
    assert sizes[1] < 1.35 * sizes[0]
    card = fold(make_events(6_000, step_us=60_000_000))
    assert len(card.fine) <= 12
    assert len(card.coarse) <= 24
    assert len(card.curve.points) <= card.curve.max_points


def test_what_settled_without_a_word_is_passed_over() -> None:
    card = Scorecard()
    card.skip(5, mark=(4, 7))
    assert (card.since, card.last, card.mark, card.events) == (5, 5, (4, 7), 0)
    assert card.view(now_us=START_US).total == ()


def test_readings_tell_who_is_best() -> None:
    card = fold(make_events(3_000))
    found = by_policy(card.view(now_us=card.at_us).total)
    assert set(found) == {ONLINE, BASELINE, RANDOM, FIXED}
    assert found[FIXED].action == "c"
    assert found[FIXED].value == pytest.approx(0.8, abs=0.05)
    assert found[BASELINE].value == pytest.approx(0.2, abs=0.05)
    for estimate in found.values():
        assert estimate.value is not None
        assert estimate.interval is not None
        assert estimate.interval.lower <= estimate.value <= estimate.interval.upper
    best, online = found[FIXED].interval, found[ONLINE].interval
    assert best is not None
    assert online is not None
    assert best.lower > online.upper


def test_a_log_without_exploration_says_nothing_of_others() -> None:
    card = Scorecard()
    choice = LoggedChoice(reward=1.0, ids=("a", "b"), probabilities=(1.0, 0.0), chosen=0)
    for number in range(1, 301):
        card.add(number, choice, at_us=START_US, mark=(number, START_US))
    found = by_policy(card.view(now_us=START_US).total)
    assert found[ONLINE].value == 1.0
    assert found[BASELINE].value == pytest.approx(1.0)
    assert found[RANDOM].value is None
    assert found[RANDOM].interval is None
    assert "without exploration" in found[RANDOM].reasons[0]


def test_a_lucky_action_is_not_the_best_one() -> None:
    """Of many actions that were chosen once or twice some paid every time; none is picked for that."""
    rng = random.Random(5)
    card = Scorecard()
    for number in range(1, 4_001):
        ids = ("steady", *(f"x{rng.randrange(100)}-{place}" for place in range(3)))
        chosen = 0 if rng.random() < 0.7 else rng.randint(1, 3)
        probabilities = (0.7, 0.1, 0.1, 0.1)
        reward = float(rng.random() < (0.5 if chosen == 0 else 0.3))
        choice = LoggedChoice(reward=reward, ids=ids, probabilities=probabilities, chosen=chosen)
        card.add(number, choice, at_us=START_US, mark=(number, START_US))
    best = find_best_fixed(card.total(), card.tracked)
    assert best is not None
    assert best.action == "steady"


def test_an_empty_tally_has_no_standings() -> None:
    assert estimate_policies(ReferencePolicies(), Scorecard().tracked) == ()


def test_the_curve_thins_out_and_keeps_its_shape() -> None:
    events = make_events(1_000)
    card = fold(events)
    points = card.curve.points
    assert card.curve.stride == 8
    assert [point.events for point in points] == list(range(8, 1_001, 8))
    for point in points:
        assert point.online.rows == point.events
        assert point.online.product == pytest.approx(sum(choice.reward for choice, _ in events[: point.events]))


def test_a_curve_of_few_points_has_all_of_them() -> None:
    curve = LearningCurve(max_points=4)
    assert [curve.is_due(events) for events in (1, 2, 3)] == [True, True, True]


@pytest.mark.parametrize("state", [b"", b"\xc0", Scorecard(version=99).state()])
def test_other_bytes_are_refused(state: bytes) -> None:
    with pytest.raises(Corrupt):
        Scorecard.from_state(state)
