"""Files and names that docstrings mention exist: none still names what has been moved or renamed."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.architecture.house import ROOT

SRC = ROOT / "src"
PACKAGE = SRC / "sartor"
MODULES = sorted(PACKAGE.rglob("*.py"))
FILE = re.compile(r"``([\w./-]+\.py)``")
DOTTED = re.compile(r"``([a-z_]\w*(?:\.\w+)+)``")


def find_docstrings(path: Path) -> Iterator[str]:
    """Docstrings of a module, its classes, functions and attributes."""
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Expr(value=ast.Constant(value=str() as text)):
                yield text


def find_wrong_files(path: Path) -> list[str]:
    """Files that docstrings mention and that exist in none of the places where a reader would look.

    These are the module's folder, each folder above it, and the top of the repository.
    """
    bases = {path.parent, *(folder for folder in path.parents if folder.is_relative_to(PACKAGE)), PACKAGE, ROOT}
    mentioned = [name for text in find_docstrings(path) for name in FILE.findall(text)]
    return [name for name in mentioned if not any((base / name).is_file() for base in bases)]


def find_wrong_names(path: Path) -> list[str]:
    """Dotted names that docstrings mention and nothing defines.

    Checked are names that begin with a room or a module of the package, and those that end with a class.
    """
    mentioned = [name for text in find_docstrings(path) for name in DOTTED.findall(text)]
    return [name for name in mentioned if not is_file_name(name) and not is_known(name)]


def is_file_name(name: str) -> bool:
    """Whether a dotted name is that of a file; those of Python have a check of their own."""
    return name.rpartition(".")[2] in {"py", "sqlite", "vw", "key"}


def is_known(dotted: str) -> bool:
    """Whether a dotted name is defined, or is not one of the package at all (a feature, a column, a file)."""
    first, last = dotted.split(".")[0], dotted.rpartition(".")[2]
    places = [SRC] if first == "sartor" else _places_of(first)
    return any(is_defined(place, dotted.split(".")) for place in places) or not (places or last[0].isupper())


@cache
def _places_of(name: str) -> list[Path]:
    """Folders that hold a room or a module of this name."""
    return [path.parent for path in PACKAGE.rglob("*") if path.name == f"{name}.py" or _is_room(path, name)]


def _is_room(path: Path, name: str) -> bool:
    return path.name == name and (path / "__init__.py").is_file()


def is_defined(folder: Path, names: list[str]) -> bool:
    """Whether names lead from a folder to a room, a module, a name in one, or a member of a class."""
    while names and (folder / names[0]).is_dir():
        folder, names = folder / names[0], names[1:]
    if not names:
        return True
    module = folder / f"{names[0]}.py"
    if not module.is_file():
        return _defines(ast.parse((folder / "__init__.py").read_text()), names)
    return len(names) == 1 or _defines(ast.parse(module.read_text()), names[1:])


def _defines(scope: ast.AST, names: list[str]) -> bool:
    for node in ast.iter_child_nodes(scope):
        if names[0] in _names_of(node):
            return len(names) == 1 or _defines(node, names[1:])
    return False


def _names_of(node: ast.AST) -> set[str]:
    match node:
        case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            return {name}
        case ast.AnnAssign(target=ast.Name(id=name)):
            return {name}
        case ast.Assign(targets=targets):
            return {target.id for target in targets if isinstance(target, ast.Name)}
    return set()


@pytest.mark.parametrize("path", MODULES, ids=[str(path.relative_to(PACKAGE)) for path in MODULES])
def test_what_docstrings_mention_exists(path: Path) -> None:
    assert find_wrong_files(path) == []
    assert find_wrong_names(path) == []


ROOMS = [path for path in MODULES if path.name == "__init__.py"]


@pytest.mark.parametrize("path", ROOMS, ids=[str(path.parent.relative_to(SRC)) for path in ROOMS])
def test_every_room_has_a_docstring(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text()))


PLANTED = '''
"""See ``gone.py``, ``planted.py`` and ``log/settle.py``."""

class Planted:
    """``sartor.nowhere``, ``sartor.log.settle``, ``log.settle.nothing``, ``gone.Class``, ``settle.settle``."""

    id: str
    """``sartor.records.Action.id``, ``records.Action.nothing``, ``catalog.sqlite`` or ``user.age``."""
'''


def test_wrong_mentions_are_found(tmp_path: Path) -> None:
    planted = tmp_path / "planted.py"
    planted.write_text(PLANTED)
    assert find_wrong_files(planted) == ["gone.py"]
    assert find_wrong_names(planted) == [
        "sartor.nowhere",
        "log.settle.nothing",
        "gone.Class",
        "records.Action.nothing",
    ]
