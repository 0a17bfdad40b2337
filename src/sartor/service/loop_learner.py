"""The part of the learn process that settles and learns one loop."""

import time
from collections.abc import Callable, Hashable, Sequence
from contextlib import ExitStack
from typing import Protocol

from msgspec.structs import replace

from sartor import times
from sartor.learn.trainer import Trainer
from sartor.log.resettle import Resettler
from sartor.log.settler import Settler
from sartor.metrics.apprentice import ApprenticeUpdater
from sartor.metrics.scorecard import ScorecardUpdater
from sartor.ports import EngineFactory, Loop, Stores
from sartor.problems import Problem
from sartor.service.log_time_watch import LogTimeWatch

VISIT_S = 0.03
"""How long a visit takes, roughly. A loop that took longer waits for as long as others are due."""

ROWS, EXAMPLES, COUNTED = 1_000, 200, 150
"""How many events a piece of work reads, how many outcomes it learns and counts at most: about 10 ms each."""

_BUSY_S = 0.002
_IDLE_S = 0.02
_LONGEST_IDLE_S = 0.2

_LONGEST_UNSEEN_S = 60.0
"""For how long a loop is trusted to have no work because its files did not change."""

_FIRST_RETRY_S = 0.25
_LONGEST_RETRY_S = 5.0


class Watched(Protocol):
    """A part of the learning of a loop that can say that something is wrong although its steps succeed."""

    @property
    def problem(self) -> Problem | None:
        """What is wrong; None: nothing. Its loop may be left empty. Cheap: asked once a second."""


