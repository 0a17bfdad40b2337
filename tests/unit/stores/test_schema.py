"""The SQL files are whole, explained, used, and read only what they must."""

import re
import sqlite3
from importlib.resources import files

import pytest

from sartor.stores.schema import read_schema, read_statements

KINDS = ("events", "outcomes", "jobs", "catalog")
EVERY = [(kind, name) for kind in KINDS for name in read_statements(kind)]

# What lists everything, on purpose.
WHOLE = ("history", "jobs", "jobs_of", "observations_of")

# One row, or one for each loop, for each model whose bytes are kept, or for 65,536 outcomes.
SMALL = (
    "progress",
    "counted",
    "batch",
    "state",
    "live",
    "loops",
    "models USING INDEX models_with_blob",
    "segments",
    "jobs USING INDEX unfinished_jobs",
)


@pytest.mark.parametrize(("kind", "name"), EVERY)
def test_the_statement_fits_the_schema_and_scans_no_log(kind: str, name: str) -> None:
    database = sqlite3.connect(":memory:")
    database.executescript(read_schema(kind))
    sql = read_statements(kind)[name]
    plan = database.execute(f"EXPLAIN QUERY PLAN {sql}", (1,) * sql.count("?")).fetchall()
    database.close()
    scanned = [detail.partition("SCAN ")[2] for *_, detail in plan if detail.startswith("SCAN ")]
    if name not in WHOLE:
        assert [table for table in scanned if not table.startswith((*SMALL, "CONSTANT"))] == []


@pytest.mark.parametrize(("kind", "name"), EVERY)
def test_the_statement_is_explained_and_used(kind: str, name: str) -> None:
    room = files("sartor.stores")
    text = room.joinpath("sql", f"{kind}.sql").read_text("utf-8")
    assert re.search(rf"^-- {name} --\n-- \w", text, re.MULTILINE)
    code = "".join(file.read_text() for file in room.iterdir() if file.name.endswith(".py"))
    assert f'["{name}"]' in code


def test_comments_are_no_part_of_a_statement() -> None:
    assert all("--" not in sql and not sql.endswith(";") for k in KINDS for sql in read_statements(k).values())
