"""The learn process: settles and learns every loop of the instance, one after the other."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence

from sartor.errors import SartorError
from sartor.ports import EngineFactory, Loop, Stores
from sartor.problems import Problem
from sartor.runtime.followed_loops import FollowedLoops
from sartor.runtime.for_each_loop import NOT_SEEN, LoopVisits
from sartor.runtime.progress_reporter import ProgressReporter
from sartor.runtime.report_once import ReportOnce
from sartor.runtime.shutdown import StopSignal
from sartor.service.due_loops import DueLoops
from sartor.service.loop_learner import VISIT_S, LoopLearner

_log = logging.getLogger(__name__)
_LONGEST_SLEEP_S = 0.1
_CATALOG_PAUSE_S = 1.0

LOOKS_PER_S = 2_000
"""How many looks a second, at most, are given to loops that have no work: each takes about 20 µs."""

_LONGEST_QUIET_S = 2.0

_NEW_S = 0.2
"""For how long a round opens loops. Those that are open wait for it."""

_LOOKS = 200
"""How many loops that wait to be opened a round looks at."""


class LearnProcess:
    """The learners of all loops. New loops, changed settings and deleted loops are seen at the next round."""

    def __init__(
        self, stores: Stores, factory: EngineFactory, /, *, clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        """Nothing is opened yet; ``clock_s`` is monotonic: by it loops are due, and time is shared out."""
        self._clock_s = clock_s
        self._stores = stores
        self._factory = factory
        self._loops = FollowedLoops(stores.catalog)
        self._learners: dict[str, LoopLearner] = {}
        self._due = DueLoops()
        self._looked_at = 0
        self._visits = LoopVisits("learning_failed", stores.catalog)
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
        # Before any is visited: one that fails is not open any more, and has had its turn.
        new = [loop_id for loop_id in turns if not self._learners[loop_id].is_open]
        for loop_id in turns:
            if self._learners[loop_id].is_open:
                self._visits.visit(self._learners[loop_id].loop, self._step)
        self._visit_new(new)
        return self._pause_s()

    def _visit_new(self, turns: Sequence[str]) -> None:
        """Visit loops that were not opened yet, for a while: after a start there may be thousands.

        Those whose files were written just now come first; the others wait for the next rounds.
        """
        looked = [turns[(self._looked_at + place) % len(turns)] for place in range(min(_LOOKS, len(turns)))]
        self._looked_at += len(looked)
        lively = [loop_id for loop_id in looked if self._learners[loop_id].was_written_lately()]
        until_s = self._clock_s() + _NEW_S
        for loop_id in dict.fromkeys((*lively, *turns)):
            self._visits.visit(self._learners[loop_id].loop, self._step)
            if self._clock_s() >= until_s:
                break

    def _give_turns(self, now_s: float) -> list[str]:
        """The loops that are visited in this round: those that are due, and did not take more than their share.

        Each gets credit for a visit; one that owes time waits until its credit has made up for it. Where all
        that are due owe some, nobody waits for it: the time up to the first visit is skipped.
        """
        due = {loop_id: self._learners[loop_id] for loop_id in sorted(self._due.find(now_s))}
        skipped_s = max(0.0, -max((one.credit_s for one in due.values()), default=0.0))
        for one in due.values():
            one.credit_s = min(VISIT_S, one.credit_s + skipped_s + VISIT_S)
        return [loop_id for loop_id, one in due.items() if one.credit_s > 0]

    def _step(self, loop: Loop) -> object:
        self._reporter.note_start(loop.name)
        learner = self._learners[loop.loop_id]
        try:
            is_well = learner.step(longest_quiet_s=self._longest_quiet_s())
        finally:
            self._due.schedule(loop.loop_id, learner.due_s)
        self._reporter.note_progress()
        return None if is_well else NOT_SEEN

    def _longest_quiet_s(self) -> float:
        """How long a loop without work is left alone: with many of them, looking at each costs a processor."""
        return min(_LONGEST_QUIET_S, len(self._learners) / LOOKS_PER_S)

    def find_problems(self) -> list[Problem]:
        """Finds what keeps this process, or a loop, from settling and learning."""
        return [
            *self._catalog_report.find_problems(),
            *self._visits.find_problems("Settling and learning failed"),
            *self._find_reported(),
        ]

    def _find_reported(self) -> Iterator[Problem]:
        """What the learners of the loops say themselves, whether or not a step fails."""
        for learner in self._learners.values():
            yield from learner.find_problems()

    def _pause_s(self) -> float:
        return max(0.0, min(_LONGEST_SLEEP_S, self._due.next_s() - self._clock_s()))

    def _follow_catalog(self) -> None:
        changes = self._loops.follow()
        for loop_id in changes.gone:
            _close(self._learners.pop(loop_id))
            self._due.drop(loop_id)
            self._visits.forget(loop_id)
        for loop in changes.loops:
            learner = self._learners.get(loop.loop_id)
            if learner is None:
                learner = LoopLearner(self._stores, self._factory, loop, clock_s=self._clock_s)
                self._learners[loop.loop_id] = learner
            learner.follow(loop)
            self._due.schedule(loop.loop_id, learner.due_s)

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
