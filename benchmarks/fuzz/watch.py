"""What is seen of the service from outside: its processes, their memory, its log."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from benchmarks import machine


class Processes(NamedTuple):
    """The processes of a service by role: ids, and resident memory in MB."""

    pids: Mapping[str, int]
    rss_mb: Mapping[str, float]


def look(supervisor: int, /) -> Processes:
    """Look at the processes of a service now."""
    pids = {machine.read_command_line(pid)[3]: pid for pid in machine.list_children(supervisor)}
    pids = {"supervisor": supervisor, **pids}
    return Processes(pids, {role: _read_rss_mb(pid) for role, pid in pids.items()})


def _read_rss_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


_GREETINGS = ("Sartor is ready at ", "Keys of a loop: ")
"""What begins the lines that ``sartor serve`` prints for people."""


def read_errors(log: Path, /) -> list[str]:
    """The lines of a log in JSON that are errors, or no JSON: a traceback, for example."""
    found = []
    for line in log.read_text(errors="replace").splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            if not line.startswith(_GREETINGS):
                found.append(line)
            continue
        if entry.get("level") in ("ERROR", "CRITICAL"):
            found.append(line)
    return found
