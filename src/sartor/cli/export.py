"""``sartor export``: the joined log, for people and for other tools."""

import os
import sys
from collections.abc import Iterable
from contextlib import nullcontext
from itertools import chain
from pathlib import Path
from typing import Annotated, BinaryIO, Literal

import typer

from sartor.cli.options import DEFAULTS, Data, LoopName
from sartor.errors import StoreUnavailable

Format = Annotated[
    Literal["dsjson"],
    typer.Option("--format", envvar="SARTOR_FORMAT", help="dsjson: one JSON object a line."),
]
Pending = Annotated[
    bool,
    typer.Option(
        "--pending",
        envvar="SARTOR_PENDING",
        help="Add the decisions that have no outcome yet, marked _pending.",
        show_default=False,
    ),
]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", envvar="SARTOR_OUTPUT", help="Write to this file instead.", metavar="FILE"),
]


def export(
    name: LoopName,
    format_: Format = "dsjson",
    pending: Pending = False,
    output: Output = None,
    data: Data = DEFAULTS.data,
) -> None:
    """Print the joined log of a loop, in the order in which it learned: a line for each outcome.

    Works beside a running service, however long the log is.
    """
    from sartor.service import compose, loops
    from sartor.service.audit import joined_log

    with compose.stores(data) as stores, loops.opened(stores, loops.find(stores, name)) as logs:
        lines = joined_log.settled(logs)
        _write(chain(lines, joined_log.pending(logs)) if pending else lines, output)


def _write(lines: Iterable[bytes], output: Path | None) -> None:
    try:
        with nullcontext(sys.stdout.buffer) if output is None else output.open("wb") as stream:
            _copy(lines, stream)
    except BrokenPipeError:
        # The reader has seen enough (| head). What Python still holds must not be written at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        raise StoreUnavailable(f"The log can't be written: {error.strerror}.") from error


def _copy(lines: Iterable[bytes], stream: BinaryIO) -> None:
    for line in lines:
        stream.write(line + b"\n")
    stream.flush()
