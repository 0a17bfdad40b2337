"""Plays every candidate in every world, with the same users and the same random numbers."""

import sys
import time
from collections.abc import Mapping, Sequence
from statistics import fmean, stdev

from msgspec import Struct

from sartor.lab.registry import WORLDS, open_world
from sartor.lab.simulate import simulate
from sartor.learn.vw import create_engine
from sartor.ports import Engine
from sartor.testing.fakes import SingleSlot


class Run(Struct, frozen=True, kw_only=True):
    """One candidate in one world with one seed."""

    candidate: str
    world: str
    seed: int
    share: float
    last_quarter: float
    least_probability: float
    predict_us: float


class CandidateSummary(Struct, frozen=True, kw_only=True):
    """One candidate over all worlds; ``error`` is the standard error of ``share`` over the seeds."""

    candidate: str
    arguments: str
    share: float
    error: float
    last_quarter: float
    worst_world: float
    rank: float
    least_probability: float
    predict_us: float


class MeasuredEngine(SingleSlot):
    """An engine that measures its prediction time and its smallest probability."""

    def __init__(self, inner: Engine) -> None:
        self._inner = inner
        self._predictions = 0
        self._took_ns = 0
        self.least = 1.0

    def probabilities(self, context: bytes, actions: int, /) -> list[float]:
        """Ask the engine."""
        started = time.perf_counter_ns()
        probabilities = self._inner.probabilities(context, actions)
        self._took_ns += time.perf_counter_ns() - started
        self._predictions += 1
        self.least = min(self.least, *probabilities)
        return probabilities

    @property
    def predict_us(self) -> float:
        """Mean microseconds for one prediction."""
        return self._took_ns / 1_000 / max(1, self._predictions)

    def learn(self, line: bytes, /) -> None:
        """Teach the engine."""
        self._inner.learn(line)

    def dump(self) -> bytes:
        """The state of the engine."""
        return self._inner.dump()

    def close(self) -> None:
        """Free the engine."""
        self._inner.close()


def compare(candidates: Mapping[str, str], /, *, iterations: int, seed: int) -> list[Run]:
    """Play all worlds with one seed; prints progress on standard error."""
    runs = []
    for world in WORLDS:
        for name, arguments in candidates.items():
            runs.append(_play(name, arguments, world, seed=seed, iterations=iterations))
        sys.stderr.write(f"seed {seed}: {world} is done\n")
    return runs


def _play(name: str, arguments: str, world: str, *, seed: int, iterations: int) -> Run:
    measured = MeasuredEngine(create_engine(arguments))
    report = simulate(open_world(world, seed=seed), measured, iterations=iterations)
    measured.close()
    return Run(
        candidate=name,
        world=world,
        seed=seed,
        share=report.share_of_best,
        last_quarter=report.last_quarter.share_of_best,
        least_probability=measured.least,
        predict_us=measured.predict_us,
    )


def summarise(runs: Sequence[Run], candidates: Mapping[str, str], /) -> list[CandidateSummary]:
    """Summarise the runs of each candidate, the best first."""
    ranks = _compute_ranks(runs)
    lines = [_summarise(name, candidates[name], runs, ranks[name]) for name in candidates]
    return sorted(lines, key=lambda summary: -summary.share)


def group_by_world(runs: Sequence[Run], candidate: str, /) -> dict[str, float]:
    """Returns the mean share of the best possible reward in each world, over the seeds."""
    mine = [game for game in runs if game.candidate == candidate]
    return {world: fmean(g.share for g in mine if g.world == world) for world in {g.world: 0 for g in mine}}


def _summarise(name: str, arguments: str, runs: Sequence[Run], rank: float) -> CandidateSummary:
    mine = [game for game in runs if game.candidate == name]
    shares = [fmean(g.share for g in mine if g.seed == seed) for seed in sorted({g.seed for g in mine})]
    return CandidateSummary(
        candidate=name,
        arguments=arguments,
        share=fmean(shares),
        error=stdev(shares) / len(shares) ** 0.5 if len(shares) > 1 else 0.0,
        last_quarter=fmean(game.last_quarter for game in mine),
        worst_world=min(group_by_world(runs, name).values()),
        rank=rank,
        least_probability=min(game.least_probability for game in mine),
        predict_us=fmean(game.predict_us for game in mine),
    )


def _compute_ranks(runs: Sequence[Run]) -> dict[str, float]:
    names = list({game.candidate: 0 for game in runs})
    shares = {name: group_by_world(runs, name) for name in names}
    places: dict[str, list[int]] = {name: [] for name in names}
    for world in shares[names[0]]:
        for name in names:  # equal shares have the same rank
            places[name].append(1 + sum(shares[other][world] > shares[name][world] for other in names))
    return {name: fmean(places[name]) for name in names}
