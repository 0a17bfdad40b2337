"""Means that predict before they learn."""

import pytest

from sartor.estimators.direct import ActionMeans


def test_it_begins_knowing_nothing() -> None:
    assert ActionMeans().predictions(("a", "b")) == [0.0, 0.0]


def test_actions_lean_from_the_overall_mean_to_their_own() -> None:
    means = ActionMeans()
    for _ in range(90):
        means.learn("good", 1.0)
    for _ in range(90):
        means.learn("bad", 0.0)
    good, bad, new = means.predictions(("good", "bad", "new"))
    assert new == pytest.approx(0.5)
    assert good == pytest.approx((10 * 0.5 + 90) / 100)
    assert bad == pytest.approx((10 * 0.5) / 100)


def test_beyond_its_room_actions_share_the_overall_mean() -> None:
    means = ActionMeans(most=1)
    means.learn("first", 1.0)
    means.learn("second", 0.0)
    first, second = means.predictions(("first", "second"))
    assert second == pytest.approx(0.5)
    assert first == pytest.approx((10 * 0.5 + 1) / 11)
