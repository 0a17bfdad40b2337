"""The house rules hold, and each of them complains about a file that breaks it."""

import subprocess
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from tests.architecture import house

TOLD = house.python_files("src", "benchmarks")
SOURCE = house.python_files("src")
PYTHON = house.python_files("src", "tests", "benchmarks")

Rule = Callable[[Iterable[Path]], Iterator[str]]


@pytest.mark.parametrize(
    ("rule", "paths"),
    [
        pytest.param(house.too_long_files, PYTHON, id="files within 400 lines"),
        pytest.param(house.too_long_functions, PYTHON, id="functions within 60 lines"),
        pytest.param(house.vaguely_named_files, PYTHON, id="files named after a subject"),
        pytest.param(house.undocumented_files, TOLD, id="every file has a docstring"),
        pytest.param(house.inits_with_code, PYTHON, id="__init__ is a door sign"),
        pytest.param(house.repeated_class_names, SOURCE, id="no class name twice"),
        pytest.param(house.words_of_the_workplace, house.text_files(), id="no words of the workplace"),
    ],
)
def test_the_rule_holds(rule: Rule, paths: list[Path]) -> None:
    assert paths
    assert list(rule(paths)) == []


@pytest.mark.parametrize(
    ("rule", "name", "text"),
    [
        pytest.param(house.too_long_files, "long.py", "x = 1\n" * 401, id="401 lines"),
        pytest.param(
            house.too_long_functions,
            "long.py",
            "async def f() -> None:\n" + "    x = 1\n" * 60,
            id="a function of 61 lines",
        ),
        pytest.param(house.vaguely_named_files, "http_utils.py", "", id="utils"),
        pytest.param(house.vaguely_named_files, "manager.py", "", id="manager"),
        pytest.param(house.undocumented_files, "mute.py", "x = 1\n", id="no docstring"),
        pytest.param(
            house.inits_with_code, "__init__.py", '"""Docstring."""\nimport os\n', id="an import in an init"
        ),
        pytest.param(
            house.inits_with_code, "__init__.py", '"""Docstring."""\n__version__ = "1"\n', id="a version"
        ),
        pytest.param(
            house.repeated_class_names,
            "twins.py",
            "class Reader: ...\n\n\nclass Log:\n    class Reader: ...\n",
            id="two readers",
        ),
        pytest.param(
            house.words_of_the_workplace, "page.md", "see /wo" + "rk/main", id="a path of one machine"
        ),
        pytest.param(house.words_of_the_workplace, "page.md", "https://py" + "pi.org/x", id="a package host"),
    ],
)
def test_the_rule_finds_a_violation(rule: Rule, name: str, text: str, tmp_path: Path) -> None:
    planted = tmp_path / name
    planted.write_text(text)
    assert len(list(rule([planted]))) == 1


@pytest.mark.parametrize(
    ("rule", "name", "text"),
    [
        pytest.param(house.too_long_files, "long.py", "x = 1\n" * 400, id="400 lines"),
        pytest.param(
            house.too_long_functions,
            "long.py",
            "def f() -> None:\n" + "    x = 1\n" * 59,
            id="a function of 60 lines",
        ),
        pytest.param(house.words_of_the_workplace, "page.md", "the work/life balance", id="an innocent slash"),
    ],
)
def test_the_rule_allows_the_limit(rule: Rule, name: str, text: str, tmp_path: Path) -> None:
    planted = tmp_path / name
    planted.write_text(text)
    assert list(rule([planted])) == []


@pytest.mark.parametrize("folder", [".ci", ".github/workflows", "src/sartor/cli"])
def test_tracked_folders_are_checked(folder: str, tmp_path: Path) -> None:
    planted = tmp_path / folder / "planted.yml"
    planted.parent.mkdir(parents=True)
    planted.write_text("x")
    assert house.text_files(tmp_path) == [planted]


def test_no_kept_folder_is_forgotten() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=house.ROOT, capture_output=True, text=True, check=True)
    kept = {house.ROOT / name for name in listed.stdout.splitlines()}
    binary = {path for path in kept if path.suffix in (".png", ".gz")}
    assert kept - binary - set(house.text_files()) == {house.ROOT / "LICENSE"}
