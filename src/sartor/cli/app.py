"""The command ``sartor``: registers every subcommand and turns errors into exit codes."""

import sys
from typing import Annotated

import typer

from sartor.cli import (
    audit,
    clock,
    decisions,
    doctor,
    erase,
    evaluate,
    export,
    formatting,
    imports,
    lab,
    loop,
    reward,
    score,
    serve,
    usage,
)
from sartor.cli.options import AsJson
from sartor.errors import SartorError
from sartor.private_files import use_private_umask

app = typer.Typer(
    name="sartor",
    help="A decision service you run yourself: rank, reward, learn within a second, lose nothing.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("serve")(serve.serve)
app.command("api")(serve.api)
app.command("learn")(serve.learn)
app.command("work")(serve.work)
app.add_typer(loop.app, name="loop")
app.command("audit")(audit.audit)
app.command("clock")(clock.clock)
app.command("usage")(usage.usage)
app.command("reward", context_settings={"ignore_unknown_options": True})(reward.reward)
app.command("erase")(erase.erase)
app.command("score")(score.score)
app.command("evaluate")(evaluate.evaluate)
app.command("apply")(evaluate.apply)
app.command("import")(imports.import_)
app.command("export")(export.export)
app.command("replay")(decisions.replay)
app.command("why")(decisions.why)
app.command("doctor")(doctor.doctor)
app.command("lab")(lab.lab)


@app.command("version")
def version(as_json: AsJson = False) -> None:
    """Print the version."""
    number = _read_version()
    formatting.print_json({"version": number}) if as_json else formatting.print_line(f"sartor {number}")


def _read_version() -> str:
    from importlib.metadata import version as installed

    return installed("sartor")


def _print_version(asked: bool) -> None:
    if asked:
        formatting.print_line(f"sartor {_read_version()}")
        raise typer.Exit


@app.callback()
def parse_global_flags(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Parse the flags before the command."""


def main() -> None:
    """Run the command line; the process ends with its exit code."""
    use_private_umask()
    try:
        app()
    except SartorError as error:
        sys.exit(formatting.print_error(error))
