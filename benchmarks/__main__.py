"""``python -m benchmarks``: measure everything, print the table, keep it."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import freshness, growth, learning, machine, report, start, traffic, wrk
from benchmarks.evaluate import rows as evaluation
from benchmarks.report import Row

BUSY = 0.5


@contextmanager
def _told(what: str) -> Iterator[None]:
    print(f"{what} ...", end=" ", flush=True)
    begun = time.monotonic()
    yield
    print(f"{time.monotonic() - begun:.0f} s", flush=True)


def main() -> None:
    """Everything, in a few minutes; about 3 GB of temporary files."""
    wrk.require()
    machine.require_two_cores()
    load = machine.load_before()
    if float(load) > BUSY:
        print(f"This machine is busy (load {load}): the figures will be worse than it can do.")
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="sartor-bench-") as name:
        folder = Path(name)
        with _told("Throughput, latency, memory and disk"):
            more, arguments, blob = traffic.measure(folder)
            rows += more
        with _told("From reward to serving model"):
            rows += freshness.measure(folder)
        with _told("Learning from the store"):
            rows += learning.measure(folder)
        with _told("Start to ready"):
            rows += start.measure(folder)
        with _told("Growth with actions, events and loops"):
            rows += growth.measure(folder, arguments, blob)
        with _told("Evaluating policies over a log"):
            rows += evaluation.measure(folder)
    kept = report.write(rows, machine.description() | {"load before": load})
    print(f"\n{report.table(rows)}\n\nKept in {kept} and {report.PAGE}.")


if __name__ == "__main__":
    main()
