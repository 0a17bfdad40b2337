"""Rows of results; formats them as a table for the terminal, the page and the JSON file."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec import Struct

FOLDER = Path(__file__).with_name("results")
PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"

_PAGE = """# Measured

After this page you know what Sartor reached on one machine, and where it fell short. `make bench` measures all
of it on your machine and rewrites this page; ratios carry over to other machines, absolute figures do not.

{machine}

One api process is kept on one core; the load generator (wrk, or the probe), the learn and the work process
share the other. A rank has 10 actions with 3 features each and 5 context features, and the loop serves a
trained model with the default learning settings. Every answer is sent after its event is committed
(`--durability commit`).

## Against the targets

{targets}

## Beside them

{others}

## How it was measured

{notes}
"""


class Row(Struct, frozen=True, kw_only=True):
    """One result. ``at_least`` or ``at_most`` is its target, if any; ``note`` says how it was measured."""

    what: str
    value: float | None
    text: str
    at_least: float | None = None
    at_most: float | None = None
    goal: str = ""
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the target was reached; None where there is no target."""
        if self.at_least is None and self.at_most is None:
            return None
        if self.value is None:
            return False
        low = -float("inf") if self.at_least is None else self.at_least
        high = float("inf") if self.at_most is None else self.at_most
        return low <= self.value <= high


_VERDICT = {True: "met", False: "**falls short**", None: ""}


def format_table(rows: Sequence[Row], /) -> str:
    """The rows as a table that can be read as text and as Markdown."""
    cells = [("what", "measured", "target", "")]
    cells += [(row.what, row.text, row.goal, _VERDICT[row.met]) for row in rows]
    widths = [max(len(line[i]) for line in cells) for i in range(4)]
    lines = ["| " + " | ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) + " |" for line in cells]
    rule = "| " + " | ".join("-" * max(3, width) for width in widths) + " |"
    return "\n".join([lines[0], rule, *lines[1:]])


def format_plain_table(rows: Sequence[Row], /) -> str:
    """The same without the columns of targets."""
    lines = [f"| {row.what} | {row.text} |" for row in rows]
    return "\n".join(["| what | measured |", "| --- | --- |", *lines])


def format_page(rows: Sequence[Row], machine: Mapping[str, str], /, *, day: str) -> str:
    """The page in ``docs/``."""
    notes = dict.fromkeys(f"- **{row.what}**: {row.note}" for row in rows if row.note)
    return _PAGE.format(
        machine=f"Measured on {day}: " + ", ".join(f"{name} {value}" for name, value in machine.items()) + ".",
        targets=format_table([row for row in rows if row.met is not None]),
        others=format_plain_table([row for row in rows if row.met is None]),
        notes="\n".join(notes),
    )


def write_results(rows: Sequence[Row], machine: Mapping[str, str], /) -> Path:
    """Write the JSON files and the page; returns the dated file."""
    day = datetime.now(UTC).strftime("%Y-%m-%d")
    document = {"day": day, "machine": machine, "rows": [_row_to_json(row) for row in rows]}
    data = msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"
    processor = re.sub(r"[^a-z0-9]+", "-", machine["processor"].lower()).strip("-")
    dated = FOLDER / f"{day}-{processor}-{machine['cores']}-cores.json"
    FOLDER.mkdir(exist_ok=True)
    for path in (dated, FOLDER / "latest.json"):
        path.write_bytes(data)
    PAGE.write_text(format_page(rows, machine, day=day))
    return dated


def _row_to_json(row: Row) -> dict[str, object]:
    fields: dict[str, object] = msgspec.to_builtins(row)
    return fields | {"met": row.met}
