"""The progress of a job: a folder with a folder for each stage, and in it a file for each part of the stage.

The parts are computed in other processes, each of which writes the share that it has done. The share of the job
is the weighted mean of its stages; a part or a stage that has not started counts as 0.
"""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_WRITE_EVERY_S = 0.5

POLICIES = "policies"
FEATURES = "features"

_WEIGHTS = {POLICIES: 0.8, FEATURES: 0.2}
"""By stage: about which part of the time of an evaluation it takes."""


@contextmanager
def progress_folder() -> Iterator[Path]:
    """A folder for the progress of a job, on this machine, removed at the end."""
    with tempfile.TemporaryDirectory(prefix="sartor-progress-") as folder:
        yield Path(folder)


def announce_stages(folder: Path | None, /, *stages: str) -> None:
    """Say which stages a job has, before the first of them starts."""
    for stage in stages:
        if folder is not None:
            (folder / stage).mkdir(exist_ok=True)


def start_stage(folder: Path | None, stage: str, /, *, parts: int) -> list[str]:
    """Start a stage anew.

    Returns:
        For each part, the path of the file for its share; "" without a folder.
    """
    if folder is None:
        return [""] * parts
    announce_stages(folder, stage)
    for file in (folder / stage).iterdir():
        file.unlink()
    files = [folder / stage / str(number) for number in range(parts)]
    for file in files:
        file.write_text("0")
    return [str(file) for file in files]


def finish_stage(folder: Path | None, stage: str, /) -> None:
    """Note that all parts of a stage are done, the last steps of which they may not have written."""
    if folder is not None:
        for file in (folder / stage).iterdir():
            file.write_text("1")


def read_progress(folder: Path, /) -> float:
    """The share of the job that is done, 0 to 1."""
    shares = {stage.name: _read_stage(stage) for stage in folder.iterdir()}
    total = sum(_WEIGHTS[stage] for stage in shares)
    return sum(_WEIGHTS[stage] * share for stage, share in shares.items()) / total if shares else 0.0


def _read_stage(folder: Path) -> float:
    shares = [_read_share(file) for file in folder.iterdir() if not file.suffix]
    return sum(shares) / len(shares) if shares else 0.0


def _read_share(file: Path) -> float:
    try:
        return float(file.read_text())
    except (OSError, ValueError):  # the stage is being started anew
        return 0.0


class PartProgress:
    """Writes the share of a part that is done into its file; ends the process when its parent is gone."""

    def __init__(self, path: str, /) -> None:
        self._path = Path(path) if path else None
        self._parent = os.getppid()
        self._next_s = 0.0

    def write(self, share: float, /) -> None:
        """Write the share, 0 to 1, unless it was written half a second ago."""
        now_s = time.monotonic()
        if now_s < self._next_s:
            return
        self._next_s = now_s + _WRITE_EVERY_S
        if self._path is None:
            return
        if os.getppid() != self._parent:  # killed: nobody waits for the answer
            os._exit(1)
        try:
            written = self._path.with_suffix(".part")
            written.write_text(f"{share:.6f}")
            written.replace(self._path)  # whole or not at all: it is read at any time
        except OSError:
            self._path = None  # on another machine there is no such folder
