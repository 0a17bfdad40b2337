"""After an import: settles the decisions, and learns a model from them.

Outcomes have a single writer. Where no service runs, this process acts as its learn process; where one runs,
its learn process is waited for.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sartor.errors import DataFolderInUse
from sartor.learn.trainer import Trainer
from sartor.log.settler import Settler
from sartor.ports import EngineFactory, EventLog, Loop, LoopStores
from sartor.records import DecisionHeader
from sartor.runtime.instance_lock import InstanceLock
from sartor.times import now_us

_BATCH = 5_000
_POLL_S = 0.1
_PATIENCE_S = 30.0
"""Seconds without progress after which the service is no longer waited for."""

OnProgress = Callable[[int, int], None]
"""Called with the number of outcomes so far and in the end."""


@contextmanager
def hold_instance(folder: Path, /) -> Iterator[bool]:
    """Holds the data folder as a service would; yields False if a service has it."""
    instance = InstanceLock(folder)
    try:
        with instance.only_supervisor(), instance.only_learner(patience_s=0.0):
            yield True
            return
    except DataFolderInUse:
        pass
    yield False


def settle_imported(loop: Loop, logs: LoopStores, /, *, on_progress: OnProgress) -> None:
    """Records the outcomes of imported decisions, and what else is due. ``hold_instance`` must be held."""
    last = logs.events.horizon().decisions
    settler = Settler(logs.events, logs.outcomes)
    while settler.step(loop.settings, settings_version=loop.version, limit=_BATCH):
        on_progress(logs.outcomes.counts().last_outcome, last)


def learn_imported(loop: Loop, logs: LoopStores, factory: EngineFactory, /, *, on_progress: OnProgress) -> int:
    """Learns what was settled; returns how many outcomes were learned. ``hold_instance`` must be held."""
    last = logs.outcomes.counts().last_outcome
    trainer = Trainer(logs.events, logs.outcomes, logs.models, factory)
    learned = 0
    try:
        for step in range(math.ceil(last / _BATCH) + 1):
            learned += trainer.step(loop, now_us=now_us(), limit=_BATCH)
            on_progress(min(last, (step + 1) * _BATCH), last)
    finally:
        trainer.close()
    return learned


def wait_until_settled(logs: LoopStores, /, *, on_progress: OnProgress) -> bool:
    """Waits until the service has recorded the outcomes of imported decisions; False: it makes no progress."""
    head = _last_imported(logs.events)
    if head is None:
        return True
    last = logs.events.horizon().decisions
    count, until = -1, 0.0
    while not _is_settled(logs, head):
        now = logs.outcomes.counts().last_outcome
        if now != count:
            count, until = now, time.monotonic() + _PATIENCE_S
            on_progress(count, last)
        if time.monotonic() > until:
            return False
        time.sleep(_POLL_S)
    return True


def _is_settled(logs: LoopStores, head: DecisionHeader) -> bool:
    return logs.outcomes.find_outcome(head.seq) is not None


def _last_imported(events: EventLog) -> DecisionHeader | None:
    horizon = events.horizon()
    last = horizon.decisions
    while last >= horizon.first_decision:
        after = max(horizon.first_decision - 1, last - _BATCH)
        for head in reversed(events.heads(after=after, limit=last - after)):
            if head.outcome is not None:
                return head
        last = after
    return None
