"""The work process: what must be done and nobody waits for."""

import logging
import time
from collections.abc import Callable

from sartor.errors import SartorError
from sartor.management import erasure
from sartor.ports import Stores
from sartor.runtime.shutdown import Alarm
from sartor.service.housekeeping import Housekeeping
from sartor.service.retention_schedule import Retention
from sartor.transfer import export
from sartor.transfer.mirror_threads import Mirrors
from sartor.transfer.open_location import place

_log = logging.getLogger(__name__)
_ROUND_S = 1.0
_PURGE_S = 5.0


def run(stores: Stores, alarm: Alarm, /) -> None:
    """Keep house until the alarm rings."""
    house = Housekeeping(stores)
    mirrors, retention = Mirrors(stores, place, export.read), Retention(stores)
    purged = time.monotonic()
    while not alarm.rung:
        _attempt(house.round)
        _attempt(lambda: mirrors.round(stores.catalog.loops()))
        _attempt(lambda: retention.round(stores.catalog.loops()))
        if time.monotonic() - purged >= _PURGE_S:
            _attempt(house.purge)
            _attempt(lambda: erasure.forget_everywhere(stores))
            purged = time.monotonic()
        alarm.sleep(_ROUND_S)


def _attempt(step: Callable[[], object]) -> None:
    try:
        step()
    except SartorError as error:
        _log.warning("House-keeping failed: %s", error.message, extra={"action": "housekeeping_failed"})
