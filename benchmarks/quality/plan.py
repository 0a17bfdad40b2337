"""Which runs the page is made of."""

from collections.abc import Collection, Sequence

from benchmarks.quality.catalogue import CATALOGUE, FIRST_REPORTING_SEED
from benchmarks.quality.contestants import CONTESTANTS, OURS
from benchmarks.quality.rescaled import RESCALINGS
from benchmarks.quality.runs import PlannedRun

RESCALED = ("tutorial-number", "wine", "breast-cancer", "rings", "loans", "takeover")
"""The worlds whose numbers are told in other units."""

LONG = ("sensors", "members", "seasons")
LONG_TURNS = 50_000
"""The worlds of the longest runs; they are played by fewer learners, with one seed."""


def plan_runs(*, seeds: int, only: Collection[str] = (), most_turns: int = LONG_TURNS) -> list[PlannedRun]:
    """Returns the runs of the page, the quickest learners first.

    Args:
        seeds: how many seeds, from the first one of reporting.
        only: names of worlds and learners; those of a kind that are not named are left out. Empty: all.
        most_turns: no run is longer, and those of 50,000 turns are left out.
    """
    worlds = [name for name, entry in CATALOGUE.items() if entry.group != "choosing"]
    worlds = [name for name in worlds if name in only] or worlds
    learners = [name for name in CONTESTANTS if name in only] or list(CONTESTANTS)
    every = range(FIRST_REPORTING_SEED, FIRST_REPORTING_SEED + seeds)
    runs = []
    for learner in learners:
        for world in worlds:
            turns = min(CATALOGUE[world].turns, most_turns)
            runs += _plan(world, learner, every, turns)
            if learner == OURS and world in RESCALED:
                for rescaling in RESCALINGS:
                    runs += _plan(f"{world}@{rescaling}", learner, every, turns)
        if most_turns >= LONG_TURNS and CONTESTANTS[learner].long_runs:
            for world in (name for name in LONG if name in worlds):
                runs += _plan(world, learner, every[:1], LONG_TURNS)
    return runs


def _plan(world: str, learner: str, seeds: Sequence[int], turns: int) -> list[PlannedRun]:
    return [PlannedRun(world=world, learner=learner, seed=seed, turns=turns) for seed in seeds]
