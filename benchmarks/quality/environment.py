"""Makes the environment of the other libraries, and writes the public tables that two of them hold.

``python -m benchmarks.quality.environment`` makes ``.venv/quality`` in this project; ``make clean`` removes it.
"""

import csv
import random
import subprocess
import sys
import venv
from collections.abc import Iterable, Sequence
from importlib import import_module
from pathlib import Path

from benchmarks.quality.worlds_tables import FOLDER

ROOT = Path(__file__).parents[2]
ENVIRONMENT = FOLDER.parent / "env"
PYTHON = ENVIRONMENT / "bin" / "python"
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
_STAMP = FOLDER.parent / "requirements.txt"


def make_environment() -> Path:
    """Make the environment, unless it is there with these requirements; returns its Python."""
    wanted = REQUIREMENTS.read_text()
    if not _STAMP.exists() or _STAMP.read_text() != wanted:
        sys.stderr.write(f"Installing the other libraries into {ENVIRONMENT} ...\n")
        venv.create(ENVIRONMENT, with_pip=True, clear=True)
        pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "-r", str(REQUIREMENTS)], check=True)
        subprocess.run(
            [str(PYTHON), "-m", "benchmarks.quality.environment", "--tables"],
            check=True,
            cwd=ROOT,
            env={"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
        )
        _STAMP.write_text(wanted)  # last, so that an interrupted installation is done again
    return PYTHON


def write_tables() -> None:
    """Write every table as CSV: names, then numbers, the class last. Runs inside of the environment."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    datasets = import_module("sklearn.datasets")
    for name, load in {
        "iris": "iris",
        "wine": "wine",
        "breast-cancer": "breast_cancer",
        "digits": "digits",
    }.items():
        found = getattr(datasets, f"load_{load}")()
        _write(name, found.feature_names, found.data.tolist(), found.target.tolist())
    diabetes = datasets.load_diabetes(scaled=False)
    _write("diabetes", diabetes.feature_names, diabetes.data.tolist(), _cut_in_four(diabetes.target.tolist()))
    river = import_module("river.datasets")
    for name, kind in {
        "segment": river.ImageSegments,
        "banana": river.Bananas,
        "phishing": river.Phishing,
    }.items():
        rows, classes = zip(*kind(), strict=True)
        names = sorted(rows[0])
        order = sorted(set(classes))
        _write(
            name, names, [[row[n] for n in names] for row in rows], [order.index(label) for label in classes]
        )


def _cut_in_four(values: Sequence[float]) -> list[int]:
    edges = [sorted(values)[len(values) * part // 4] for part in (1, 2, 3)]
    return [sum(value >= edge for edge in edges) for value in values]


def _write(name: str, columns: Iterable[str], rows: Iterable[Sequence[float]], classes: Iterable[int]) -> None:
    lines = [[*map(float, row), label] for row, label in zip(rows, classes, strict=True)]
    random.Random(name).shuffle(lines)
    with (FOLDER / f"{name}.csv").open("w", newline="") as file:
        csv.writer(file).writerows([[*columns, "class"], *lines])


if __name__ == "__main__":
    if sys.argv[1:] == ["--tables"]:
        write_tables()
    else:
        make_environment()
