"""The JavaScript clients: installed at first use, exactly as the lock file says, and called through node."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
FOLDER = HERE.parents[2] / "build" / "javascript-clients"
MODULES = FOLDER / "node_modules"
_MANIFESTS = ("package.json", "package-lock.json")
_INSTALL = ("ci", "--ignore-scripts", "--no-audit", "--no-fund")


def node() -> str:
    """The path of node, with the clients installed; skips, and says why, where that can't be had."""
    found, installer = shutil.which("node"), shutil.which("npm")
    if found is None or installer is None:
        pytest.skip("THE JAVASCRIPT CLIENTS WERE NOT TESTED: node and npm are not installed here")
    if not _is_installed():
        _install(installer)
    return found


def environment() -> dict[str, str]:
    """The environment in which node finds the clients."""
    return {**os.environ, "NODE_PATH": str(MODULES), "NODE_NO_WARNINGS": "1"}


def version(package: str) -> str:
    """The version of an installed package."""
    found: str = json.loads((MODULES / package / "package.json").read_text(encoding="utf-8"))["version"]
    return found


def _is_installed() -> bool:
    stamp = FOLDER / "installed"
    return stamp.exists() and stamp.read_bytes() == (HERE / _MANIFESTS[1]).read_bytes()


def _install(installer: str) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in _MANIFESTS:
        shutil.copy(HERE / name, FOLDER / name)
    try:
        done = subprocess.run(
            [installer, *_INSTALL], cwd=FOLDER, capture_output=True, text=True, timeout=50, check=False
        )
    except subprocess.TimeoutExpired:
        pytest.skip("THE JAVASCRIPT CLIENTS WERE NOT TESTED: npm did not install them in time")
    if done.returncode:
        pytest.skip(f"THE JAVASCRIPT CLIENTS WERE NOT TESTED: npm could not install them: {done.stderr[-300:]}")
    shutil.copy(HERE / _MANIFESTS[1], FOLDER / "installed")


class Driver:
    """A node process that makes the calls it is told to, one after the other."""

    def __init__(self, script: str) -> None:
        self._process = subprocess.Popen(
            [node(), str(HERE / script)],
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )

    def call(self, **request: object) -> dict[str, Any]:
        """Make one call; returns what the script says of it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "node ended early; its error output is above"
        reply: dict[str, Any] = json.loads(line)
        return reply

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()
