"""The learn process: settles and learns every loop of the instance, one after the other."""

import logging
import time
from collections.abc import Iterable

from sartor.errors import SartorError
from sartor.ports import EngineFactory, Loop, Stores
from sartor.runtime.shutdown import StopSignal
from sartor.service.loop_learner import LoopLearner

_log = logging.getLogger(__name__)
_LONGEST_SLEEP_S = 0.1
_CATALOG_PAUSE_S = 1.0


class LearnProcess:
    """The lanes of all loops. New loops, changed settings and deleted loops are seen at the next round."""

    def __init__(self, stores: Stores, factory: EngineFactory) -> None:
        self._stores = stores
        self._factory = factory
        self._learners: dict[str, LoopLearner] = {}
        self._seen: int | None = None

    def run(self, stop_signal: StopSignal, /) -> None:
        """Learn until the stop signal rings."""
        while not stop_signal.is_set:
            stop_signal.wait(self.run_once())
        self.close()

    def run_once(self) -> float:
        """Visit every lane that is due; returns how many seconds to sleep."""
        try:
            self._follow_catalog()
        except SartorError as error:
            _log.error("The loops can't be read: %s", error, extra={"action": "catalog_unreadable"})
            return _CATALOG_PAUSE_S
        now_s = time.monotonic()
        for learner in self._learners.values():
            if learner.due_s <= now_s:
                learner.step(now_s=time.monotonic())
        return self._pause_s()

    def _pause_s(self) -> float:
        due_s = min((learner.due_s for learner in self._learners.values()), default=float("inf"))
        return max(0.0, min(_LONGEST_SLEEP_S, due_s - time.monotonic()))

    def _follow_catalog(self) -> None:
        version = self._stores.catalog.version()
        if version != self._seen:
            self._reconcile(self._stores.catalog.loops())
            self._seen = version

    def _reconcile(self, loops: Iterable[Loop]) -> None:
        present = {loop.loop_id: loop for loop in loops}
        for loop_id in self._learners.keys() - present.keys():
            self._learners.pop(loop_id).close()
        for loop_id, loop in present.items():
            if loop_id not in self._learners:
                self._learners[loop_id] = LoopLearner(self._stores, self._factory, loop)
            self._learners[loop_id].follow(loop)

    def close(self) -> None:
        """Release every lane."""
        for learner in self._learners.values():
            learner.close()
        self._learners.clear()
