"""The command line, called in this process, on a folder with a loop that has learned."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import pytest

from sartor.cli.app import main
from tests.unit.instance import create_trained_folder


class Result(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Sartor: TypeAlias = Callable[..., Result]


@pytest.fixture
def sartor(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Sartor:
    """Runs a command; gives its exit code and what it printed."""

    def run(*words: str) -> Result:
        monkeypatch.setattr(sys, "argv", ["sartor", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capfd.readouterr()
        return Result(int(ended.value.code or 0), out, err)

    return run


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder that is not there yet, named by the environment."""
    monkeypatch.setenv("SARTOR_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture(scope="session")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return create_trained_folder(tmp_path_factory.mktemp("learned"))


@pytest.fixture
def taught(learned: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose loop 'default' has learned 40 outcomes; not to be changed."""
    monkeypatch.setenv("SARTOR_DATA", str(learned))
    return learned
