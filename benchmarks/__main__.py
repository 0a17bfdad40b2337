"""``python -m benchmarks``: measures everything, prints the table, writes it to files."""

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
def _timed(what: str) -> Iterator[None]:
    print(f"{what} ...", end=" ", flush=True)
    start = time.monotonic()
    yield
    print(f"{time.monotonic() - start:.0f} s", flush=True)


def main() -> None:
    """Measure everything; takes a few minutes and about 3 GB of temporary files."""
    wrk.require_wrk()
    machine.require_two_cores()
    load = machine.read_load()
    if float(load) > BUSY:
        print(f"This machine is busy (load {load}): the results will be worse than on an idle one.")
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="sartor-bench-") as name:
        folder = Path(name)
        with _timed("Throughput, latency, memory and disk"):
            more, arguments, blob = traffic.measure(folder)
            rows += more
        with _timed("From reward to serving model"):
            rows += freshness.measure(folder)
        with _timed("Learning from the store"):
            rows += learning.measure(folder)
        with _timed("Start to ready"):
            rows += start.measure(folder)
        with _timed("Growth with actions, events and loops"):
            rows += growth.measure(folder, arguments, blob)
        with _timed("Evaluating policies over a log"):
            rows += evaluation.measure(folder)
    path = report.write_results(rows, machine.describe_machine() | {"load before": load})
    print(f"\n{report.format_table(rows)}\n\nWritten to {path} and {report.PAGE}.")


if __name__ == "__main__":
    main()
