"""A wheel, installed into an environment of its own and started in an empty folder, as by ``pip install``.

The environment sees the dependencies of this one but not its source tree, so no test here needs a network, and
none shows that the declared dependencies suffice: ``tests/architecture/test_dependencies.py`` compares them
with what is imported, and the job ``wheel`` of the workflow installs them from an index.
"""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.client import Client
from tests.acceptance.service import eventually, free_port
from tests.architecture.house import ROOT

SOURCES = ROOT / "src" / "sartor"
BUILT_FROM = ("pyproject.toml", "README.md", "LICENSE")
VERSION = "7.8.9"


def run(*command: str | Path, folder: Path, **environment: str) -> str:
    """Run a command to its end; returns what it printed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SARTOR_", "PYTHON"))}
    done = subprocess.run(
        command, cwd=folder, env=kept | environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of this source, built offline from a copy."""
    copy = tmp_path_factory.mktemp("source")
    shutil.copytree(SOURCES, copy / "src" / "sartor", ignore=shutil.ignore_patterns("__pycache__"))
    for name in BUILT_FROM:
        shutil.copy(ROOT / name, copy)
    flags = ("--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check")
    command = (sys.executable, "-m", "pip", "wheel", *flags, "--wheel-dir", "dist", ".")
    run(*command, folder=copy, SETUPTOOLS_SCM_PRETEND_VERSION=VERSION)
    return next((copy / "dist").glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ``bin`` folder of a new environment with the wheel in it."""
    environment = tmp_path_factory.mktemp("clean") / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", environment, folder=environment.parent)
    pip = (
        sys.executable,
        "-m",
        "pip",
        "--python",
        environment / "bin" / "python",
        "--disable-pip-version-check",
    )
    run(*pip, "install", "--quiet", "--no-deps", "--no-index", wheel, folder=environment.parent)
    # A path in a .pth file is searched, but the .pth files in it, which lead to the source tree, are not read.
    packages = next((environment / "lib").glob("python*/site-packages"))
    (packages / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return environment / "bin"


def test_it_is_named_after_its_version(wheel: Path) -> None:
    assert wheel.name == f"sartor-{VERSION}-py3-none-any.whl"


def test_it_holds_the_whole_package_and_nothing_else(wheel: Path) -> None:
    kept = {str(path.relative_to(SOURCES.parent)) for path in SOURCES.rglob("*") if path.is_file()}
    kept = {name for name in kept if "__pycache__" not in name}
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert held == kept
    for kind in (".py", ".sql", ".html", ".css", "py.typed"):
        assert any(name.endswith(kind) for name in held), kind


def test_it_holds_its_licence_and_its_command(wheel: Path) -> None:
    about = f"sartor-{VERSION}.dist-info"
    with zipfile.ZipFile(wheel) as archive:
        assert archive.read(f"{about}/licenses/LICENSE") == (ROOT / "LICENSE").read_bytes()
        assert b"sartor = sartor.__main__:main" in archive.read(f"{about}/entry_points.txt")


def test_the_source_tree_is_out_of_sight(installed: Path, tmp_path: Path) -> None:
    where = run(installed / "python", "-c", "import sartor; print(sartor.__file__)", folder=tmp_path)
    assert Path(where.strip()).is_relative_to(installed.parent)


def test_it_prints_its_version(installed: Path, tmp_path: Path) -> None:
    assert run(installed / "sartor", "--version", folder=tmp_path) == f"sartor {VERSION}\n"


class FirstRun:
    """``sartor serve`` as typed in an empty folder, on a free port."""

    def __init__(self, installed: Path, folder: Path) -> None:
        self.sartor = installed / "sartor"
        self.folder = folder
        self.endpoint = f"http://127.0.0.1:{free_port()}"
        self._said = folder.with_suffix(".out")
        self.said = ""
        self._process = self._start()

    def wait_until_ready(self) -> "FirstRun":
        """Until it has said what to do next."""
        eventually(lambda: "Stop with Ctrl-C" in self._said.read_text(), "its first words", within_s=30)
        self.said = self._said.read_text()
        return self

    def _start(self) -> "subprocess.Popen[bytes]":
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("SARTOR_", "PYTHON"))}
        kept["SARTOR_PORT"] = self.endpoint.rpartition(":")[2]
        with self._said.open("wb") as said:
            return subprocess.Popen([self.sartor, "serve"], cwd=self.folder, env=kept, stdout=said, stderr=said)

    def command(self, *words: str) -> str:
        """What another command prints that is typed in the same folder."""
        return run(self.sartor, *words, folder=self.folder)

    def stop(self) -> int:
        """Ask it to stop; its exit code."""
        self._process.terminate()
        return self._process.wait(15)


@pytest.fixture(scope="module")
def first_run(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FirstRun]:
    folder = tmp_path_factory.mktemp("first") / "empty"
    folder.mkdir()
    started = FirstRun(installed, folder)
    try:
        yield started.wait_until_ready()
    finally:
        code = started.stop()
    assert code == 0


def test_its_first_words_say_where_it_is_and_what_its_keys_are(first_run: FirstRun) -> None:
    assert first_run.said.count(first_run.endpoint) >= 4
    assert str(first_run.folder / "sartor-data") in first_run.said
    key = re.search(r"key1 +([0-9a-f]{32})\n", first_run.said)
    assert key
    assert "sartor loop keys default" in first_run.said
    assert key[1] in first_run.command("loop", "keys", "default")


def test_its_first_words_hold_a_request_that_works(first_run: FirstRun) -> None:
    rank, reward = (line.strip() for line in first_run.said.splitlines() if line.strip().startswith("curl "))
    answers = [run("sh", "-c", f"{line} --fail --silent", folder=first_run.folder) for line in (rank, reward)]
    assert '"rewardActionId"' in answers[0]


def test_its_first_words_lead_to_the_description_and_the_commands(first_run: FirstRun) -> None:
    assert f"{first_run.endpoint}/docs" in first_run.said
    assert Client(first_run.endpoint, "").get("/docs") == 200
    assert "sartor --help" in first_run.said
    assert "Usage: sartor" in first_run.command("--help")


def test_its_first_words_lead_to_a_loop_that_learns(first_run: FirstRun) -> None:
    suggested = re.findall(r"^  sartor (loop set .*|lab .*)$", first_run.said, re.MULTILINE)
    assert [words.split()[0] for words in suggested] == ["loop", "lab"]
    first_run.command(*suggested[0].split())
    first_run.command(*suggested[1].split(), "--iterations", "20")
    assert "live model" in first_run.command("loop", "show", "default")