class LoopLearner:
    """Settles and learns one loop in visits of bounded length, and knows when it is due again.

    A loop without work is due ever less often, down to five times a second. Where nothing was committed since
    it last had none, and nothing falls due by itself, a visit is a look at its files, and opens none. After a
    failure it starts anew from its stores, after a pause that doubles.
    """

    def __init__(
        self,
        stores: Stores,
        factory: EngineFactory,
        loop: Loop,
        /,
        *,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is opened yet; ``clock_s`` is monotonic, and measures the visits."""
        self._stores = stores
        self._factory = factory
        self._loop = loop
        self._clock_s = clock_s
        self._pipeline: _LoopPipeline | None = None
        self._idle_s = _IDLE_S
        self._retry_s = _FIRST_RETRY_S
        self._is_open = False
        self._quiet_mark: Hashable = None
        self._quiet_until_s = 0.0
        self.due_s = 0.0
        self.credit_s = 0.0
        """How long it may work in its next visit; negative: how much longer the last ones took."""

    @property
    def loop(self) -> Loop:
        """The loop as it is followed."""
        return self._loop

    @property
    def name(self) -> str:
        """The name of the loop."""
        return self._loop.name

    @property
    def is_open(self) -> bool:
        """Whether it was visited, and did not fail since."""
        return self._is_open

    def was_written_lately(self) -> bool:
        """Whether something was committed in the last seconds; False also where that can't be found out."""
        try:
            pipeline = self._open()
        except Exception:  # a step will tell
            return False
        return pipeline.mark() != pipeline.mark()

    def follow(self, loop: Loop, /) -> None:
        """Take over new settings, and use them at once."""
        if loop != self._loop:
            self._loop = loop
            self._quiet_mark = None
            self.due_s = 0.0

    def step(self, *, longest_quiet_s: float = 0.0) -> bool:
        """Settle and learn for as long as it has credit, or what there is; set when to come back.

        Args:
            longest_quiet_s: for how long to leave it alone where a visit is a look at its files, if that is
                longer than the pause of any loop without work.

        Returns:
            Whether settling and learning are known to work since it last started anew; False: it has only read
            what it needs for that so far.

        Raises:
            Exception: whatever went wrong; it starts anew from its stores when it is due again.
        """
        start_s = self._clock_s()
        try:
            is_busy = self._visit(until_s=start_s + self.credit_s)
        except Exception:
            self.due_s = self._clock_s() + self._retry_s
            self._retry_s = min(_LONGEST_RETRY_S, 2 * self._retry_s)
            self.close()
            raise
        finally:
            # What is left of it is not saved up: nobody may work for long because nothing was to do before.
            self.credit_s = min(0.0, self.credit_s - (self._clock_s() - start_s))
        is_well = self._pipeline is not None and self._pipeline.has_worked
        if is_well:
            self._retry_s = _FIRST_RETRY_S
        self._idle_s = _IDLE_S if is_busy else min(_LONGEST_IDLE_S, 1.5 * self._idle_s)
        self.due_s = self._clock_s() + self._find_pause_s(is_busy, longest_quiet_s)
        return is_well

    def _find_pause_s(self, is_busy: bool, longest_quiet_s: float) -> float:
        if self._pipeline is not None and not self._pipeline.caught_up:
            return 0.0
        if is_busy:
            return _BUSY_S
        if self._quiet_mark is None or self._idle_s < _LONGEST_IDLE_S:
            return self._idle_s
        left_s = self._quiet_until_s - self._clock_s()
        return min(max(self._idle_s, longest_quiet_s), max(left_s, _IDLE_S))

    def _visit(self, *, until_s: float) -> bool:
        """Work piece by piece; whether anything was done."""
        pipeline = self._open()
        mark = pipeline.mark()
        if mark == self._quiet_mark and self._clock_s() < self._quiet_until_s:
            return False
        is_busy = self._work(pipeline, until_s)
        pause_s = 0.0 if is_busy or not pipeline.caught_up else pipeline.find_pause_s(self._loop)
        self._is_open = True
        self._quiet_mark = mark if pause_s > 0 else None
        self._quiet_until_s = self._clock_s() + pause_s
        return is_busy

    def _open(self) -> "_LoopPipeline":
        if self._pipeline is None:
            self._pipeline = _LoopPipeline(self._stores, self._factory, self._loop)
        return self._pipeline

    def _work(self, pipeline: "_LoopPipeline", until_s: float) -> bool:
        is_busy = False
        while pipeline.step(self._loop):
            is_busy = True
            if pipeline.caught_up or self._clock_s() >= until_s:
                break
        return is_busy

    def find_problems(self) -> list[Problem]:
        """What the parts of the learning of this loop say is wrong, although their steps succeed."""
        watched = () if self._pipeline is None else self._pipeline.watched
        found = [part.problem for part in watched]
        return [
            replace(problem, loop_id=self._loop.loop_id, loop=self._loop.name)
            for problem in found
            if problem is not None
        ]

    def close(self) -> None:
        """Release the stores and the engine."""
        pipeline, self._pipeline = self._pipeline, None
        self._quiet_mark = None
        self._is_open = False
        if pipeline is not None:
            pipeline.close()


class _LoopPipeline:
    """The settler and the trainer of one loop, on stores of their own.

    Where the rules of settling have changed, what was settled is settled again first, step by step; the loop
    decides on meanwhile with the model that it has.
    """

    def __init__(self, stores: Stores, factory: EngineFactory, loop: Loop) -> None:
        self._logs = stores.open(loop)
        self._resettler = Resettler(self._logs.events, self._logs.outcomes, self._logs.blobs)
        self._settler = Settler(self._logs.events, self._logs.outcomes)
        self._resettles = False
        self._used = False
        self.caught_up = False
        self.has_worked = False
        self._trainer = Trainer(self._logs.events, self._logs.outcomes, self._logs.models, factory)
        self._scorecard = ScorecardUpdater(self._logs, loop_name=loop.name)
        self._apprentice = ApprenticeUpdater(self._logs, loop_name=loop.name)
        self._log_time = LogTimeWatch(stores.audit, self._logs.blobs, loop)
        self.watched: Sequence[Watched] = (self._log_time, self._scorecard, self._apprentice)

    def step(self, loop: Loop) -> bool:
        """Do a piece of work of bounded size; whether anything was done. ``caught_up``: there is no more.

        ``has_worked``: a piece of settling and learning went well, or there was none to do.
        """
        is_busy = self._step(loop)
        # What the settler reads before it settles anything says nothing: it is read from another file.
        has_settled = self._settler.caught_up or self._settler.horizon_us is not None
        self.has_worked = self.has_worked or self._resettles or has_settled
        return is_busy

    def _step(self, loop: Loop) -> bool:
        self.caught_up = self._resettles = False
        now_us = times.now_us()
        if self._resettler.step(loop.settings, settings_version=loop.version, now_us=now_us, limit=ROWS):
            self._resettles = True
            return True
        settled = self._settler.step(
            loop.settings, settings_version=loop.version, now_us=times.uptime_us(), limit=ROWS, reads=1
        )
        self._log_time.compare(self._settler.horizon_us, now_us=now_us)
        is_busy = settled > 0 or not self._settler.caught_up
        # A trainer holds an engine of some megabytes: a loop that was never used should not have one.
        self._used = self._used or settled > 0 or self._logs.outcomes.counts().outcomes > 0
        if not self._used:
            self.caught_up = self._settler.caught_up
            return is_busy
        learned = self._trainer.step(loop, now_us=now_us, limit=EXAMPLES)
        if not self._trainer.caught_up:  # there is more to learn; counting can wait
            return True
        counted = max(
            self._scorecard.try_step(limit=COUNTED),
            self._apprentice.try_step(start=loop.settings.learning_mode == "Apprentice", limit=COUNTED),
        )
        self.caught_up = self._settler.caught_up and counted < COUNTED
        return is_busy or learned > 0 or counted > 0

    def mark(self) -> Hashable:
        """A mark of what it reads: if equal to an earlier one, nothing was committed since."""
        return self._logs.mark()

    def find_pause_s(self, loop: Loop) -> float:
        """How long a step finds nothing to do if nothing is committed meanwhile; 0: it may do something now."""
        settling_us = self._settler.find_pause_us(times.uptime_us())
        training_us = self._trainer.find_pause_us(loop, now_us=times.now_us())
        counting_s = min(self._scorecard.find_pause_s(), self._apprentice.find_pause_s())
        return min(_LONGEST_UNSEEN_S, settling_us / 1e6, training_us / 1e6, counting_s)

    def close(self) -> None:
        with ExitStack() as closing:
            for part in (self._logs, self._apprentice, self._scorecard, self._trainer):
                closing.callback(part.close)
