"""``sartor import``: imports saved logs, learning settings, settings and a model into a loop."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from sartor.cli import formatting
from sartor.cli.options import DEFAULTS, AsJson, Data, LoopName

if TYPE_CHECKING:
    from sartor.transfer.importer import ImportSummary
    from sartor.transfer.migration import MigrationSummary, OnProgress

From = Annotated[
    str | None,
    typer.Option(
        "--from",
        envvar="SARTOR_FROM",
        help="Logs (dsjson, also gzipped): a folder, which is read recursively, a file, a URL of either, or "
        "the SAS URI of a container.",
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
        help="Settings: a JSON file, as returned by GET configurations/service.",
        metavar="FILE",
        show_default=False,
    ),
]
ModelFile = Annotated[
    str | None,
    typer.Option(
        "--model",
        envvar="SARTOR_MODEL",
        help="A model: a signed zip, or the model file alone if allowUnsignedModels is set. It serves at once.",
        metavar="FILE",
        show_default=False,
    ),
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        envvar="SARTOR_DRY_RUN",
        help="Read and check everything, but write nothing.",
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
    """Import what was saved of a loop elsewhere: logs, learning settings, settings, a model.

    With --policy or --config the loop has no control group and no exploration floor afterwards, unless the
    settings name them: 'sartor loop set NAME controlShare=0.04' starts a control group.

    It can be repeated, also after an interruption: no decision is imported twice. Exit code 1: lines or files
    that should contain decisions were rejected.
    """
    from sartor.runtime import compose
    from sartor.transfer.migration import SavedResources, migrate

    saved = SavedResources(logs=from_, configuration=config, policy=policy, model=model)
    if saved == SavedResources():
        raise typer.BadParameter("Specify --from, --policy, --config or --model.")
    with compose.open_instance(data) as stores, _show_progress(quiet=as_json) as tell:
        summary = migrate(
            stores,
            name,
            saved,
            compose.engine_factory(),
            folder=compose.data_folder(data),
            dry_run=dry_run,
            on_progress=tell,
        )
    if as_json:
        formatting.print_json(msgspec.to_builtins(summary))
    else:
        _print_summary(summary)
    if summary.logs is not None and not summary.logs.is_clean:
        raise typer.Exit(1)


@contextmanager
def _show_progress(*, quiet: bool) -> "Iterator[OnProgress]":
    """Show a progress bar on standard error if that is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description:<9}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as bar:
        task = bar.add_task("Reading", total=None)
        yield lambda what, done, total: bar.update(task, description=what, completed=done, total=total)


def _print_summary(summary: "MigrationSummary") -> None:
    for line in _describe(summary):
        formatting.print_line(line)


def _describe(summary: "MigrationSummary") -> Iterator[str]:
    if summary.dry_run:
        yield "This is a dry run: nothing is written."
    if summary.configuration is not None:
        yield f"Settings: {', '.join(summary.configuration.changes) or 'none'}."
        yield from (f"  left out {name}: {why}" for name, why in summary.configuration.left_out.items())
    if summary.policy is not None:
        yield f"Learning settings {summary.policy.name!r}: {summary.policy.arguments}"
    if summary.logs is not None:
        yield from _describe_logs(summary.logs)
    if summary.learned is not None:
        yield f"Learned {summary.learned} outcomes; 'sartor loop models {summary.loop}' lists the models."
    if summary.pending:
        yield "The running service has not processed everything yet; it will do so by itself."
    if summary.model is not None:
        yield f"Model: {summary.model}."


def _describe_logs(logs: "ImportSummary") -> Iterator[str]:
    taken = ", ".join(f"{number} {kind}" for kind, number in logs.taken.items()) or "none"
    yield f"Read {logs.lines} lines of {logs.files} files. Decisions imported: {taken}."
    for kind, skipped in logs.skipped.items():
        yield f"  skipped {skipped.lines} ({kind}): {skipped.reason}"
        yield f"    the first: {skipped.first}"
    yield from (f"  passed over {one.file}: {one.reason}" for one in logs.passed)
    yield from (f"  DAMAGED {one.file}: {one.reason}" for one in logs.damaged)
