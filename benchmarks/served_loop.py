"""Opens a loop's stores beside the running service, to read them and to fill them directly."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.workload import build_decisions
from sartor.management import loops
from sartor.ports import Loop, LoopStores, Stores
from sartor.records import Model
from sartor.runtime.compose import open_stores
from sartor.times import now_us

BATCH = 5_000


@contextmanager
def open_loop(data: Path, name: str = "default", /) -> Iterator[tuple[Stores, Loop, LoopStores]]:
    """Open the stores of a data folder, and those of one loop in it, for the length of the block."""
    stores = open_stores(str(data))
    loop = loops.find_loop(stores, name)
    with loops.open_loop(stores, loop) as logs:
        yield stores, loop, logs


def set_settings(data: Path, name: str = "default", /, **changes: object) -> None:
    """Change settings of a loop, under their names on the wire."""
    loops.change_settings(open_stores(str(data)), name, changes)


def publish_model(loop: Loop, logs: LoopStores, blob: bytes, /) -> None:
    """Make a model the live one, as if this loop had started with it."""
    model = Model(
        model_id="given",
        parent_id=None,
        arguments=loop.arguments,
        settings_version=loop.version,
        first_outcome=1,
        last_outcome=0,
        learned=0,
        created_at_us=now_us(),
    )
    logs.models.publish(model, blob, live=True)


def append_decisions(logs: LoopStores, count: int, /) -> None:
    """Append this many decisions to the log."""
    for first in range(0, count, BATCH):
        logs.events.append(build_decisions(min(BATCH, count - first), first=first))


def measure_folder_bytes(folder: Path, /) -> int:
    """Returns the size of all files in a folder, in bytes."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def wait_for_model(data: Path, /, *, learned: int, timeout_s: float = 60.0) -> tuple[str, bytes]:
    """Wait until the live model has learned this many outcomes; returns its arguments and its bytes.

    Raises:
        RuntimeError: no such model was published in time.
    """
    with open_loop(data) as (_, _, logs):
        until = time.monotonic() + timeout_s
        while time.monotonic() < until:
            model = logs.models.live()
            if model is not None and model.learned >= learned:
                return model.arguments, logs.models.blob(model.model_id)
            time.sleep(0.05)
    raise RuntimeError(f"No model has learned {learned} outcomes within {timeout_s} s.")
