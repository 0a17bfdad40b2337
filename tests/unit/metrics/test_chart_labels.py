"""Labels at the ends of lines never overlap, and move no further than that takes."""

import pytest

from sartor.metrics.chart_labels import move_apart


@pytest.mark.parametrize(
    ("values", "moved"),
    [
        pytest.param([3.0, 1.0, 2.0], [3.0, 1.0, 2.0], id="far enough apart"),
        pytest.param([1.0, 2.0, 1.5], [1.0, 2.0, 1.5], id="exactly at the distance"),
        pytest.param([2.0, 2.0], [2.0, 1.5], id="equal"),
        pytest.param([1.9, 2.0, 1.8], [1.5, 2.0, 1.0], id="one pushes the next"),
    ],
)
def test_close_values_are_moved_down(values: list[float], moved: list[float]) -> None:
    assert move_apart(values, distance=0.5) == moved
