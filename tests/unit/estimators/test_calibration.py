"""Logged probabilities that were used pass the audit; others are found out."""

import numpy as np
import pytest

from sartor.estimators.calibration import PropensityCalibration


def drawn(
    rng: np.random.Generator, count: int, probabilities: list[float], logged: list[float]
) -> PropensityCalibration:
    """Decisions that were drawn by some probabilities and logged with others."""
    found = PropensityCalibration()
    chosen = [
        place * len(probabilities) + int(rng.choice(len(probabilities), p=probabilities))
        for place in range(count)
    ]
    found.add(logged * count, chosen)
    return found


def test_what_was_drawn_as_logged_is_believed() -> None:
    probabilities = [0.04, 0.16, 0.8]
    found = drawn(np.random.default_rng(1), 4_000, probabilities, probabilities)
    assert found.worst_deviation() < 4
    classes = {(one.low, one.high): one for one in found.bins()}
    assert set(classes) == {(0.02, 0.05), (0.1, 0.2), (0.7, 0.8)}
    top = classes[(0.7, 0.8)]
    assert top.actions == 4_000
    assert top.expected == pytest.approx(3_200)
    assert top.error == pytest.approx((4_000 * 0.8 * 0.2) ** 0.5)
    assert top.deviation == pytest.approx((top.observed - top.expected) / top.error)
    assert found.smallest == 0.04


def test_choices_by_other_probabilities_are_detected() -> None:
    found = drawn(np.random.default_rng(2), 4_000, [0.1, 0.1, 0.8], [0.04, 0.16, 0.8])
    assert found.worst_deviation() > 10


def test_what_can_not_have_been_chosen_is_found_out() -> None:
    found = PropensityCalibration()
    found.add([1.0, 0.0], [1])
    assert found.worst_deviation() >= 1e9


def test_certainty_is_believed() -> None:
    found = PropensityCalibration()
    found.add([1.0, 0.0] * 100, list(range(0, 200, 2)))
    assert found.worst_deviation() == 0.0
    assert [one.actions for one in found.bins()] == [100], "what can not be chosen is not counted"


def test_parts_make_the_whole() -> None:
    probabilities = [0.3, 0.7]
    first, second = (drawn(np.random.default_rng(seed), 50, probabilities, probabilities) for seed in (1, 2))
    merged = first + second
    assert sum(one.observed for one in merged.bins()) == 100
    assert PropensityCalibration.from_state(merged.state()) == merged


def test_an_empty_log_has_nothing_to_hide() -> None:
    assert PropensityCalibration().worst_deviation() == 0.0
    assert PropensityCalibration().bins() == ()
