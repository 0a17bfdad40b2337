"""The commands of the README, the tutorial and the how-to pages, run against a service as a reader would.

All ``sh`` blocks of a page make one script. ``sartor serve`` is started by the test; lines that would install
something are left out, and what ``make`` is told is checked elsewhere.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.docs.pages import DOCS, ROOT, blocks

SCRIPTED = [ROOT / "README.md", DOCS / "tutorial.md", *sorted((DOCS / "how-to").glob("*.md"))]
LEFT_OUT = re.compile(r"sartor serve|make \w+|python3 -m venv \S+|\S+/pip install .+")
PRINTED = "http://127.0.0.1:5000"
START = """set -euo pipefail
curl() { command curl --silent --show-error --fail "$@"; }
set -x
"""

pytestmark = pytest.mark.skipif(
    not (shutil.which("bash") and shutil.which("curl")), reason="the pages need bash and curl to be run"
)


def environment(port: int) -> dict[str, str]:
    """A shell in which ``sartor`` and ``python3`` are those of this environment, and nothing else is set."""
    foreign = ("SARTOR_", "PERSONALIZER_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return kept | {"PATH": path, "SARTOR_PORT": str(port), "SARTOR_OWNER_KEY": "an owner key for the pages"}


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """The port of a fresh service whose folder is ``tmp_path/sartor-data``."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number = int(free.getsockname()[1])
    with (tmp_path / "serve.log").open("w") as log:
        command = [sys.executable, "-m", "sartor", "serve"]
        service = subprocess.Popen(command, cwd=tmp_path, env=environment(number), stdout=log, stderr=log)
        try:
            _wait_until_ready(number, service)
            yield number
        finally:
            service.send_signal(signal.SIGTERM)
            service.wait(timeout=15)


def _wait_until_ready(port: int, service: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + 30
    while service.poll() is None and time.monotonic() < until:
        try:
            if requests.get(f"http://127.0.0.1:{port}/health/ready", timeout=2).ok:
                return
        except requests.RequestException:
            time.sleep(0.02)
    raise AssertionError("the service did not become ready")


def script(page: Path, port: int) -> str:
    """What a reader of the page would type."""
    typed = "\n".join(block.text for block in blocks(page) if block.language == "sh")
    lines = [line for line in typed.splitlines() if not LEFT_OUT.fullmatch(line)]
    return START + "\n".join(lines).replace(PRINTED, f"http://127.0.0.1:{port}") + "\n"


@pytest.mark.timeout(120)
@pytest.mark.parametrize("page", [pytest.param(page, id=str(page.relative_to(ROOT))) for page in SCRIPTED])
def test_the_commands_of_a_page_run(page: Path, port: int, tmp_path: Path) -> None:
    text = script(page, port)
    assert "sartor " in text
    result = subprocess.run(
        ["bash"],
        input=text,
        cwd=tmp_path,
        env=environment(port),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_command_that_fails_is_noticed(port: int, tmp_path: Path) -> None:
    text = START + f"curl http://127.0.0.1:{port}/no-such-page\necho unreached\n"
    result = subprocess.run(
        ["bash"], input=text, cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False
    )
    assert result.returncode != 0
    assert "unreached" not in result.stdout
