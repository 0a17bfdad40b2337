"""Runs wrk, the load generator, at the highest rate of one core."""

import shutil
import subprocess
from pathlib import Path

import msgspec
from msgspec import Struct

from benchmarks import machine

SCRIPT = Path(__file__).with_name("post.lua")


class Load(Struct, frozen=True, kw_only=True):
    """The result of a run. ``refused``: answers of 400 and above; ``broken``: failed or timed-out sockets."""

    requests: int
    duration_us: int
    refused: int
    broken: int
    p50_us: int
    p99_us: int

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self.requests / self.duration_us * 1e6


def require_wrk() -> None:
    """Exit with a message if wrk is not installed."""
    if shutil.which("wrk") is None:
        raise SystemExit("The benchmarks need the load generator wrk. On Debian and Ubuntu: apt install wrk")


def run_load(
    endpoint: str,
    path: str,
    bodies: Path,
    /,
    *,
    key: str,
    prefix: str,
    seconds: int,
    ids: int = 1_000_000_000,
    connections: int = 32,
) -> Load:
    """Post bodies for the given seconds from the load generator's core.

    Raises:
        RuntimeError: an answer was not a success, so the rate means nothing.
    """
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(SCRIPT), endpoint, "--"]
    command += [path, str(bodies), key, prefix, str(ids)]
    result = subprocess.run(
        machine.pin_command(machine.LOAD_CORE, command),
        capture_output=True,
        text=True,
        timeout=seconds + 30,
        check=True,
    )
    seen = msgspec.json.decode(result.stdout.splitlines()[-1], type=Load)
    if seen.refused or seen.broken or not seen.requests:
        raise RuntimeError(f"The load on {path} failed: {seen}")
    return seen
