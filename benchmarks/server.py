"""Starts a server on a free port, pins its processes to cores, and stops it at the end."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import requests

from benchmarks import machine

READY_TIMEOUT_S = 60.0


class Service(NamedTuple):
    """A running Sartor. ``pids`` are by role: supervisor, api, learn, work."""

    endpoint: str
    data: Path
    pids: Mapping[str, int]
    ready_s: float

    def sartor(self, *arguments: str) -> str:
        """Run the command line on the data of this service; returns what it printed."""
        return run_sartor(*arguments, "--data", str(self.data))

    def key(self, loop: str = "default", /) -> str:
        """The first key of a loop."""
        return str(json.loads(self.sartor("loop", "keys", loop, "--json"))["key1"])


def run_sartor(*arguments: str) -> str:
    """Run one command to its end; returns what it printed."""
    command = [sys.executable, "-m", "sartor", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


def find_free_port() -> int:
    """Returns a port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def run_service(data: Path, /, *, env: Mapping[str, str] | None = None, pins: bool = True) -> Iterator[Service]:
    """Run Sartor on a data folder: the api process on the service's core, the others on the load's.

    Args:
        data: the data folder; the log is beside it.
        env: further environment variables.
        pins: whether the processes are kept on these cores.
    """
    port = find_free_port()
    command = [sys.executable, "-m", "sartor", "serve", "--data", str(data), "--port", str(port)]
    with (
        (data.parent / f"{data.name}.log").open("a") as log,
        _run_process(command, log.fileno(), env=env) as supervisor,
    ):
        endpoint = f"http://127.0.0.1:{port}"
        ready_s = wait_until_answered(f"{endpoint}/health/ready", supervisor)
        pids = _find_roles(supervisor.pid)
        for role, pid in pids.items() if pins else ():
            core = machine.SERVICE_CORE if role == "api" else machine.LOAD_CORE
            _pin_threads(pid, core)
        yield Service(endpoint, data, pids, ready_s)


@contextmanager
def run_server(command: Sequence[str], log: Path, /, *, url: str, env: Mapping[str, str]) -> Iterator[None]:
    """Run another server on the service's core; the block starts when it answers at a URL."""
    command = machine.pin_command(machine.SERVICE_CORE, command)
    with log.open("a") as file, _run_process(command, file.fileno(), env=env) as process:
        wait_until_answered(url, process)
        yield


@contextmanager
def _run_process(
    command: Sequence[str], log: int, *, env: Mapping[str, str] | None = None
) -> Iterator["subprocess.Popen[bytes]"]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SARTOR_")}
    process = subprocess.Popen(command, stdout=log, stderr=log, env={**clean, **(env or {})})
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until_answered(url: str, process: "subprocess.Popen[bytes]", /) -> float:
    """Poll until the answer is a success; returns the seconds until then.

    Raises:
        RuntimeError: the process ended, or it took too long.
    """
    started = time.perf_counter()
    while process.poll() is None and time.perf_counter() - started < READY_TIMEOUT_S:
        try:
            if requests.get(url, timeout=5).ok:
                return time.perf_counter() - started
        except requests.RequestException:
            pass
        time.sleep(0.005)
    raise RuntimeError(f"{process.args!r} did not answer at {url}.")


def _find_roles(supervisor: int) -> dict[str, int]:
    # Children are started as `python -m sartor ROLE …`.
    roles = {machine.read_command_line(pid)[3]: pid for pid in machine.list_children(supervisor)}
    return {"supervisor": supervisor, **roles}


def _pin_threads(pid: int, core: int) -> None:
    for thread in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(thread.name), {core})
