"""The import contracts hold, and each of them fails on a planted violation."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.architecture.house import ROOT

CONFIG = ROOT / "pyproject.toml"
LINT = Path(sys.executable).with_name("lint-imports")
RUFF = Path(sys.executable).with_name("ruff")

PLANTED = [
    pytest.param("order", "records.py", "import sartor.ports", id="a fact that knows the ports"),
    pytest.param(
        "order", "settings.py", "import sartor.dsjson.single_slot", id="settings that know the format"
    ),
    pytest.param("order", "stores/planted.py", "import sartor.api", id="a store that knows the wire"),
    pytest.param("order", "management/planted.py", "import sartor.cli", id="management that knows its callers"),
    pytest.param("order", "transfer/planted.py", "import sartor.evaluation", id="an import that evaluates"),
    pytest.param("order", "planted.py", "import sartor.ports", id="a file outside the order"),
    pytest.param("loop", "explore/planted.py", "import sartor.log", id="a room that knows another"),
    pytest.param("loop", "learn/planted.py", "import sartor.stores", id="a room that knows the stores"),
    pytest.param("http", "access/planted.py", "import httptools", id="access control that parses HTTP"),
    pytest.param("http", "transfer/planted.py", "from sartor.api.http import server", id="a second server"),
    pytest.param(
        "circles", "log/settle.py", "import sartor.log.settler", id="two files that import each other"
    ),
    pytest.param("engine", "deploy/planted.py", "import vowpalwabbit", id="a second file on the engine"),
    pytest.param("engine", "api/planted.py", "from pylibvw import vw", id="the engine's raw bindings"),
    pytest.param("sqlite", "log/planted.py", "import sqlite3", id="SQLite outside the stores"),
]


def lint(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the contracts of this repository on the package in a folder."""
    return subprocess.run(
        [LINT, "--config", CONFIG, "--no-cache", "--no-logo", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def package(tmp_path: Path) -> Path:
    copy = tmp_path / "sartor"
    shutil.copytree(ROOT / "src" / "sartor", copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def test_the_contracts_hold_in_a_copy(package: Path) -> None:
    result = lint(package.parent)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(("contract", "file", "line"), PLANTED)
def test_a_planted_violation_is_found(contract: str, file: str, line: str, package: Path) -> None:
    with (package / file).open("a") as planted:
        planted.write(f"\n{line}\n")
    result = lint(package.parent, "--contract", contract)
    assert result.returncode == 1, result.stdout
    assert "BROKEN" in result.stdout


def test_every_contract_has_been_seen_to_fail() -> None:
    contracts = tomllib.loads(CONFIG.read_text())["tool"]["importlinter"]["contracts"]
    assert {contract["id"] for contract in contracts} == {str(case.values[0]) for case in PLANTED}


def environment_lint(file: str) -> subprocess.CompletedProcess[str]:
    """Check a line that reads the environment, as if it stood in this file."""
    return subprocess.run(
        [RUFF, "check", "--config", CONFIG, "--select", "TID251", "--stdin-filename", ROOT / file, "-"],
        input='import os\n\nHOME = os.environ["HOME"]\nUSER = os.getenv("USER")\n',
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("file", ["src/sartor/log/planted.py", "src/sartor/api/planted.py"])
def test_rooms_can_not_read_the_environment(file: str) -> None:
    result = environment_lint(file)
    assert result.returncode == 1
    assert result.stdout.count("TID251") == 2


@pytest.mark.parametrize("file", ["src/sartor/cli/planted.py", "src/sartor/service/planted.py"])
def test_entry_points_can_read_the_environment(file: str) -> None:
    assert environment_lint(file).returncode == 0
