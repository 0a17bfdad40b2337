"""A fold over the outcomes of a loop with a checkpoint: kept by the learn process, read by anybody.

The loop's blob store holds a checkpoint that names the last outcome in it. Whoever reads takes the checkpoint
and folds what came since: the answer is exact, whatever crashed.
"""

import contextlib
import logging
import math
import time
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from msgspec import Struct

from sartor.errors import Corrupt, SartorError
from sartor.joined_outcomes import JoinedOutcome, read_joined_outcomes
from sartor.ports import LoopStores, OutcomeCounts, OutcomeLog
from sartor.problems import Problem
from sartor.runtime.report_once import ReportOnce

_log = logging.getLogger(__name__)

_SAVE_EVERY_S = 15.0
_RETRY_S = 1.0
_BATCH = 2_000


class Fold(Protocol):
    """What was folded. ``last``: the number of the last outcome in it, of the log in its ``revision``."""

    revision: int
    last: int

    def state(self) -> bytes:
        """A checkpoint."""


_F = TypeVar("_F", bound=Fold)


class FoldDefinition(Struct, Generic[_F], frozen=True, kw_only=True):
    """How outcomes are folded, and under which name the checkpoint is kept.

    Attributes:
        name: of the checkpoint in the blob store of a loop.
        subject: what is folded, for the log: ``The scorecard``.
        action: the name of a failure in structured logs.
        create: makes an empty fold of a revision of the log.
        from_state: reads a checkpoint; raises ``Corrupt`` where it is none.
        add: adds the next outcome; its decision is None where it is not learnable.
        is_of_log: whether a checkpoint that does not reach past the log is one of this log.
        renew: returns with what to go on: the fold itself, or an empty one in place of what an older version
            wrote.
    """

    name: str
    subject: str
    action: str
    create: Callable[[int], _F]
    from_state: Callable[[bytes], _F]
    add: Callable[[_F, JoinedOutcome], None]
    is_of_log: Callable[[_F, OutcomeLog, OutcomeCounts], bool] = lambda *_: True
    renew: Callable[[_F, OutcomeCounts], _F] = lambda fold, _: fold


class CheckpointedFold(Generic[_F]):
    """Keeps the fold of one loop up to date. One for each loop, in the process that learns."""

    def __init__(self, logs: LoopStores, definition: FoldDefinition[_F], /, *, loop_name: str = "") -> None:
        """Nothing is read yet; ``loop_name`` is for the log."""
        self._logs = logs
        self._definition = definition
        self._fold: _F | None = None
        self._saved = (0, 0)
        self._save_at_s = 0.0
        subject = f"{definition.subject} of the loop {loop_name!r} is not updated"
        self._report = ReportOnce(subject, action=definition.action)

    @property
    def problem(self) -> Problem | None:
        """Why the last try failed; None: it did not. The loop learns on."""
        return next(iter(self._report.find_problems(fatal=False)), None)

    def try_step(self, *, start: bool = True, limit: int = _BATCH) -> int:
        """``step``, whose failures are logged once: counting must not stop learning. Returns 0 then."""
        try:
            done = self.step(start=start, limit=limit)
        except Exception as error:
            self._report.note_failure(error)
            return 0
        self._report.note_success()
        return done

    def step(self, *, start: bool = True, limit: int = _BATCH) -> int:
        """Fold what was settled since, and save a checkpoint when it is time.

        After outcomes were amended, the fold is made anew, step by step; until it has caught up, the checkpoint
        of the old one stays.

        Args:
            start: whether to start where nothing was folded before.
            limit: how many outcomes are folded at most.

        Returns:
            How many outcomes were folded.

        Raises:
            StoreUnavailable: nothing is lost; the next step goes on where this one stopped.
        """
        counts = self._logs.outcomes.counts()
        if self._fold is None:
            self._fold = _load(self._logs, self._definition, counts)
            self._saved = _position(self._fold)
        if not start and not self._fold.last:
            return 0
        if self._fold.revision != counts.revision:
            self._fold = self._definition.create(counts.revision)
        renewed = self._definition.renew(self._fold, counts)
        if renewed is not self._fold:  # it will reach the same outcome, and must be saved all the same
            self._fold, self._saved = renewed, (0, 0)
        done = fold_outcomes(self._fold, self._definition, self._logs, limit=limit)
        caught_up = self._fold.last >= counts.last_outcome
        if caught_up and time.monotonic() >= self._save_at_s:
            self.save()
        return done

    def find_pause_s(self) -> float:
        """How long a step finds nothing to do if nothing is settled meanwhile; infinity: for ever."""
        if self._report.reason:
            return _RETRY_S
        if self._fold is None or _position(self._fold) == self._saved:
            return math.inf
        return max(0.0, self._save_at_s - time.monotonic())

    def close(self) -> None:
        """Save a checkpoint, if that can be done now; without one, more is folded again after a start."""
        with contextlib.suppress(SartorError):
            self.save()

    def save(self) -> None:
        """Save a checkpoint, if there is anything new in it."""
        if self._fold is None or _position(self._fold) == self._saved:
            return
        self._logs.blobs.put(self._definition.name, self._fold.state())
        self._saved = _position(self._fold)
        self._save_at_s = time.monotonic() + _SAVE_EVERY_S


def read_current(logs: LoopStores, definition: FoldDefinition[_F], /) -> _F:
    """The fold as it is now: the checkpoint, and what was settled since. Writes nothing.

    After outcomes were amended, and until the learn process has folded them again, it is the one before; its
    ``revision`` shows that.

    Raises:
        StoreUnavailable: the log can't be read.
    """
    counts = logs.outcomes.counts()
    fold = _load(logs, definition, counts)
    if fold.revision == counts.revision:
        while fold_outcomes(fold, definition, logs, limit=_BATCH):
            pass
    return fold


def fold_outcomes(fold: _F, definition: FoldDefinition[_F], logs: LoopStores, /, *, limit: int) -> int:
    """Add the next outcomes to a fold, ``limit`` at most; returns how many."""
    done = 0
    for joined in read_joined_outcomes(
        logs.events, logs.outcomes, after=fold.last, limit=limit, learnable_only=True
    ):
        definition.add(fold, joined)
        done += 1
    return done


def _position(fold: Fold) -> tuple[int, int]:
    return fold.revision, fold.last


def _load(logs: LoopStores, definition: FoldDefinition[_F], counts: OutcomeCounts) -> _F:
    """The fold of the checkpoint, if it is one of this log; otherwise an empty one."""
    empty = definition.create(counts.revision)
    state = logs.blobs.get(definition.name)
    if state is None:
        return empty
    extra = {"action": "recount"}
    try:
        fold = definition.from_state(state)
    except Corrupt as error:
        _log.warning("%s is folded again: %s", definition.subject, error.message, extra=extra)
        return empty
    # After a power cut the log may have lost its end.
    if fold.last > counts.last_outcome or not definition.is_of_log(fold, logs.outcomes, counts):
        _log.warning("%s is not of this log; it is folded again.", definition.subject, extra=extra)
        return empty
    return fold
