"""What is imported is declared, what is declared is pinned, and each dependency has its reason on a page."""

import re
import sys
import tomllib

import pytest

from tests.architecture.house import ROOT, imported_packages, python_files

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PINS = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]

# Where the name of an import differs from the name of its package.
IMPORT_NAMES = {
    "azure-cognitiveservices-personalizer": {"azure", "msrest"},
    "azure-identity": {"azure"},
    "azure-keyvault-secrets": {"azure"},
    "import-linter": {"importlinter"},
    "pytest-timeout": {"pytest_timeout"},
    "pytest-xdist": {"xdist"},
    "pyyaml": {"yaml"},
    "setuptools-scm": {"setuptools_scm"},
    "types-requests": set(),
    "vowpalwabbit": {"vowpalwabbit", "pylibvw"},
}


def declared(requirements: list[str]) -> set[str]:
    """The names in a list of requirements."""
    return {re.split(r"[^A-Za-z0-9_.-]", requirement, maxsplit=1)[0].lower() for requirement in requirements}


def importable(requirements: list[str]) -> set[str]:
    """The names that these requirements make importable."""
    return {name for package in declared(requirements) for name in IMPORT_NAMES.get(package, {package})}


RUN = PROJECT["dependencies"]
DEV = PROJECT["optional-dependencies"]["dev"]
BENCH = PROJECT["optional-dependencies"]["bench"]
OPTIONAL = [
    requirement
    for extra, requirements in PROJECT["optional-dependencies"].items()
    if extra not in ("dev", "bench")
    for requirement in requirements
]


@pytest.mark.parametrize(
    ("tree", "requirements"),
    [
        pytest.param("src", RUN + OPTIONAL, id="the package"),
        pytest.param("tests", RUN + DEV, id="its tests"),
        pytest.param("benchmarks", RUN + BENCH, id="its benchmarks"),
    ],
)
def test_what_is_imported_is_declared(tree: str, requirements: list[str]) -> None:
    own = {"sartor", "tests", "benchmarks", "__future__"}
    foreign = imported_packages(python_files(tree)) - own - set(sys.stdlib_module_names)
    assert foreign - importable(requirements) == set()


# Used without an import: uvicorn finds these two by itself.
IMPLICIT = {"httptools", "uvloop"}


def test_what_the_package_declares_is_used() -> None:
    used = imported_packages(python_files("src")) | IMPLICIT
    assert [name for name in declared(RUN) if not importable([name]) & used] == []


def test_every_pin_is_exact() -> None:
    assert [pin for pin in PINS if not re.fullmatch(r"[A-Za-z0-9_.-]+==[A-Za-z0-9_.!+-]+", pin)] == []


def test_every_declared_package_is_pinned() -> None:
    pinned = {pin.split("==")[0].lower() for pin in PINS}
    assert declared(RUN + OPTIONAL + DEV + BENCH) - pinned == set()


def test_every_dependency_has_its_reason() -> None:
    page = (ROOT / "docs" / "design" / "dependencies.md").read_text()
    listed = set(re.findall(r"^\| `([a-z0-9-]+)` \|", page, re.MULTILINE))
    assert listed == declared(RUN + OPTIONAL + DEV + BENCH)
