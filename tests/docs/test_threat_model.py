"""The threat model names a test in each of its lines, and the tests are there."""

import ast
import re

import pytest

from tests.docs.pages import DOCS, ROOT

PAGE = DOCS / "design" / "threat-model.md"
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
ROWS = [
    line
    for line in PAGE.read_text().splitlines()
    if line.startswith("| ") and not line.startswith(("| who might", "| ---"))
]


def test_there_are_threats() -> None:
    assert len(ROWS) >= 30


@pytest.mark.parametrize("row", ROWS, ids=[row.split(" | ")[0].strip("| ") for row in ROWS])
def test_each_line_names_tests_that_are_there(row: str) -> None:
    who, what, tests = (cell.strip() for cell in row.strip("|").split(" | "))
    assert who
    assert what
    found = NAMED.findall(tests)
    assert found
    assert NAMED.sub("", tests).strip(" ,") == "", "a name that is not spelled as a test"
    for file, name in found:
        assert name in functions(file), f"{file} has no {name}"


def functions(file: str) -> set[str]:
    """The tests of a file, those that are skipped left out."""
    tree = ast.parse((ROOT / file).read_text())
    tests = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    return {test.name for test in tests if not any("skip" in ast.dump(mark) for mark in test.decorator_list)}
