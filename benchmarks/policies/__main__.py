"""``python -m benchmarks.policies``: compare, and write the results beside this file."""

import argparse
from pathlib import Path

import msgspec

from benchmarks.machine import description
from benchmarks.policies.candidates import CANDIDATES
from benchmarks.policies.compare import compare, standings
from benchmarks.policies.table import page


def main() -> None:
    """Parse the flags, play, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.policies", description=__doc__)
    parser.add_argument("--seeds", type=int, default=5, help="how many seeds for each world")
    parser.add_argument("--iterations", type=int, default=5_000, help="how many turns in each world")
    parser.add_argument("--only", nargs="*", help="names of candidates; all when left out")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="the folder of the results")
    asked = parser.parse_args()
    chosen = {name: CANDIDATES[name] for name in asked.only or CANDIDATES}
    games = compare(chosen, iterations=asked.iterations, seeds=range(asked.seeds))
    lines = standings(games, chosen)
    machine = description()
    results = {"machine": machine, "iterations": asked.iterations, "standings": lines, "games": games}
    text = msgspec.json.format(msgspec.json.encode(results), indent=1)
    (asked.out / "results.json").write_bytes(text + b"\n")
    written = page(games, lines, machine, iterations=asked.iterations)
    (asked.out / "results.md").write_text(written)
    print(written)


if __name__ == "__main__":
    main()
