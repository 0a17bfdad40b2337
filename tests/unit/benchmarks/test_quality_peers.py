"""What the other learners are given is in their favour, and those that are written here do what they say."""

import numpy as np
import pytest
from scipy import stats  # type: ignore[import-untyped]

from benchmarks.quality.catalogue import open_stream
from benchmarks.quality.columns import MOST_COLUMNS, Columns, flatten
from benchmarks.quality.peers import RewardScale, RidgeSquare, draw_inverse_gap, pick_greatest
from benchmarks.quality.play import play_stream


def test_features_become_numbers_and_texts() -> None:
    features = [{"age": 30, "new": True, "who": {"town": "Ulm", "_text": "red red hat"}, "tags": ["a", "b"]}]
    assert list(flatten(features)) == [
        ("age", 30.0),
        ("new", 1.0),
        ("who.town=Ulm", 1.0),
        ("who._text=red", 1.0),
        ("who._text=red", 1.0),
        ("who._text=hat", 1.0),
        ("tags=a", 1.0),
        ("tags=b", 1.0),
    ]


def test_numbers_are_standardised_by_the_whole_stream_and_texts_are_not() -> None:
    stream = [[{"price": 1_000.0 + turn, "town": "ab"[turn % 2]}] for turn in range(100)]
    columns = Columns(stream)
    rows = np.array([columns.encode(features) for features in stream])
    assert rows.shape == (100, 4)
    assert set(rows[:, 0]) == {1.0}
    assert rows[:, 1].mean() == pytest.approx(0, abs=1e-9)
    assert rows[:, 1].std() == pytest.approx(1)
    assert set(rows[:, 2:].ravel()) == {0.0, 1.0}
    assert columns.encode([{"town": "elsewhere"}]).tolist() == [1.0, 0.0, 0.0, 0.0]


def test_a_number_that_never_changes_and_a_thousand_texts_do_no_harm() -> None:
    stream = [[{"same": 5.0, "id": f"id{turn}"}] for turn in range(1_000)]
    columns = Columns(stream)
    assert columns.count == MOST_COLUMNS + 1
    assert np.isfinite(columns.encode(stream[-1])).all()


def test_actions_are_drawn_as_often_as_their_inverse_gaps_say() -> None:
    rng, scale = np.random.default_rng(5), RewardScale()
    for reward in [0.0, 1.0] * 2:
        scale.add(reward)
    values = [0.5, 0.5, 0.4, 0.0]
    draws = [draw_inverse_gap(values, scale, rng) for _ in range(20_000)]
    gamma = 10 * 4**0.5
    expected = np.array([1 / (4 + gamma * (0.5 - value) / 0.5) for value in values])
    expected[0] += 1 - expected.sum()
    counts = np.bincount([choice.option for choice in draws], minlength=4)
    assert stats.chisquare(counts, expected * len(draws)).pvalue > 1e-4
    assert {choice.option: choice.probability for choice in draws} == pytest.approx(dict(enumerate(expected)))


def test_equal_values_are_drawn_equally_often() -> None:
    rng = np.random.default_rng(6)
    counts = np.bincount([pick_greatest([1.0, 2.0, 2.0], rng) for _ in range(4_000)], minlength=3)
    assert counts[0] == 0
    assert stats.chisquare(counts[1:]).pvalue > 1e-4


def test_a_ridge_for_each_action_learns_a_linear_world() -> None:
    world = open_stream("takeover", seed=2)
    result = play_stream(world, RidgeSquare(world, turns=600, seed=2), turns=600)
    assert result.above_random > 0.6
    assert 0 < result.least_probability < 0.25
