"""The SQL files of this room, read by name. Each statement stands under a line ``-- its_name --``."""

import re
import sqlite3
from collections.abc import Mapping
from importlib.resources import files

_HEADER = re.compile(r"^-- (\w+) --$", re.MULTILINE)


def schema(name: str, /) -> str:
    """The script that makes an empty database of this kind: ``events``, ``outcomes``, ``jobs``, ``catalog``."""
    return _read(f"{name}_schema.sql")


def migration(name: str, version: int, /) -> list[str]:
    """The statements that bring a database of this kind from the version before to this one."""
    found, statement = [], ""
    for line in _bare(_read(f"{name}_to_{version}.sql")).splitlines():
        statement += f"{line}\n"
        if sqlite3.complete_statement(statement):
            found.append(statement)
            statement = ""
    return [*found, statement] if statement else found


def statements(name: str, /) -> Mapping[str, str]:
    """The statements for a database of this kind, by their names, without comments."""
    _, *parts = _HEADER.split(_read(f"{name}.sql"))
    return {title: _bare(sql) for title, sql in zip(parts[::2], parts[1::2], strict=True)}


def _read(file: str) -> str:
    return files("sartor.stores").joinpath("sql", file).read_text("utf-8")


def _bare(sql: str) -> str:
    lines = (line for line in sql.splitlines() if line and not line.startswith("--"))
    return "\n".join(lines).removesuffix(";")
