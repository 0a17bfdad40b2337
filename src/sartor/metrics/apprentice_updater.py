"""The metrics of Apprentice mode of a loop: counted by the learn process, read by anybody.

As with the scorecard, the loop's blob store holds a checkpoint that names the last outcome in it; whoever reads
folds what came since, so the answer is exact, whatever died.
"""

import contextlib
import logging
import time

from sartor.errors import Corrupt, SartorError
from sartor.joined_outcomes import read_joined_outcomes
from sartor.metrics.apprentice import NAME, ApprenticeMatch, ApprenticeMatchFold
from sartor.ports import Loop, LoopStores

_log = logging.getLogger(__name__)

_SAVE_EVERY_S = 15.0
_BLOCK = 2_000


class ApprenticeUpdater:
    """Counts for one loop, in the process that learns; idle where there never was an Apprentice mode."""

    def __init__(self, logs: LoopStores, /) -> None:
        self._logs = logs
        self._fold: ApprenticeMatchFold | None = None
        self._saved = (0, 0)
        self._save_at_s = 0.0
        self._is_failing = False

    def try_step(self, loop: Loop, /) -> int:
        """``step``, whose failure is told once and disturbs nobody: counting must not stop learning."""
        try:
            done = self.step(loop)
        except SartorError as error:
            if not self._is_failing:
                extra = {"action": "apprentice_failed", "loop": loop.name}
                _log.warning("The metrics of Apprentice mode are not counted: %s", error, extra=extra)
            self._is_failing = True
            return 0
        self._is_failing = False
        return done

    def step(self, loop: Loop, /, *, limit: int = _BLOCK) -> int:
        """Take in what was settled since, ``limit`` outcomes at most; returns how many.

        Raises:
            StoreUnavailable: nothing is lost; the next step goes on.
        """
        if self._fold is None:
            self._fold = _begun(self._logs)
            self._saved = (self._fold.revision, self._fold.last)
        if not self._fold.last and loop.settings.learning_mode != "Apprentice":
            return 0
        revision = self._logs.outcomes.counts().revision
        if self._fold.revision != revision:
            self._fold = ApprenticeMatchFold(revision=revision)
        done = _go_on(self._fold, self._logs, limit=limit)
        if done < limit and time.monotonic() >= self._save_at_s:
            self.save()
        return done

    def save(self) -> None:
        """Keep a checkpoint, if there is anything new to keep."""
        fold = self._fold
        if fold is None or (fold.revision, fold.last) == self._saved:
            return
        self._logs.blobs.put(NAME, fold.state())
        self._saved = (fold.revision, fold.last)
        self._save_at_s = time.monotonic() + _SAVE_EVERY_S

    def close(self) -> None:
        """Keep a checkpoint, if that can be done now."""
        with contextlib.suppress(SartorError):
            self.save()


def current_apprentice_match(logs: LoopStores, /) -> ApprenticeMatch | None:
    """What was counted up to now: the checkpoint, and what was settled since. Writes nothing.

    None: the loop never decided in Apprentice mode, or its learn process has counted nothing of it yet. After
    outcomes were amended, and until they are counted again, it is what was counted before.

    Raises:
        StoreUnavailable: the log can't be read.
    """
    if logs.blobs.get(NAME) is None:
        return None
    fold = _begun(logs)
    if fold.revision == logs.outcomes.counts().revision:
        while _go_on(fold, logs, limit=_BLOCK):
            pass
    return fold.metrics()


def _begun(logs: LoopStores) -> ApprenticeMatchFold:
    counts = logs.outcomes.counts()
    state = logs.blobs.get(NAME)
    if state is not None:
        try:
            fold = ApprenticeMatchFold.from_state(state)
        except Corrupt as error:
            _log.warning("%s They are counted again.", error.message, extra={"action": "recount"})
        else:
            if fold.last <= counts.last_outcome:  # after a power cut the log may have lost its end
                return fold
    return ApprenticeMatchFold(revision=counts.revision)


def _go_on(fold: ApprenticeMatchFold, logs: LoopStores, *, limit: int) -> int:
    done = 0
    for example in read_joined_outcomes(
        logs.events, logs.outcomes, after=fold.last, limit=limit, learnable_only=True
    ):
        fold.add(example.seq, example.outcome, example.decision)
        done += 1
    return done
