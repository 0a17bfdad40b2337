"""``python -m benchmarks.policies``: compares learning settings and writes the results beside this file."""

import argparse
from collections.abc import Mapping
from pathlib import Path

import msgspec

from benchmarks.machine import describe_machine
from benchmarks.policies.candidates import CANDIDATES
from benchmarks.policies.compare import Run, compare, summarise
from benchmarks.policies.table import format_page


def main() -> None:
    """Parse the flags, play, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.policies", description=__doc__)
    parser.add_argument("--seeds", type=int, default=5, help="how many seeds for each world")
    parser.add_argument("--first-seed", type=int, default=0, help="the first of the seeds")
    parser.add_argument("--iterations", type=int, default=5_000, help="how many turns in each world")
    parser.add_argument("--only", nargs="*", help="names of candidates; by default all")
    parser.add_argument("--name", default="all", help="name of the result files")
    parser.add_argument(
        "--out", type=Path, default=Path(__file__).parent / "results", help="folder of the results"
    )
    arguments = parser.parse_args()
    chosen = {name: CANDIDATES[name] for name in arguments.only or CANDIDATES}
    runs: list[Run] = []
    for seed in range(
        arguments.first_seed, arguments.first_seed + arguments.seeds
    ):  # written after each seed, so that a long comparison can be watched
        runs += compare(chosen, iterations=arguments.iterations, seed=seed)
        _write(runs, chosen, arguments.out / arguments.name, iterations=arguments.iterations)
    print((arguments.out / f"{arguments.name}.md").read_text())


def _write(runs: list[Run], chosen: Mapping[str, str], out: Path, *, iterations: int) -> None:
    lines = summarise(runs, chosen)
    machine = describe_machine()
    results = {"machine": machine, "iterations": iterations, "standings": lines, "games": runs}
    out.with_suffix(".json").write_bytes(msgspec.json.encode(results).replace(b"},", b"},\n") + b"\n")
    out.with_suffix(".md").write_text(format_page(runs, lines, machine, iterations=iterations))


if __name__ == "__main__":
    main()
