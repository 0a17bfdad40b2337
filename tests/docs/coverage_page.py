"""The page of the coverage figure, made from the report of a measurement.

``make coverage`` measures and writes it. A state that is in no commit gets no page: nobody could measure it
again.
"""

import json
import platform
import subprocess
import sys
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from tests.docs.pages import DOCS, ROOT

PAGE = DOCS / "coverage.md"
REPORT = ROOT / "build" / "coverage" / "report.json"
PARTS = ("src", "tests")

_TEXT = """# Coverage

After this page you know how much of the source the tests run, and for which commit that was measured. `make
coverage` measures it again and rewrites this page.

Measured on {day} for commit `{commit}` with Python {python} on {system}: the unit, contract and wire tests
run **{share:.1f} %** of all statements and branches. Processes that the tests start are measured too; one that
is killed with `kill -9` can't report. The acceptance tests, which start and kill whole services, are not in
the figure.

| part | statements | of them run | branches | of them taken | covered |
| --- | ---: | ---: | ---: | ---: | ---: |
{rows}

A branch is one of the two ways on from a condition. Covered is what was run of both, over both. A line that is
run is not yet a line that is tested: the figure shows what no test can see, not how well the others look.
"""


class Counts(NamedTuple):
    """What was there and what was run of it."""

    statements: int
    run: int
    branches: int
    taken: int

    @property
    def share(self) -> float:
        """What was run, in per cent."""
        return 100 * (self.run + self.taken) / max(1, self.statements + self.branches)

    def plus(self, other: "Counts") -> "Counts":
        """Both together."""
        return Counts(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


def parts(report: Any) -> dict[str, Counts]:
    """The counts of each room, and of the files beside them."""
    found: defaultdict[str, Counts] = defaultdict(lambda: Counts(0, 0, 0, 0))
    for name, file in report["files"].items():
        below = Path(name).parts[Path(name).parts.index("sartor") + 1 :]
        room = f"{below[0]}/" if len(below) > 1 else "(ground)"
        of = file["summary"]
        counts = (of["num_statements"], of["covered_lines"], of["num_branches"], of["covered_branches"])
        found[room] = found[room].plus(Counts(*counts))
    return dict(sorted(found.items()))


def total(rooms: dict[str, Counts]) -> Counts:
    """All rooms together."""
    everything = Counts(0, 0, 0, 0)
    for counts in rooms.values():
        everything = everything.plus(counts)
    return everything


def page(report: Any, *, commit: str, day: str) -> str:
    """The whole page."""
    rooms = parts(report)
    everything = total(rooms)
    lines = [_row(f"`{name}`", counts) for name, counts in rooms.items()]
    return _TEXT.format(
        day=day,
        commit=commit,
        python=platform.python_version(),
        system=platform.system(),
        share=everything.share,
        rows="\n".join([*lines, _row("all", everything)]),
    )


def _row(name: str, counts: Counts) -> str:
    numbers = " | ".join(f"{number:,}" for number in counts)
    return f"| {name} | {numbers} | {counts.share:.1f} % |"


def measured_commit(folder: Path) -> str:
    """The commit that is checked out, if sources and tests are as it has them; ends the program otherwise."""
    if _git(folder, "status", "--porcelain", "--", *PARTS):
        sys.exit("Not written: src or tests differ from the commit. Commit, then measure.")
    return _git(folder, "rev-parse", "--short=7", "HEAD")


def _git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def main() -> None:
    """Write the page from the newest report."""
    report = json.loads(REPORT.read_text())
    day = datetime.now(UTC).date().isoformat()
    PAGE.write_text(page(report, commit=measured_commit(ROOT), day=day))
    everything = total(parts(report))
    sys.stdout.write(f"{everything.share:.1f} % of statements and branches; {PAGE} says more.\n")


if __name__ == "__main__":
    main()
