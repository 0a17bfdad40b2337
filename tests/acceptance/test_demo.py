"""``make demo``, with fewer readers: real processes, over HTTP, from nothing to the picture."""

import subprocess
import sys
from pathlib import Path

SHORT = "import sartor.lab.demo as demo; demo.TURNS = 200; demo.main()"


def test_the_demo_plays_draws_and_stops(tmp_path: Path) -> None:
    demo = [sys.executable, "-W", "error", "-c", SHORT]
    done = subprocess.run(demo, cwd=tmp_path, capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == 0, done.stderr
    for line in ("first quarter", "last quarter", "random choices", "best possible policy"):
        assert line in done.stdout
    assert str(tmp_path / "demo-curve.png") in done.stdout
    assert tmp_path.joinpath("demo-curve.png").read_bytes().startswith(b"\x89PNG")
    assert tmp_path.joinpath("demo-data").is_dir()
