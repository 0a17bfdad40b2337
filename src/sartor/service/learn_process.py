"""The learn process: settles and learns every loop of the instance, one after the other."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence

from sartor.errors import SartorError
from sartor.ports import EngineFactory, Loop, Stores
from sartor.problems import Problem
from sartor.runtime.for_each_loop import LoopVisits, for_each_loop
from sartor.runtime.progress_reporter import ProgressReporter
from sartor.runtime.report_once import ReportOnce
from sartor.runtime.shutdown import StopSignal
from sartor.service.loop_learner import VISIT_S, LoopLearner

_log = logging.getLogger(__name__)
_LONGEST_SLEEP_S = 0.1
_CATALOG_PAUSE_S = 1.0


class LearnProcess:
    """The learners of all loops. New loops, changed settings and deleted loops are seen at the next round."""

    def __init__(
        self, stores: Stores, factory: EngineFactory, /, *, clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        """Nothing is opened yet; ``clock_s`` is monotonic: by it loops are due, and time is shared out."""
        self._clock_s = clock_s
        self._stores = stores
        self._factory = factory
        self._loops: Sequence[Loop] = ()
        self._learners: dict[str, LoopLearner] = {}
        self._version: int | None = None
        self._visits = LoopVisits("learning_failed", rotates=False)
        self._catalog_report = ReportOnce("The loops can't be read", action="catalog_unreadable")
        self._reporter = ProgressReporter(stores.reports, "learn")

    def run(self, stop_signal: StopSignal, /) -> None:
        """Learn until the stop signal is set."""
        self._reporter.start()
        while not stop_signal.is_set:
            stop_signal.wait(self.run_once())
        self.close()
        self._reporter.close()

    def run_once(self) -> float:
        """Visit every loop that is due; returns how many seconds to sleep."""
        pause_s = self._run_round()
        self._reporter.note_progress(self.find_problems)
        return pause_s

    def _run_round(self) -> float:
        try:
            self._follow_catalog()
        except SartorError as error:
            self._catalog_report.note_failure(error)
            return _CATALOG_PAUSE_S
        self._catalog_report.note_success()
        turns = self._give_turns(self._clock_s())
        for_each_loop(self._loops, self._step, visits=self._visits, is_due=lambda loop: loop.loop_id in turns)
        return self._pause_s()

    def _give_turns(self, now_s: float) -> set[str]:
        """The loops that are visited in this round: those that are due, and did not take more than their share.

        Each gets credit for a visit; one that owes time waits until its credit has made up for it. Where all
        that are due owe some, nobody waits for it: the time up to the first visit is skipped.
        """
        due = {loop_id: one for loop_id, one in self._learners.items() if one.due_s <= now_s}
        skipped_s = max(0.0, -max((one.credit_s for one in due.values()), default=0.0))
        for one in due.values():
            one.credit_s = min(VISIT_S, one.credit_s + skipped_s + VISIT_S)
        return {loop_id for loop_id, one in due.items() if one.credit_s > 0}

    def _step(self, loop: Loop) -> None:
        self._reporter.note_start(loop.name)
        self._learners[loop.loop_id].step()
        self._reporter.note_progress()

    def find_problems(self) -> list[Problem]:
        """Finds what keeps this process, or a loop, from settling and learning."""
        return [
            *self._catalog_report.find_problems(),
            *self._visits.find_problems("Settling and learning failed"),
            *self._find_reported(),
        ]

    def _find_reported(self) -> Iterator[Problem]:
        """What the learners of the loops say themselves, whether or not a step fails."""
        for loop in self._loops:
            if loop.loop_id in self._learners:
                yield from self._learners[loop.loop_id].find_problems()

    def _pause_s(self) -> float:
        due_s = min((learner.due_s for learner in self._learners.values()), default=float("inf"))
        return max(0.0, min(_LONGEST_SLEEP_S, due_s - self._clock_s()))

    def _follow_catalog(self) -> None:
        version = self._stores.catalog.version()
        if version != self._version:
            self._reconcile(self._stores.catalog.loops())
            self._version = version

    def _reconcile(self, loops: Sequence[Loop]) -> None:
        for loop_id in self._learners.keys() - {loop.loop_id for loop in loops}:
            _close(self._learners.pop(loop_id))
        for loop in loops:
            if loop.loop_id not in self._learners:
                learner = LoopLearner(self._stores, self._factory, loop, clock_s=self._clock_s)
                self._learners[loop.loop_id] = learner
            self._learners[loop.loop_id].follow(loop)
        self._loops = loops

    def close(self) -> None:
        """Release the stores and the engine of every loop."""
        for learner in self._learners.values():
            _close(learner)
        self._learners.clear()


def _close(learner: LoopLearner) -> None:
    try:
        learner.close()
    except Exception as error:  # whatever is wrong with one loop, the others are closed
        extra = {"action": "learner_not_closed", "loop": learner.name}
        _log.error("The learner of a loop could not be closed: %s", error, extra=extra, exc_info=error)
