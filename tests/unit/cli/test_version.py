"""The version that is printed is the one that was installed."""

import json
from importlib.metadata import version

import pytest
from typer.testing import CliRunner

from sartor.cli.app import app


@pytest.mark.parametrize("words", [["version"], ["--version"]])
def test_it_prints_the_installed_version(words: list[str]) -> None:
    result = CliRunner().invoke(app, words)
    assert (result.exit_code, result.output) == (0, f"sartor {version('sartor')}\n")


def test_it_prints_json_for_programs() -> None:
    result = CliRunner().invoke(app, ["version", "--json"])
    assert json.loads(result.output) == {"version": version("sartor")}


def test_without_a_command_it_prints_its_help() -> None:
    result = CliRunner().invoke(app, [])
    assert result.exit_code == 2
    assert "Usage: sartor [OPTIONS] COMMAND" in result.output
