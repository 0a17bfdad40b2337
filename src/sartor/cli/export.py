"""``sartor export``: prints the joined log as dsjson, CSV or Parquet."""

import io
import os
import sys
from codecs import getincrementaldecoder
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO, Literal, cast

import typer

from sartor.cli import formatting
from sartor.cli.options import DEFAULTS, Data, LoopName, parse_time
from sartor.errors import InvalidRequest, StoreUnavailable
from sartor.private_files import open_private

Format = Annotated[
    Literal["dsjson", "csv", "parquet"],
    typer.Option(
        "--format",
        envvar="SARTOR_FORMAT",
        help="dsjson: one JSON object per line. csv, parquet: a table; parquet needs sartor[parquet].",
    ),
]
Start = Annotated[
    str | None,
    typer.Option(
        "--from",
        envvar="SARTOR_START",
        help="Only decisions made at this time or later (ISO 8601, UTC where no zone is given).",
        metavar="TIME",
        show_default=False,
    ),
]
End = Annotated[
    str | None,
    typer.Option(
        "--to",
        envvar="SARTOR_END",
        help="Only decisions made before this time.",
        metavar="TIME",
        show_default=False,
    ),
]
Pending = Annotated[
    bool,
    typer.Option(
        "--pending",
        envvar="SARTOR_PENDING",
        help="Also print decisions that have no outcome yet; dsjson marks them with _pending.",
        show_default=False,
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        envvar="SARTOR_OUTPUT",
        help="Write to this file instead of standard output.",
        metavar="FILE",
    ),
]


def export(
    name: LoopName,
    format_: Format = "dsjson",
    start: Start = None,
    end: End = None,
    pending: Pending = False,
    output: Output = None,
    data: Data = DEFAULTS.data,
) -> None:
    """Print the joined log of a loop in the order of learning, one line or row for each outcome.

    It streams a log of any length, and can run beside the service.
    """
    from sartor.management import loops
    from sartor.runtime import compose
    from sartor.transfer import export as exporting

    selection = exporting.ExportSelection(from_us=parse_time(start), to_us=parse_time(end), pending=pending)
    with (
        compose.open_instance(data) as stores,
        loops.open_loop(stores, loops.find_loop(stores, name)) as logs,
        _open_output(output, format_) as stream,
    ):
        exporting.export_log(logs, stream, format_=format_, selection=selection)


class TerminalStream(io.RawIOBase):
    """Takes the bytes of an export for a terminal, which they can't steer."""

    def __init__(self) -> None:
        self._decoder = getincrementaldecoder("utf-8")(errors="backslashreplace")

    def writable(self) -> bool:
        """Returns that it can be written to."""
        return True

    def write(self, data: bytes, /) -> int:  # type: ignore[override]
        """Print a part of it; a character may be split between two parts."""
        part = bytes(data)
        formatting.print_lines(self._decoder.decode(part))
        return len(part)

    def flush(self) -> None:
        """Print what is still buffered."""
        sys.stdout.flush()


@contextmanager
def _open_output(output: Path | None, format_: str) -> Iterator[BinaryIO]:
    try:
        if output is None and sys.stdout.isatty():
            if format_ == "parquet":
                raise InvalidRequest("A terminal can't show Parquet; name a file with --output.")
            yield cast("BinaryIO", TerminalStream())
        elif output is None:
            yield sys.stdout.buffer
        else:
            with open_private(output) as file:
                yield file
    except BrokenPipeError:
        # The reader closed the pipe (| head). Python must not write its buffer at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        raise StoreUnavailable(f"The log can't be written: {error.strerror or error}.") from error
