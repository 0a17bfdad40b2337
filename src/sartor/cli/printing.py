"""How results are printed: JSON for programs, tables and sentences for people."""

import sys
from collections.abc import Mapping, Sequence

import msgspec

from sartor.errors import DataFolderInUse, SartorError


def json(value: object, /) -> None:
    """Print a value as indented JSON."""
    text = msgspec.json.format(msgspec.json.encode(value), indent=2)
    sys.stdout.write(text.decode() + "\n")


def say(text: str, /) -> None:
    """Print a text for people, with rich's marks (``[bold]``); never folded, so that it can be copied."""
    from rich.console import Console

    Console(soft_wrap=True, highlight=False).print(text)


def table(columns: Sequence[str], rows: Sequence[Sequence[object]], /) -> None:
    """Print rows under columns."""
    from rich.console import Console
    from rich.table import Table

    grid = Table(*columns, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        grid.add_row(*map(str, row))
    console = Console(highlight=False)
    if not console.is_terminal:  # a pipe has no width: a row stays on one line
        console.width = 1_000
    console.print(grid)


def result(value: object, sentence: str, /, *, as_json: bool) -> None:
    """Print a value for programs, or the sentence for people."""
    if as_json:
        json(value)
    else:
        sys.stdout.write(f"{sentence}\n")


def pairs(values: Mapping[str, object], /, *, as_json: bool) -> None:
    """Print names and values: an object for programs, two columns for people."""
    if as_json:
        json(values)
        return
    width = max(map(len, values), default=0)
    for name, value in values.items():
        shown = str(value).lower() if isinstance(value, bool) else value
        sys.stdout.write(f"{name:<{width}}  {shown}\n")


def complain(error: SartorError, /) -> int:
    """Print one clear sentence on standard error; returns the exit code."""
    sys.stderr.write(f"sartor: {error.message}\n")
    return 2 if isinstance(error, DataFolderInUse) else 1
