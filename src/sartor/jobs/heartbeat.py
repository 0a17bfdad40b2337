"""A sign of life: a job's progress, told every second, and the end of the process when nobody wants the job."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec.structs import replace

from sartor.errors import StoreUnavailable
from sartor.evaluation.run import read_progress
from sartor.jobs.worker import LEASE_US
from sartor.management import loops
from sartor.ports import Loop
from sartor.records import Job
from sartor.runtime import compose
from sartor.times import now_us

_FIRST_S, _EVERY_S = 0.2, 1.0
_ALMOST = 0.99
"""What is told at most before there is a result."""


@contextmanager
def keep_alive(where: str, loop: Loop, job: Job, progress: Path, /) -> Iterator[None]:
    """Renew the lease of a job and tell its progress for as long as this is entered.

    A job that was canceled, deleted or given to another ends this process and all that it started.
    """
    stop = threading.Event()
    thread = threading.Thread(
        target=_beat, args=(where, loop, job, progress, stop), name="heartbeat", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _beat(where: str, loop: Loop, job: Job, progress: Path, stop: threading.Event) -> None:
    with compose.open_instance(where) as stores, loops.open_loop(stores, loop) as logs:
        silent_since_s, told = time.monotonic(), False
        while not stop.wait(_EVERY_S if told else _FIRST_S):
            told = True
            try:
                kept = logs.jobs.update(_alive(job, read_progress(progress)))
            except StoreUnavailable:
                kept = time.monotonic() - silent_since_s < LEASE_US / 2e6
            else:
                silent_since_s = time.monotonic()
            if not kept:
                os.killpg(os.getpgid(0), signal.SIGKILL)


def _alive(job: Job, share: float) -> Job:
    lease_until_us = now_us() + LEASE_US
    return replace(job, progress=min(_ALMOST, share), lease_until_us=lease_until_us)
