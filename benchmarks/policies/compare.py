"""Play every candidate in every world: the same users, the same luck, one after another."""

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


class Game(Struct, frozen=True, kw_only=True):
    """One candidate in one world with one seed."""

    candidate: str
    world: str
    seed: int
    share: float
    last_quarter: float
    least_probability: float
    predict_us: float


class Standing(Struct, frozen=True, kw_only=True):
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


class Watched(SingleSlot):
    """An engine, with an eye on how long it takes and how small its probabilities get."""

    def __init__(self, inner: Engine) -> None:
        self._inner = inner
        self._asked = 0
        self._took_ns = 0
        self.least = 1.0

    def probabilities(self, context: bytes, actions: int, /) -> list[float]:
        """Ask the engine."""
        started = time.perf_counter_ns()
        odds = self._inner.probabilities(context, actions)
        self._took_ns += time.perf_counter_ns() - started
        self._asked += 1
        self.least = min(self.least, *odds)
        return odds

    @property
    def predict_us(self) -> float:
        """Microseconds for one prediction, in the mean."""
        return self._took_ns / 1_000 / max(1, self._asked)

    def learn(self, line: bytes, /) -> None:
        """Teach the engine."""
        self._inner.learn(line)

    def dump(self) -> bytes:
        """The state of the engine."""
        return self._inner.dump()

    def close(self) -> None:
        """Free the engine."""
        self._inner.close()


def compare(candidates: Mapping[str, str], /, *, iterations: int, seed: int) -> list[Game]:
    """All games of one seed; says on standard error how far it is."""
    games = []
    for world in WORLDS:
        for name, arguments in candidates.items():
            games.append(_game(name, arguments, world, seed=seed, iterations=iterations))
        sys.stderr.write(f"seed {seed}: {world} is done\n")
    return games


def _game(name: str, arguments: str, world: str, *, seed: int, iterations: int) -> Game:
    watched = Watched(create_engine(arguments))
    report = simulate(open_world(world, seed=seed), watched, iterations=iterations)
    watched.close()
    return Game(
        candidate=name,
        world=world,
        seed=seed,
        share=report.share_of_best,
        last_quarter=report.last_quarter.share_of_best,
        least_probability=watched.least,
        predict_us=watched.predict_us,
    )


def standings(games: Sequence[Game], candidates: Mapping[str, str], /) -> list[Standing]:
    """One line for each candidate, the best first."""
    ranks = _ranks(games)
    lines = [_standing(name, candidates[name], games, ranks[name]) for name in candidates]
    return sorted(lines, key=lambda standing: -standing.share)


def by_world(games: Sequence[Game], candidate: str, /) -> dict[str, float]:
    """The share of the best possible in each world, over the seeds."""
    mine = [game for game in games if game.candidate == candidate]
    return {world: fmean(g.share for g in mine if g.world == world) for world in {g.world: 0 for g in mine}}


def _standing(name: str, arguments: str, games: Sequence[Game], rank: float) -> Standing:
    mine = [game for game in games if game.candidate == name]
    shares = [fmean(g.share for g in mine if g.seed == seed) for seed in sorted({g.seed for g in mine})]
    return Standing(
        candidate=name,
        arguments=arguments,
        share=fmean(shares),
        error=stdev(shares) / len(shares) ** 0.5 if len(shares) > 1 else 0.0,
        last_quarter=fmean(game.last_quarter for game in mine),
        worst_world=min(by_world(games, name).values()),
        rank=rank,
        least_probability=min(game.least_probability for game in mine),
        predict_us=fmean(game.predict_us for game in mine),
    )


def _ranks(games: Sequence[Game]) -> dict[str, float]:
    names = list({game.candidate: 0 for game in games})
    shares = {name: by_world(games, name) for name in names}
    places: dict[str, list[int]] = {name: [] for name in names}
    for world in shares[names[0]]:
        for name in names:  # equals share a place
            places[name].append(1 + sum(shares[other][world] > shares[name][world] for other in names))
    return {name: fmean(places[name]) for name in names}
