"""Plays learners in worlds; ``python -m benchmarks.quality.play`` does so for one engine and prints a table.

Example:
    python -m benchmarks.quality.play --arguments="--cb_explore_adf --squarecb --cb_type mtr -q ::" \
        --world all --set choosing --seeds 0,1 --turns 2000
"""

import argparse
from collections import deque
from statistics import fmean
from typing import Any

import numpy as np
from msgspec import Struct

from benchmarks.quality.catalogue import CATALOGUE, GROUPS, Group, open_stream, select_worlds
from benchmarks.quality.learners import Choice, Learner, open_engine
from sartor.lab.world import Situation, World


class StreamResult(Struct, frozen=True, kw_only=True):
    """What one learner earned in one world. All means are of expected rewards, so luck with them has no part.

    Attributes:
        share: earned / best possible.
        last_quarter: the same in the last quarter of the turns.
        last_third: the same in the last third.
        above_random: (earned - uniform) / (best - uniform): 0 is chance, 1 the best possible.
        above_random_500: the same in the first 500 turns.
        start_gain: (earned - uniform) / best in the first tenth of the turns.
        start_error: the standard error of ``start_gain`` over the turns.
        least_probability: the least with which something was chosen; 1 for learners that give none.
        decide_us: mean microseconds of a decision.
        learn_us: mean microseconds of an outcome.
    """

    share: float
    last_quarter: float
    last_third: float
    above_random: float
    above_random_500: float
    start_gain: float
    start_error: float
    least_probability: float
    decide_us: float
    learn_us: float


def play_stream(
    world: World[Any],
    learner: Learner,
    /,
    *,
    turns: int,
    delay: int | None = None,
    batch: int | None = None,
) -> StreamResult:
    """Play a world. The learner is closed at the end.

    Args:
        world: the situations and their rewards.
        learner: chooses and learns.
        turns: how many, at least 10.
        delay: how many turns pass before a reward is known; None: as many as the world says.
        batch: outcomes are learned at every so many turns; None: as the world says.
    """
    delay = world.delay_turns if delay is None else delay
    batch = getattr(world, "batch_turns", 1) if batch is None else batch
    due: deque[tuple[Situation[Any], Choice, float]] = deque()
    earned, uniform, best = np.zeros(turns), np.zeros(turns), np.zeros(turns)
    least, learned = 1.0, 0
    try:
        for turn in range(turns):
            situation = world.situation(turn)
            choice = learner.choose(situation)
            means = world.expected_rewards(situation)
            earned[turn], uniform[turn], best[turn] = means[choice.option], fmean(means), max(means)
            least = min(least, 1.0 if choice.probability is None else choice.probability)
            due.append((situation, choice, world.reward(situation, choice.option)))
            while (turn + 1) % batch == 0 and len(due) > delay:
                learner.learn(*due.popleft())
                learned += 1
    finally:
        learner.close()
    return summarise_stream(
        earned,
        uniform,
        best,
        least_probability=least,
        decide_us=learner.decide_us / turns,
        learn_us=learner.learn_us / max(1, learned),
    )


def summarise_stream(
    earned: np.ndarray[Any, np.dtype[np.float64]],
    uniform: np.ndarray[Any, np.dtype[np.float64]],
    best: np.ndarray[Any, np.dtype[np.float64]],
    /,
    *,
    least_probability: float,
    decide_us: float,
    learn_us: float,
) -> StreamResult:
    """Summarise a run from expected rewards by turn: of what was chosen, of a uniform choice, of the best."""
    quarter, third, tenth = max(1, len(best) // 4), max(1, len(best) // 3), max(2, len(best) // 10)
    gains = (earned - uniform)[:tenth] / best.mean()
    return StreamResult(
        share=float(earned.mean() / best.mean()),
        last_quarter=float(earned[-quarter:].mean() / best[-quarter:].mean()),
        last_third=float(earned[-third:].mean() / best[-third:].mean()),
        above_random=float((earned - uniform).mean() / (best - uniform).mean()),
        above_random_500=float((earned - uniform)[:500].mean() / (best - uniform)[:500].mean()),
        start_gain=float(gains.mean()),
        start_error=float(gains.std(ddof=1) / tenth**0.5),
        least_probability=least_probability,
        decide_us=decide_us,
        learn_us=learn_us,
    )


def main() -> None:
    """Play one engine in the worlds that the flags name, one line each, and print the means."""
    flags = _read_flags()
    print(f"{'world':22}  share  last ¼  above   start      ±  µs/dec  µs/out")
    lines = []
    for name in select_worlds(flags.world, flags.set):
        results = [
            play_stream(
                open_stream(name, seed=seed),
                open_engine(flags.arguments, seed=seed),
                turns=flags.turns or CATALOGUE[name].turns,
                delay=flags.delay,
                batch=flags.batch,
            )
            for seed in flags.seeds
        ]
        lines.append(_average(results))
        print(_format_line(name, lines[-1]), flush=True)
    print(_format_line("mean", [fmean(column) for column in zip(*lines, strict=True)]))


def _average(results: list[StreamResult]) -> list[float]:
    return [
        fmean(getattr(result, field) for result in results)
        for field in (
            "share",
            "last_quarter",
            "above_random",
            "start_gain",
            "start_error",
            "decide_us",
            "learn_us",
        )
    ]


def _format_line(name: str, means: list[float]) -> str:
    share, last, above, start, error, decide_us, learn_us = means
    times = f"{decide_us:7.0f} {learn_us:7.0f}"
    return f"{name:22} {share:6.3f} {last:7.3f} {above:6.3f} {start:+7.3f} {error:6.3f} {times}"


def _read_flags() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality.play", description=__doc__)
    parser.add_argument("--arguments", required=True, help="learning settings of the engine, or uniform")
    parser.add_argument("--world", type=lambda text: text.split(","), default=["all"], help="names, or all")
    parser.add_argument(
        "--set",
        type=_read_groups,
        default=["known", "choosing"],
        help="known, choosing, reporting, with commas; choosing alone means known and choosing",
    )
    parser.add_argument("--seeds", type=lambda text: [int(seed) for seed in text.split(",")], default=[0])
    parser.add_argument("--turns", type=int, help="how many; by default as many as the catalogue says")
    parser.add_argument("--delay", type=int, help="turns before a reward is known; by default the world's")
    parser.add_argument("--batch", type=int, help="turns between models; by default the world's")
    return parser.parse_args()


def _read_groups(text: str) -> list[Group]:
    chosen: list[Group] = [group for group in GROUPS if group in text.split(",")]
    return ["known", *chosen] if chosen == ["choosing"] else chosen


if __name__ == "__main__":
    main()
