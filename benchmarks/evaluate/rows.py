"""The rows of evaluation in the table of all benchmarks."""

from pathlib import Path

from benchmarks.evaluate import progressive
from benchmarks.evaluate.__main__ import AT_MOST_S, EVENTS
from benchmarks.evaluate.__main__ import measure as estimators
from benchmarks.report import Row


def measure(folder: Path, /) -> list[Row]:
    """All estimators over scored events; policies scored over a log."""
    seconds = estimators()["all, at once"]
    first = Row(
        what=f"Estimators: {EVENTS:,} scored events, all with intervals",
        value=seconds,
        text=f"{seconds:.2f} s",
        at_most=AT_MOST_S,
        goal=f"at most {AT_MOST_S:g} s",
        note="Ten estimators, their intervals and all diagnostics, from columns in memory, on one core.",
    )
    return [first, *progressive.measure(folder)]
