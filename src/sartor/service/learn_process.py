"""The learn process: settles and learns every loop of the instance, one after the other."""

import logging
import time
from collections.abc import Iterable

from sartor.errors import SartorError
from sartor.ports import EngineFactory, Loop, Stores
from sartor.runtime.shutdown import Alarm
from sartor.service.loop_learner import Lane

_log = logging.getLogger(__name__)
_LONGEST_SLEEP_S = 0.1
_CATALOG_PAUSE_S = 1.0


class Learner:
    """The lanes of all loops. New loops, changed settings and deleted loops are seen at the next round."""

    def __init__(self, stores: Stores, factory: EngineFactory) -> None:
        self._stores = stores
        self._factory = factory
        self._lanes: dict[str, Lane] = {}
        self._seen: int | None = None

    def run(self, alarm: Alarm, /) -> None:
        """Learn until the alarm rings."""
        while not alarm.rung:
            alarm.sleep(self.round())
        self.close()

    def round(self) -> float:
        """Visit every lane that is due; returns how many seconds to sleep."""
        try:
            self._follow_catalog()
        except SartorError as error:
            _log.error("The loops can't be read: %s", error, extra={"action": "catalog_unreadable"})
            return _CATALOG_PAUSE_S
        now_s = time.monotonic()
        for lane in self._lanes.values():
            if lane.due_s <= now_s:
                lane.step(now_s=time.monotonic())
        return self._pause_s()

    def _pause_s(self) -> float:
        due_s = min((lane.due_s for lane in self._lanes.values()), default=float("inf"))
        return max(0.0, min(_LONGEST_SLEEP_S, due_s - time.monotonic()))

    def _follow_catalog(self) -> None:
        version = self._stores.catalog.version()
        if version != self._seen:
            self._reconcile(self._stores.catalog.loops())
            self._seen = version

    def _reconcile(self, loops: Iterable[Loop]) -> None:
        present = {loop.loop_id: loop for loop in loops}
        for loop_id in self._lanes.keys() - present.keys():
            self._lanes.pop(loop_id).close()
        for loop_id, loop in present.items():
            if loop_id not in self._lanes:
                self._lanes[loop_id] = Lane(self._stores, self._factory, loop)
            self._lanes[loop_id].follow(loop)

    def close(self) -> None:
        """Release every lane."""
        for lane in self._lanes.values():
            lane.close()
        self._lanes.clear()
