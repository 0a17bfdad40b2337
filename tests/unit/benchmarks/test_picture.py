"""The learning curve of the README is drawn from the runs that are kept, and from nothing else."""

from pathlib import Path

import msgspec
import pytest
from matplotlib.colors import to_hex
from matplotlib.image import imread
from msgspec.structs import asdict

from benchmarks import picture
from benchmarks.picture import KEPT, PICTURES, THEMES, Theme
from sartor.lab.registry import open_world
from sartor.lab.simulate import simulate

NAMES = [theme.name for theme in THEMES]


def carries(path: Path, digest: str) -> bool:
    """Whether the text of a PNG says that it was drawn from these runs."""
    return f"{picture.DIGEST}\0{digest}".encode() in path.read_bytes()


@pytest.mark.parametrize("theme", THEMES, ids=NAMES)
def test_the_kept_picture_is_that_of_the_kept_runs(theme: Theme) -> None:
    path = PICTURES / f"learning-curve-{theme.name}.png"
    assert carries(path, picture.compute_digest(KEPT)), "python -m benchmarks.picture --draw"
    assert path.stat().st_size < 100_000


def test_the_kept_runs_are_runs_of_the_demo() -> None:
    kept = msgspec.json.decode(KEPT.read_bytes(), type=picture.Curves)
    world = simulate(open_world(kept.world), None, iterations=kept.turns[-1])
    # Sums of floats are rounded otherwise from Python 3.12 on.
    assert asdict(kept.reference) == pytest.approx(asdict(world.reference))
    assert len(kept.earned) == picture.RUNS
    assert all(len(run) == len(kept.turns) for run in kept.earned)
    assert all(0 < value < 1 for run in kept.earned for value in run)


@pytest.mark.parametrize("theme", THEMES, ids=NAMES)
def test_drawing(theme: Theme, tmp_path: Path) -> None:
    kept = tmp_path / "curves.json"
    reports = [simulate(open_world("tutorial", seed=0), None, iterations=400) for _ in range(2)]
    kept.write_bytes(msgspec.json.encode(picture.build_curves(reports)))
    drawn = picture.draw_picture(kept, theme, tmp_path / "curve.png")
    image = imread(drawn)
    assert image.shape[:2] == (555, 1200)
    assert to_hex(image[0, 0]).upper() == theme.page
    assert carries(drawn, picture.compute_digest(kept))
