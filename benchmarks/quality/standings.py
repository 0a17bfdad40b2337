"""Means over seeds, and how ours stands beside the best of the peers in each world."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean, stdev
from typing import TypeAlias

from msgspec import Struct

from benchmarks.quality.contestants import OURS, PEER_NAMES
from benchmarks.quality.play import StreamResult
from benchmarks.quality.runs import PlannedRun


class Standing(Struct, frozen=True, kw_only=True):
    """One learner in one world: means over seeds of the fields of ``play.StreamResult``.

    Attributes:
        seeds: how many.
        share_error: the standard error of ``share`` over the seeds; 0 for one seed.
        start_error: the standard error of ``start_gain``: over turns or over seeds, whichever is larger.
    """

    seeds: int
    share: float
    share_error: float
    last_quarter: float
    last_third: float
    above_random: float
    above_random_500: float
    start_gain: float
    start_error: float
    decide_us: float
    learn_us: float


class WorldRun(Struct, frozen=True):
    """A world and the length of a run in it."""

    world: str
    turns: int


Standings: TypeAlias = Mapping[WorldRun, Mapping[str, Standing]]
"""By world and learner."""


def build_standings(results: Iterable[tuple[PlannedRun, StreamResult]], /) -> Standings:
    """Returns the means of the runs that differ in their seeds only."""
    groups: dict[WorldRun, dict[str, list[StreamResult]]] = defaultdict(lambda: defaultdict(list))
    for run, result in results:
        groups[WorldRun(run.world, run.turns)][run.learner].append(result)
    return {key: {who: _average(found) for who, found in by.items()} for key, by in groups.items()}


def _average(results: Sequence[StreamResult]) -> Standing:
    means = {
        name: fmean(getattr(result, name) for result in results)
        for name in Standing.__struct_fields__
        if name not in ("seeds", "share_error", "start_error")
    }
    within = fmean(result.start_error**2 for result in results) ** 0.5 / len(results) ** 0.5
    return Standing(
        **means,
        seeds=len(results),
        share_error=_find_error([result.share for result in results]),
        start_error=max(within, _find_error([result.start_gain for result in results])),
    )


def _find_error(values: Sequence[float]) -> float:
    return stdev(values) / len(values) ** 0.5 if len(values) > 1 else 0.0


class Comparison(Struct, frozen=True, kw_only=True):
    """Ours beside the best peer in one world, by one measure.

    ``ratio`` is ours / best, at least 0 and at most 1; 1 also where no peer is better than chance, and ours is
    not worse than the best of them.
    """

    world: str
    ours: float
    best: float
    best_peer: str
    ratio: float


def compare_with_peers(by_learner: Mapping[str, Standing], /, *, world: str, measure: str) -> Comparison | None:
    """Compares ours with the best peer of a world; None: ours or all peers are missing.

    Args:
        by_learner: the standings of the world.
        world: its name.
        measure: ``share`` or ``above_random``.
    """
    peers = {name: getattr(by_learner[name], measure) for name in PEER_NAMES if name in by_learner}
    if OURS not in by_learner or not peers:
        return None
    ours = getattr(by_learner[OURS], measure)
    name = max(peers, key=lambda peer: peers[peer])
    best = peers[name]
    ratio = max(0.0, min(1.0, ours / best)) if best > 0 else float(ours >= best)
    return Comparison(world=world, ours=ours, best=best, best_peer=name, ratio=ratio)


def average_learners(standings: Standings, worlds: Sequence[WorldRun], /, measure: str) -> dict[str, float]:
    """Returns the mean of a measure over worlds, for the learners that played all of them."""
    names = [name for name in (OURS, *PEER_NAMES) if all(name in standings.get(world, {}) for world in worlds)]
    return {
        name: fmean(getattr(standings[world][name], measure) for world in worlds) for name in names if worlds
    }
