"""The page about the command line is up to date; every flag has an environment variable."""

from pathlib import Path
from typing import Any

import typer

from sartor.cli.app import app
from tests.unit.cli.reference import commands, options, page

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "cli.md"


def every_command() -> list[tuple[str, Any]]:
    root: Any = typer.main.get_command(app)
    return [(" ".join(words), command) for words, command in commands(root, ())]


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text() == page(), "run: python -m tests.unit.cli.reference > docs/reference/cli.md"


def test_every_flag_has_a_variable() -> None:
    without = [
        f"{name} {option.opts[0]}"
        for name, command in every_command()
        for option in options(command)
        if not str(option.envvar or "").startswith("SARTOR_") and "SARTOR_" not in str(option.envvar)
    ]
    assert without == []


def test_every_flag_and_command_is_explained() -> None:
    silent = [
        f"{name} {parameter.name}"
        for name, command in every_command()
        for parameter in command.params
        if not getattr(parameter, "hidden", False) and not parameter.help
    ]
    assert silent == []
    assert [name for name, command in every_command() if not command.help] == []


def test_every_result_can_be_printed_as_json() -> None:
    silent = {"serve", "api", "learn", "work", "export"}
    without = {
        name
        for name, command in every_command()
        if "--json" not in {flag for option in options(command) for flag in option.opts}
    }
    assert without == silent
