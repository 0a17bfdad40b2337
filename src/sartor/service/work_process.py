"""The work process: what must be done and nobody waits for."""

import logging
import time
from collections.abc import Callable

from sartor.errors import SartorError
from sartor.management import erasure
from sartor.ports import Stores
from sartor.runtime.shutdown import StopSignal
from sartor.service.housekeeping import Housekeeping
from sartor.service.retention_schedule import RetentionSchedule
from sartor.transfer import export
from sartor.transfer.mirror_threads import MirrorThreads
from sartor.transfer.open_location import open_location

_log = logging.getLogger(__name__)
_ROUND_S = 1.0
_PURGE_S = 5.0


def run(stores: Stores, stop_signal: StopSignal, /) -> None:
    """Keep house until the stop signal rings."""
    house = Housekeeping(stores)
    mirrors, retention = MirrorThreads(stores, open_location, export.read_joined_log), RetentionSchedule(stores)
    purged = time.monotonic()
    while not stop_signal.is_set:
        _attempt(house.run_once)
        _attempt(lambda: mirrors.run_once(stores.catalog.loops()))
        _attempt(lambda: retention.run_once(stores.catalog.loops()))
        if time.monotonic() - purged >= _PURGE_S:
            _attempt(house.purge)
            _attempt(lambda: erasure.forget_everywhere(stores))
            purged = time.monotonic()
        stop_signal.wait(_ROUND_S)


def _attempt(step: Callable[[], object]) -> None:
    try:
        step()
    except SartorError as error:
        _log.warning("House-keeping failed: %s", error.message, extra={"action": "housekeeping_failed"})
