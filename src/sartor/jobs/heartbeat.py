"""Renews the lease of a running job with its progress every second, and ends the process of an unwanted job."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec.structs import replace

from sartor.errors import StoreUnavailable
from sartor.evaluation.progress import read_progress
from sartor.jobs.worker import LEASE_US
from sartor.management import loops
from sartor.ports import Loop
from sartor.records import Job
from sartor.runtime import compose
from sartor.times import now_us

_FIRST_S, _EVERY_S = 0.2, 1.0
_ALMOST = 0.99
"""The highest progress before there is a result."""


@contextmanager
def keep_alive(where: str, loop: Loop, job: Job, progress: Path, /) -> Iterator[None]:
    """Renew the lease of a job and write its progress while the context is entered.

    A job that was canceled, deleted or given to another ends this process and all that it started.
    """
    stop = threading.Event()
    thread = threading.Thread(
        target=_send_heartbeats, args=(where, loop, job, progress, stop), name="heartbeat", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _send_heartbeats(where: str, loop: Loop, job: Job, progress: Path, stop: threading.Event) -> None:
    with compose.open_instance(where) as stores, loops.open_loop(stores, loop) as logs:
        renewed_s, is_first, reached = time.monotonic(), True, 0.0
        while not stop.wait(_FIRST_S if is_first else _EVERY_S):
            is_first = False
            reached = max(reached, min(_ALMOST, read_progress(progress)))  # a part may be computed again
            try:
                is_held = logs.jobs.update(_renew(job, reached))
            except StoreUnavailable:
                is_held = time.monotonic() - renewed_s < LEASE_US / 2e6
            else:
                renewed_s = time.monotonic()
            if not is_held:
                os.killpg(os.getpgid(0), signal.SIGKILL)


def _renew(job: Job, progress: float) -> Job:
    return replace(job, progress=progress, lease_until_us=now_us() + LEASE_US)
