"""``sartor loop delete``, ``deleted``, ``recover``, ``purge``, ``backup`` and ``restore``."""

from pathlib import Path
from typing import Annotated

import typer

from sartor.cli import formatting
from sartor.cli.options import DEFAULTS, AsJson, Data, LoopName, Yes
from sartor.ports import Loop
from sartor.times import format_timestamp

DeletedLoop = Annotated[str, typer.Argument(help="The name or the id of a deleted loop.", metavar="NAME")]


def delete(name: LoopName, data: Data = DEFAULTS.data, yes: Yes = False, as_json: AsJson = False) -> None:
    """Delete a loop with its log, its models and its keys. For seven days 'sartor loop recover' undoes it."""
    from sartor.management import lifecycle, loops
    from sartor.runtime import compose

    with compose.open_instance(data) as stores:
        loops.find_loop(stores, name)
        if not yes:
            typer.confirm(f"Delete the loop {name!r} with everything that it learned?", abort=True, err=True)
        value = _to_json(lifecycle.delete(stores, name))
    sentence = f"The loop {name!r} is deleted; it can be recovered until {value['recoverableUntil']}."
    formatting.print_result(value, sentence, as_json=as_json)


def deleted(data: Data = DEFAULTS.data, as_json: AsJson = False) -> None:
    """List the deleted loops that can still be recovered."""
    from sartor.management import lifecycle
    from sartor.runtime import compose

    with compose.open_instance(data) as stores:
        loops = lifecycle.list_deleted(stores)
    if as_json:
        formatting.print_json([_to_json(loop) for loop in loops])
    elif loops:
        rows = [(loop.name, loop.loop_id, format_timestamp(loop.recoverable_until_us)) for loop in loops]
        formatting.print_table(("LOOP", "ID", "RECOVERABLE UNTIL"), rows)
    else:
        formatting.print_text("There is no deleted loop.")


def _to_json(loop: Loop) -> dict[str, object]:
    return {
        "deleted": loop.name,
        "loopId": loop.loop_id,
        "recoverableUntil": format_timestamp(loop.recoverable_until_us),
    }


def recover(
    name: DeletedLoop,
    rename: Annotated[
        str | None,
        typer.Option("--as", envvar="SARTOR_AS", help="Another name, if its own is taken.", metavar="NAME"),
    ] = None,
    data: Data = DEFAULTS.data,
    as_json: AsJson = False,
) -> None:
    """Recover a deleted loop, with its keys, its log and its models."""
    from sartor.management import lifecycle
    from sartor.runtime import compose

    with compose.open_instance(data) as stores:
        loop = lifecycle.recover(stores, name, rename=rename)
    _print_available(loop, "recovered", as_json=as_json)


def purge(name: DeletedLoop, data: Data = DEFAULTS.data, yes: Yes = False, as_json: AsJson = False) -> None:
    """Remove a deleted loop with its log and its models for good; a running service does so in seconds."""
    from sartor.management import lifecycle
    from sartor.runtime import compose

    with compose.open_instance(data) as stores:
        loop = lifecycle.find_deleted(stores, name)
        if not yes:
            typer.confirm(f"Remove the deleted loop {loop.name!r} for good?", abort=True, err=True)
        lifecycle.purge(stores, loop.loop_id)
    value = {"purged": loop.name, "loopId": loop.loop_id}
    formatting.print_result(value, f"The loop {loop.name!r} is removed for good.", as_json=as_json)


def backup(
    name: LoopName,
    file: Annotated[Path, typer.Argument(help="Where to write it.", metavar="FILE")],
    data: Data = DEFAULTS.data,
    as_json: AsJson = False,
) -> None:
    """Write a loop to one file, also while it is in use: its log, its models, its settings, its keys.

    The keys stay encrypted: only an instance with the same secret key can decrypt them.
    """
    from sartor.management import backups
    from sartor.runtime import compose

    with compose.open_instance(data) as stores:
        loop = backups.back_up_loop(stores, name, file)
    size = file.stat().st_size
    value = {"name": loop.name, "loopId": loop.loop_id, "file": str(file), "bytes": size}
    formatting.print_result(value, f"The loop {name!r} is in {file} ({size:,} bytes).", as_json=as_json)


def restore(
    file: Annotated[Path, typer.Argument(help="A file from 'sartor loop backup'.", metavar="FILE")],
    rename: Annotated[
        str | None, typer.Option("--as", envvar="SARTOR_AS", help="Another name.", metavar="NAME")
    ] = None,
    from_another_instance: Annotated[
        bool,
        typer.Option(
            "--from-another-instance",
            envvar="SARTOR_FROM_ANOTHER_INSTANCE",
            help="Accept a file that can't be authenticated: of an instance with another secret key, or of a "
            "version that did not authenticate backups.",
        ),
    ] = False,
    data: Data = DEFAULTS.data,
    as_json: AsJson = False,
) -> None:
    """Restore a loop from a file. It has its old keys, or new ones if another instance wrote the file.

    A file that was changed since this instance wrote it is refused, and so is one of another instance, unless
    you say that you know where it comes from. An existing loop, in service or deleted, is not overwritten:
    delete and purge it first.
    """
    from sartor.management import backups
    from sartor.runtime import compose

    with compose.open_instance(data, must_exist=False) as stores:
        loop = backups.restore_loop(stores, file, rename=rename, from_another_instance=from_another_instance)
    _print_available(loop, "restored", as_json=as_json)


def _print_available(loop: Loop, what: str, *, as_json: bool) -> None:
    value = {"name": loop.name, "loopId": loop.loop_id}
    formatting.print_result(value, f"The loop {loop.name!r} is {what}.", as_json=as_json)
