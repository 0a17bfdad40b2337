"""``sartor import``: what was saved of a loop elsewhere, into a loop here."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from sartor.cli import printing
from sartor.cli.options import DEFAULTS, AsJson, Data, LoopName

if TYPE_CHECKING:
    from sartor.transfer.import_summary import ImportSummary
    from sartor.transfer.migration import MigrationSummary, Tell

From = Annotated[
    str | None,
    typer.Option(
        "--from",
        envvar="SARTOR_FROM",
        help="Logs (dsjson, also packed with gzip): a folder with all that is below it, a file, or a URL of "
        "either; a container's SAS URI too.",
        metavar="FOLDER_OR_URL",
        show_default=False,
    ),
]
PolicyFile = Annotated[
    str | None,
    typer.Option(
        "--policy",
        envvar="SARTOR_POLICY",
        help="Learning settings: a JSON file with name and arguments.",
        metavar="FILE",
        show_default=False,
    ),
]
ConfigFile = Annotated[
    str | None,
    typer.Option(
        "--config",
        envvar="SARTOR_CONFIG",
        help="Settings: a JSON file with the names of the wire, as GET configurations/service answers.",
        metavar="FILE",
        show_default=False,
    ),
]
ModelFile = Annotated[
    str | None,
    typer.Option(
        "--model",
        envvar="SARTOR_MODEL",
        help="A model: a signed zip, or the bare file where allowUnsignedModels is set. It serves at once.",
        metavar="FILE",
        show_default=False,
    ),
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        envvar="SARTOR_DRY_RUN",
        help="Read and check everything, and write nothing.",
        show_default=False,
    ),
]


def import_(
    name: LoopName,
    from_: From = None,
    policy: PolicyFile = None,
    config: ConfigFile = None,
    model: ModelFile = None,
    dry_run: DryRun = False,
    data: Data = DEFAULTS.data,
    as_json: AsJson = False,
) -> None:
    """Take what was saved of a loop elsewhere: logs, learning settings, settings, a model.

    Repeat it as you like, also after it was interrupted: no decision is taken twice. Exit code 1: lines or
    files were refused that should have told of decisions.
    """
    from sartor.runtime import compose
    from sartor.transfer.migration import SavedResources, migrate

    saved = SavedResources(logs=from_, configuration=config, policy=policy, model=model)
    if saved == SavedResources():
        raise typer.BadParameter("Give --from, --policy, --config or --model.")
    with compose.open_instance(data) as stores, _progress(quiet=as_json) as tell:
        moved = migrate(
            stores,
            name,
            saved,
            compose.engine_factory(),
            folder=compose.data_folder(data),
            dry_run=dry_run,
            tell=tell,
        )
    if as_json:
        printing.json(msgspec.to_builtins(moved))
    else:
        _tell(moved)
    if moved.logs is not None and not moved.logs.is_clean:
        raise typer.Exit(1)


@contextmanager
def _progress(*, quiet: bool) -> "Iterator[Tell]":
    """A bar on standard error, where that is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description:<9}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as bar:
        task = bar.add_task("Reading", total=None)
        yield lambda what, done, total: bar.update(task, description=what, completed=done, total=total)


def _tell(moved: "MigrationSummary") -> None:
    for line in _sentences(moved):
        sys.stdout.write(f"{line}\n")


def _sentences(moved: "MigrationSummary") -> Iterator[str]:
    if moved.dry_run:
        yield "Nothing is written: this is a dry run."
    if moved.configuration is not None:
        yield f"Settings: {', '.join(moved.configuration.changes) or 'none'}."
        yield from (f"  left out {name}: {why}" for name, why in moved.configuration.left_out.items())
    if moved.policy is not None:
        yield f"Learning settings {moved.policy.name!r}: {moved.policy.arguments}"
    if moved.logs is not None:
        yield from _counts(moved.logs)
    if moved.learned is not None:
        yield f"Learned {moved.learned} outcomes; 'sartor loop models {moved.loop}' lists the models."
    if moved.pending:
        yield "A service uses the data folder and has not taken all in yet; it will, once it learns."
    if moved.model is not None:
        yield f"Model: {moved.model}."


def _counts(tally: "ImportSummary") -> Iterator[str]:
    taken = ", ".join(f"{number} {kind}" for kind, number in tally.taken.items()) or "none"
    yield f"Read {tally.lines} lines of {tally.files} files. Decisions taken: {taken}."
    for kind, skipped in tally.skipped.items():
        yield f"  skipped {skipped.lines} ({kind}): {skipped.reason}"
        yield f"    the first: {skipped.first}"
    yield from (f"  passed over {one.file}: {one.reason}" for one in tally.passed)
    yield from (f"  DAMAGED {one.file}: {one.reason}" for one in tally.damaged)
