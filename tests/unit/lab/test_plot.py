import sys
from pathlib import Path

import pytest

from sartor.lab.plot import draw_curve
from sartor.lab.registry import open_world
from sartor.lab.simulate import simulate


@pytest.mark.parametrize("name", ["tutorial", "notification"])
@pytest.mark.parametrize("turns", [1, 400])
def test_a_curve_is_a_png_that_shows_something(name: str, turns: int, tmp_path: Path) -> None:
    path = draw_curve(simulate(open_world(name), None, iterations=turns), tmp_path / "curve.png")
    head = path.read_bytes()
    assert head.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = int.from_bytes(head[16:20]), int.from_bytes(head[20:24])
    assert (width, height) == (1350, 750)
    assert len(head) > 20_000


def test_drawing_opens_no_window(tmp_path: Path) -> None:
    draw_curve(simulate(open_world("tutorial"), None, iterations=30), tmp_path / "curve.png")
    assert "matplotlib.pyplot" not in sys.modules
