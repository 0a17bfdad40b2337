"""Runs and their results, kept in a file, so that a command computes only what is missing or has changed."""

import hashlib
import inspect
from collections.abc import Iterable
from functools import cache
from importlib.metadata import version
from pathlib import Path

import msgspec
from msgspec import Struct

from benchmarks.quality import columns, peers, play, stream
from benchmarks.quality.catalogue import CATALOGUE
from benchmarks.quality.contestants import CONTESTANTS
from benchmarks.quality.play import StreamResult

ROOT = Path(__file__).parents[2]
FILE = ROOT / "build" / "quality" / "runs.jsonl"


class PlannedRun(Struct, frozen=True, kw_only=True):
    """One learner in one world (``name`` or ``name@rescaling``) with one seed."""

    world: str
    learner: str
    seed: int
    turns: int


class FinishedRun(Struct, frozen=True, kw_only=True):
    """A run, its result, and the mark of the code that it was made with."""

    run: PlannedRun
    mark: str
    result: StreamResult


class KeptRuns:
    """The results that are kept in a file of JSON lines; the last line of a run counts."""

    def __init__(self, path: Path = FILE, /) -> None:
        self._path = path
        self._results: dict[tuple[PlannedRun, str], StreamResult] = {}
        if path.exists():
            decoder = msgspec.json.Decoder(FinishedRun)
            for line in path.read_bytes().splitlines():
                self._remember(decoder.decode(line))

    def find(self, run: PlannedRun, /) -> StreamResult | None:
        """Returns the result of a run with today's code; None: it must be played."""
        return self._results.get((run, mark_code(run)))

    def keep(self, run: PlannedRun, result: StreamResult, /) -> None:
        """Add a result to the file."""
        finished = FinishedRun(run=run, mark=mark_code(run), result=result)
        self._remember(finished)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("ab") as file:
            file.write(msgspec.json.encode(finished) + b"\n")

    def list_missing(self, runs: Iterable[PlannedRun], /) -> list[PlannedRun]:
        """Returns those that must be played."""
        return [run for run in runs if self.find(run) is None]

    def _remember(self, finished: FinishedRun) -> None:
        self._results[finished.run, finished.mark] = finished.result


def mark_code(run: PlannedRun, /) -> str:
    """Returns a mark that changes when the world, the learner or the way to play changes."""
    return _hash(_mark_world(run.world.partition("@")[0]), _mark_learner(run.learner))


@cache
def _mark_world(name: str) -> str:
    kind = CATALOGUE[name].kind
    if kind.__module__.startswith("sartor."):
        return _hash(inspect.getsource(inspect.getmodule(kind) or kind))
    own = [one for one in kind.__mro__ if one.__module__.startswith("benchmarks.")]
    return _hash(*map(inspect.getsource, own), inspect.getsource(stream))


@cache
def _mark_learner(name: str) -> str:
    played = inspect.getsource(play.play_stream) + inspect.getsource(play.summarise_stream)
    if name in peers.PEERS:
        kinds = inspect.getmro(peers.PEERS[name])  # type: ignore[arg-type]  # they are classes
        own = [one for one in kinds if one.__module__ == peers.__name__]
        return _hash(played, inspect.getsource(columns), *map(inspect.getsource, own))
    arguments = CONTESTANTS[name].arguments if name in CONTESTANTS else name
    if "--sartor" in arguments:
        folder = ROOT / "src" / "sartor" / "learn"
        return _hash(played, arguments, *(path.read_text() for path in sorted(folder.rglob("*.py"))))
    return _hash(played, arguments, version("vowpalwabbit"))


def _hash(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]
