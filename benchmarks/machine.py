"""The machine: which core does what, and its description beside the results."""

import os
import platform
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

SERVICE_CORE, LOAD_CORE = 0, 1


def require_two_cores() -> None:
    """Exit with a message if service and load generator would share a core."""
    if not {SERVICE_CORE, LOAD_CORE} <= os.sched_getaffinity(0):
        raise SystemExit("The benchmarks need two cores: one for the service, one for the load.")


def pin_command(core: int, command: Sequence[str], /) -> list[str]:
    """Returns a command that stays on one core."""
    return ["taskset", "-c", str(core), *command]


@contextmanager
def run_on_core(core: int, /) -> Iterator[None]:
    """Keep this process on one core for a while."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def list_children(pid: int, /) -> Iterator[int]:
    """The processes that a process started."""
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        yield from map(int, path.read_text().split())


def read_command_line(pid: int, /) -> list[str]:
    """The words with which a process was started."""
    return Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")


def read_memory_mib(pid: int, /) -> tuple[float, float]:
    """Resident and proportional size: the second shares out the pages that several processes use."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    kib = {name: int(size) for name, size in re.findall(r"^(Rss|Pss): +(\d+) kB", text, re.MULTILINE)}
    return kib["Rss"] / 1024, kib["Pss"] / 1024


def read_cpu_s(pid: int, /) -> float:
    """Processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def describe_machine() -> dict[str, str]:
    """Processor, cores, memory, system and the versions that matter."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    packages = {name: version(name) for name in ("sartor", "vowpalwabbit", "uvicorn", "msgspec")}
    return {
        "processor": _read_processor(),
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{pages / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release().split('-')[0]} {platform.machine()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
    } | packages


def read_load() -> str:
    """Returns the load average of the last minute; call it before anything is measured."""
    return f"{os.getloadavg()[0]:.1f}"


def _read_processor() -> str:
    found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found.group(1).strip() if found else platform.machine()
