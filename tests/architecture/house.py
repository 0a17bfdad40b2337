"""The conventions of the source, as functions that yield violations; ``test_house.py`` runs them."""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FILE_LINES = 400
FUNCTION_LINES = 60
FORBIDDEN_NAMES = frozenset({"utils", "helpers", "common", "base", "core", "misc", "manager"})

# Split, so that this file does not complain about itself.
_WORKPLACE = re.compile(
    "|".join(
        (
            r"(?<![\w.])/(?:work|farm)" + "/",
            "shared" + "/design",
            "sub-?" + "agents?",
            r"\bclau" + r"de\b",
            r"\banthro" + r"pic\b",
            r"\bchat" + r"gpt\b",
            r"\bll" + r"ms?\b",
            "python" + r"hosted\.org",
            "registry" + r"\.npmjs",
            r"\bpypi" + r"\.org",
        )
    ),
    re.IGNORECASE,
)

Function = ast.FunctionDef | ast.AsyncFunctionDef


def python_files(*trees: str, root: Path = ROOT) -> list[Path]:
    """The Python files of some folders of the repository."""
    return sorted(path for tree in trees for path in (root / tree).rglob("*.py"))


def text_files(root: Path = ROOT) -> list[Path]:
    """Everything that is kept and can be read as text: sources, tests, pages, and the files beside them."""
    kept = [path for path in root.iterdir() if path.is_file() and path.name not in ("LICENSE", ".git")]
    trees = ("src", "tests", "benchmarks", "docs", ".ci", ".github")
    kept += [path for tree in trees for path in (root / tree).rglob("*") if path.is_file()]
    made = {"__pycache__", "node_modules"}
    return sorted(p for p in kept if not made & set(p.parts) and ".egg-info" not in str(p) and _is_text(p))


def _is_text(path: Path) -> bool:
    return b"\0" not in path.read_bytes()[:4096]


def too_long_files(paths: Iterable[Path]) -> Iterator[str]:
    """Yields files of more than 400 lines: they have more than one subject."""
    for path in paths:
        lines = len(path.read_text().splitlines())
        if lines > FILE_LINES:
            yield f"{path}: {lines} lines"


def too_long_functions(paths: Iterable[Path]) -> Iterator[str]:
    """Yields functions of more than 60 lines."""
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, Function):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > FUNCTION_LINES:
                    yield f"{path}:{node.lineno}: {node.name} has {lines} lines"


def vaguely_named_files(paths: Iterable[Path]) -> Iterator[str]:
    """Yields files with a name that says nothing about their subject."""
    for path in paths:
        if FORBIDDEN_NAMES & set(path.stem.split("_")):
            yield f"{path}: has no subject"


def undocumented_files(paths: Iterable[Path]) -> Iterator[str]:
    """Yields files without a docstring."""
    for path in paths:
        if not ast.get_docstring(ast.parse(path.read_text())):
            yield f"{path}: no docstring"


def inits_with_code(paths: Iterable[Path]) -> Iterator[str]:
    """Yields ``__init__`` files with more than a docstring; the version comes from the tags."""
    for path in paths:
        if path.name == "__init__.py" and len(ast.parse(path.read_text()).body) != 1:
            yield f"{path}: more than a docstring"


def repeated_class_names(paths: Iterable[Path]) -> Iterator[str]:
    """Yields classes whose name another class has: a name means one thing in the whole tree."""
    places: dict[str, list[str]] = {}
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, []).append(f"{path}:{node.lineno}")
    for name, found in places.items():
        if len(found) > 1:
            yield f"{name}: {', '.join(found)}"


def words_of_the_workplace(paths: Iterable[Path]) -> Iterator[str]:
    """Yields lines that mention paths of one machine, package hosts or development tools of the authors."""
    for path in paths:
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            if found := _WORKPLACE.search(line):
                yield f"{path}:{number}: {found.group()}"


def imported_packages(paths: Iterable[Path]) -> set[str]:
    """The top-level names that these files import."""
    names: set[str] = set()
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module.split(".")[0])
    return names
