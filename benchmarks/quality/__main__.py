"""``python -m benchmarks.quality``: plays what is missing, and writes the page."""

import argparse
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from benchmarks.machine import describe_machine
from benchmarks.quality.contestants import CONTESTANTS
from benchmarks.quality.dispatch import play_all
from benchmarks.quality.environment import make_environment
from benchmarks.quality.page import PAGE, format_quality_page, group_worlds
from benchmarks.quality.plan import LONG_TURNS, plan_runs
from benchmarks.quality.runs import FILE, KeptRuns, PlannedRun
from benchmarks.quality.standings import Standings, build_standings
from benchmarks.quality.targets import list_rows
from benchmarks.report import FOLDER, format_table

QUICK = ("sartor", "vw-squarecb", "ridge-squarecb")
_QUICK_TURNS = 1_000


def main() -> None:
    """Parse the flags, play, print the targets; write the page if everything was played."""
    flags = _read_flags()
    only = list(flags.only)
    if flags.quick and not any(name in CONTESTANTS for name in only):
        only += QUICK
    runs = plan_runs(seeds=flags.seeds, only=only, most_turns=_QUICK_TURNS if flags.quick else LONG_TURNS)
    kept = KeptRuns(flags.runs)
    if not flags.without_tables:
        make_environment()  # worlds of public tables need it too
    play_all(kept.list_missing(runs), kept.keep, processes=flags.processes)
    standings = build_standings((run, result) for run in runs if (result := kept.find(run)) is not None)
    worlds = group_worlds()
    print(format_table(list_rows(standings, lab=worlds.lab, unseen=worlds.unseen)))
    print()
    print(format_shares(standings))
    if not only:
        _write(standings, runs)


def format_shares(standings: Standings, /) -> str:
    """Formats what everyone earned above chance, by world."""
    names = list(dict.fromkeys(name for by_learner in standings.values() for name in by_learner))
    lines = ["".join([f"{'above chance':34}", *(f"{name:>16}" for name in names)])]
    for world, by in standings.items():
        cells = [f"{by[name].above_random:16.3f}" if name in by else " " * 16 for name in names]
        lines.append("".join([f"{world.world + f', {world.turns:,}':34}", *cells]))
    return "\n".join(lines)


def _write(standings: Standings, runs: list[PlannedRun]) -> None:
    day = datetime.now(UTC).strftime("%Y-%m-%d")
    machine = describe_machine() | {"commit": _read_commit()}
    seeds = sorted({run.seed for run in runs})
    PAGE.write_text(format_quality_page(standings, machine, day=day, seeds=seeds))
    lines = [
        msgspec.json.encode({"world": world.world, "turns": world.turns, "learner": name, "standing": one})
        for world, by_learner in standings.items()
        for name, one in by_learner.items()
    ]
    head = msgspec.json.encode({"day": day, "machine": machine, "seeds": seeds})
    body = head[:-1] + b',"standings":[\n' + b",\n".join(lines) + b"\n]}\n"
    (FOLDER / "quality.json").write_bytes(body)


def _read_commit() -> str:
    command = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, check=False).stdout.strip()


def _read_flags() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__)
    parser.add_argument("--only", nargs="*", default=[], help="names of worlds and learners; by default all")
    parser.add_argument("--quick", action="store_true", help="few learners, at most 1,000 turns, no page")
    parser.add_argument("--seeds", type=int, default=2, help="how many seeds")
    parser.add_argument("--processes", type=int, default=2, help="how many play at the same time")
    parser.add_argument("--runs", type=Path, default=FILE, help="the file of finished runs")
    parser.add_argument(
        "--without-tables", action="store_true", help="don't make the environment of the other libraries"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
