"""The page about the command line, generated from its help texts.

``python -m tests.unit.cli.reference > docs/reference/cli.md`` regenerates it.
"""

import inspect
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import typer

from sartor.cli.app import app

HEAD = """\
# The command line

This page lists every command of `sartor` with its flags. It is generated from the help texts.

Each flag can also be set by the environment variable beside it. With `--json` a command prints JSON. Exit
codes: 0 for success, 1 for an error (one sentence on standard error) or a negative answer, 2 for wrong usage
or a data folder that another instance uses. `sartor --version` is short for `sartor version`.
"""


def page() -> str:
    """The whole page."""
    root: Any = typer.main.get_command(app)
    return HEAD + "".join(_section(words, command) for words, command in commands(root, ("sartor",)))


def commands(group: Any, words: Sequence[str]) -> Iterator[tuple[Sequence[str], Any]]:
    """Every command that does something, with the words that call it."""
    for name, command in group.commands.items():
        inside = (*words, name)
        if hasattr(command, "commands"):
            yield from commands(command, inside)
        else:
            yield inside, command


def options(command: Any) -> list[Any]:
    """The flags of a command that people may use."""
    return [one for one in command.params if one.param_type_name == "option" and not one.hidden]


def _section(words: Sequence[str], command: Any) -> str:
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    usage = " ".join((*words, *(_placeholder(one) for one in arguments), "[FLAGS]"))
    rows = [
        f"| `{', '.join(one.opts)}` | {_names(one)} | {_default(one)} | {one.help} |"
        for one in options(command)
    ]
    head = "| Flag | Environment | Default | |\n| --- | --- | --- | --- |\n"
    return (
        f"\n## {' '.join(words)}\n\n    {usage}\n\n{inspect.cleandoc(command.help)}\n"
        + "".join(f"\n`{_placeholder(one)}`: {one.help}\n" for one in arguments)
        + (f"\n{head}" + "\n".join(rows) + "\n" if rows else "")
    )


def _placeholder(argument: Any) -> str:
    return str(argument.metavar or argument.name.upper())


def _row(option: Any) -> str:
    return f"| `{', '.join(option.opts)}` | {_names(option)} | {_default(option)} | {option.help} |"


def _names(option: Any) -> str:
    names = [option.envvar] if isinstance(option.envvar, str) else list(option.envvar or ())
    return ", ".join(f"`{name}`" for name in names)


def _default(option: Any) -> str:
    return "" if option.default in (None, False) else f"`{option.default}`"


if __name__ == "__main__":
    sys.stdout.write(page())
