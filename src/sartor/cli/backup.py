"""``sartor loop backup`` and ``restore``: a loop in one file."""

from pathlib import Path
from typing import Annotated

import typer

from sartor.cli import printing
from sartor.cli.options import DEFAULTS, AsJson, Data, LoopName


def backup(
    name: LoopName,
    file: Annotated[Path, typer.Argument(help="Where to write it.", metavar="FILE")],
    data: Data = DEFAULTS.data,
    as_json: AsJson = False,
) -> None:
    """Write a loop to one file, while it is used: its log, its models, its settings, its keys.

    The keys stay sealed: only an instance with the same secret key can open them.
    """
    from sartor.management import backups
    from sartor.runtime import compose

    with compose.open_instance(data) as stores:
        loop = backups.back_up_loop(stores, name, file)
    size = file.stat().st_size
    value = {"name": loop.name, "loopId": loop.loop_id, "file": str(file), "bytes": size}
    printing.result(value, f"The loop {name!r} is in {file} ({size:,} bytes).", as_json=as_json)


def restore(
    file: Annotated[Path, typer.Argument(help="A file from 'sartor loop backup'.", metavar="FILE")],
    rename: Annotated[
        str | None, typer.Option("--as", envvar="SARTOR_AS", help="Another name.", metavar="NAME")
    ] = None,
    data: Data = DEFAULTS.data,
    as_json: AsJson = False,
) -> None:
    """Put a loop back from a file. It has its old keys, or new ones if another instance wrote it.

    A loop that is there, in service or deleted, is not overwritten: delete and purge it first.
    """
    from sartor.management import backups
    from sartor.runtime import compose

    with compose.open_instance(data, must_exist=False) as stores:
        loop = backups.restore_loop(stores, file, rename=rename)
    value = {"name": loop.name, "loopId": loop.loop_id}
    printing.result(value, f"The loop {loop.name!r} is back.", as_json=as_json)


COMMANDS = (backup, restore)
