"""``python -m benchmarks.scorecard``: measures how precisely the scorecard tells, and writes it on its page."""

import argparse
import sys
from pathlib import Path

import msgspec

from benchmarks.scorecard.play import ScorecardRun, play
from benchmarks.scorecard.table import format_table, write_page
from sartor.lab.registry import WORLDS
from sartor.settings import DEFAULT_ARGUMENTS

_RESULTS = Path(__file__).parent / "results"


def main() -> None:
    """Parse the flags, play, write. About 2 s for each world and seed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scorecard", description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="how many seeds for each world")
    parser.add_argument("--first-seed", type=int, default=0, help="the first of the seeds")
    parser.add_argument("--decisions", type=int, default=10_000, help="how many decisions in each world")
    parser.add_argument("--control", type=float, default=0.05, help="share of the control group")
    parser.add_argument("--floor", type=float, default=0.04, help="floor of all actions together")
    parser.add_argument("--policy", default=DEFAULT_ARGUMENTS, help="learning settings")
    parser.add_argument("--worlds", nargs="*", default=list(WORLDS), help="names of worlds; by default all")
    parser.add_argument("--keep", action="store_true", help="only print; don't write the page")
    flags = parser.parse_args()
    runs: list[ScorecardRun] = []
    for world in flags.worlds:
        for seed in range(flags.first_seed, flags.first_seed + flags.seeds):
            run = play(
                world,
                flags.policy,
                seed=seed,
                decisions=flags.decisions,
                control=flags.control,
                floor=flags.floor,
            )
            print(f"{world} {seed}: {run.baseline:.3f} {run.random:.3f}, cost {run.cost:.1%}", file=sys.stderr)
            runs.append(run)
    command = (
        f"python -m benchmarks.scorecard --seeds {flags.seeds} --first-seed {flags.first_seed} "
        f"--control {flags.control} --floor {flags.floor}"
    )
    table = format_table(runs, command=command)
    print(table)
    if not flags.keep:
        _RESULTS.mkdir(exist_ok=True)
        name = f"control-{flags.control}-floor-{flags.floor}.json"
        (_RESULTS / name).write_bytes(msgspec.json.encode(runs).replace(b"},", b"},\n") + b"\n")
        write_page(table)


if __name__ == "__main__":
    main()
