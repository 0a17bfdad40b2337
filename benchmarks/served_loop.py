"""A loop's stores, opened beside the running service: to look into them, and to fill them directly."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.workload import decisions
from sartor.management import loops
from sartor.ports import Loop, LoopStores, Stores
from sartor.records import Model
from sartor.runtime.compose import open_stores
from sartor.times import now_us

BATCH = 5_000


@contextmanager
def opened(data: Path, name: str = "default", /) -> Iterator[tuple[Stores, Loop, LoopStores]]:
    """The stores of a data folder, and those of one loop in it."""
    stores = open_stores(str(data))
    loop = loops.find_loop(stores, name)
    with loops.open_loop(stores, loop) as logs:
        yield stores, loop, logs


def set_settings(data: Path, name: str = "default", /, **changes: object) -> None:
    """Change settings of a loop, under their names on the wire."""
    loops.change_settings(open_stores(str(data)), name, changes)


def give_model(loop: Loop, logs: LoopStores, blob: bytes, /) -> None:
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


def fill(logs: LoopStores, count: int, /) -> None:
    """Store this many decisions."""
    for first in range(0, count, BATCH):
        logs.events.append(decisions(min(BATCH, count - first), first=first))


def size_bytes(folder: Path, /) -> int:
    """What a folder takes on disk."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def wait_for_model(data: Path, /, *, learned: int, timeout_s: float = 60.0) -> tuple[str, bytes]:
    """Wait until the live model has learned so many outcomes; returns its arguments and its bytes.

    Raises:
        RuntimeError: it did not come.
    """
    with opened(data) as (_, _, logs):
        until = time.monotonic() + timeout_s
        while time.monotonic() < until:
            model = logs.models.live()
            if model is not None and model.learned >= learned:
                return model.arguments, logs.models.blob(model.model_id)
            time.sleep(0.05)
    raise RuntimeError(f"No model has learned {learned} outcomes within {timeout_s} s.")
