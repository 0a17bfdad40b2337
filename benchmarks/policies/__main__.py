"""``python -m benchmarks.policies``: compare, and write the results beside this file."""

import argparse
from collections.abc import Mapping
from pathlib import Path

import msgspec

from benchmarks.machine import description
from benchmarks.policies.candidates import CANDIDATES
from benchmarks.policies.compare import Game, compare, standings
from benchmarks.policies.table import page


def main() -> None:
    """Parse the flags, play, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.policies", description=__doc__)
    parser.add_argument("--seeds", type=int, default=5, help="how many seeds for each world")
    parser.add_argument("--first-seed", type=int, default=0, help="the first of the seeds")
    parser.add_argument("--iterations", type=int, default=5_000, help="how many turns in each world")
    parser.add_argument("--only", nargs="*", help="names of candidates; all when left out")
    parser.add_argument("--name", default="all", help="how the files of the results are called")
    parser.add_argument(
        "--out", type=Path, default=Path(__file__).parent / "results", help="the folder of the results"
    )
    asked = parser.parse_args()
    chosen = {name: CANDIDATES[name] for name in asked.only or CANDIDATES}
    games: list[Game] = []
    for seed in range(
        asked.first_seed, asked.first_seed + asked.seeds
    ):  # written after each, so that a long run can be watched
        games += compare(chosen, iterations=asked.iterations, seed=seed)
        _write(games, chosen, asked.out / asked.name, iterations=asked.iterations)
    print((asked.out / f"{asked.name}.md").read_text())


def _write(games: list[Game], chosen: Mapping[str, str], out: Path, *, iterations: int) -> None:
    lines = standings(games, chosen)
    machine = description()
    results = {"machine": machine, "iterations": iterations, "standings": lines, "games": games}
    out.with_suffix(".json").write_bytes(msgspec.json.encode(results).replace(b"},", b"},\n") + b"\n")
    out.with_suffix(".md").write_text(page(games, lines, machine, iterations=iterations))


if __name__ == "__main__":
    main()
