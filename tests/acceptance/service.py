"""A real ``sartor serve`` for the tests: on a free port, in a folder of its own, killed when the test ends."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.acceptance.client import Client

SARTOR = (sys.executable, "-m", "sartor")


def eventually(condition: Callable[[], object], what: str, *, within_s: float = 10.0) -> None:
    """Poll until a condition holds; fail when it does not in time."""
    until = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < until, f"not within {within_s} s: {what}"
        time.sleep(0.02)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Service:
    """One instance. It can be stopped, killed and started again on the same folder and port."""

    def __init__(self, folder: Path, *flags: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self._flags = flags
        self.process: subprocess.Popen[str] | None = None
        self.log = folder.with_suffix(".log")
        self.said = folder.with_suffix(".out")

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def start(self) -> "Service":
        """Start, and wait until it is ready."""
        self.spawn()
        eventually(self.is_ready, f"ready; {self.log.read_text()[-2000:]}", within_s=20)
        return self

    def spawn(self) -> None:
        command = [*SARTOR, "serve", "--data", str(self.folder), "--port", str(self.port), *self._flags]
        with self.log.open("a") as log, self.said.open("a") as said:
            self.process = subprocess.Popen(command, stdout=said, stderr=log, text=True)

    def is_ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()[-2000:]
        return self.status("/health/ready") == 200

    def status(self, path: str) -> int | None:
        """The status of a GET; None when nobody answers."""
        try:
            return Client(self.endpoint, "").get(path)
        except OSError:
            return None

    def client(self, loop: str = "default") -> Client:
        return Client(self.endpoint, self.json("loop", "keys", loop)["key1"])

    def run(self, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Run another command on the folder, and check its exit code."""
        command = [*SARTOR, *words, "--data", str(self.folder)]
        result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert result.returncode == code, f"{words}: {result.returncode}\n{result.stdout}\n{result.stderr}"
        return result

    def json(self, *words: str) -> Any:
        return json.loads(self.run(*words, "--json").stdout)

    def set(self, *changes: str, loop: str = "default") -> None:
        self.run("loop", "set", loop, *changes)

    def pids(self, role: str = r"\w+") -> list[int]:
        """The children that are alive, of one role or of all."""
        pattern = re.compile(rf"-m sartor {role} .*{re.escape(str(self.folder))}")
        return [pid for pid, command in processes() if pattern.search(command) and " serve " not in command]

    def kill(self, role: str) -> None:
        """``kill -9`` every process of a role; "all": the supervisor first, then all the others."""
        if role == "all":
            self.kill_supervisor()
        for pid in self.pids(r"\w+" if role == "all" else role):
            _signal(pid, signal.SIGKILL)

    def kill_supervisor(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ask it to stop; returns its exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(10)

    def end(self) -> None:
        """Whatever the test left running."""
        if self.process is not None and self.process.poll() is None:
            self.kill("all")


def processes() -> Sequence[tuple[int, str]]:
    """Every process that runs: its id and its command line."""
    if not Path("/proc/self/cmdline").exists():
        table = subprocess.run(["ps", "-Ao", "pid=,args="], capture_output=True, text=True, check=True).stdout
        return [(int(pid), command) for pid, command in (line.split(None, 1) for line in table.splitlines())]
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            command = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        found.append((int(path.name), command))
    return found


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
