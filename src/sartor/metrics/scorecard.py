"""The scorecard of a loop: kept by the learn process, read by anybody.

The card folds the outcome log; what is kept on the loop's blob store is a checkpoint that names the last
outcome in it. Whoever reads takes the checkpoint and folds what came since: the answer is exact, whatever died.
"""

import contextlib
import logging
import time

from sartor.errors import Corrupt, SartorError
from sartor.estimators.logged_choices import logged_choices
from sartor.estimators.scorecard import Scorecard
from sartor.joined_outcomes import JoinedOutcome, read_joined_outcomes
from sartor.ports import LoopStores, OutcomeCounts, OutcomeLog

_log = logging.getLogger(__name__)

NAME = "scorecard"
_SAVE_EVERY_S = 15.0
_BLOCK = 2_000


class ScorecardUpdater:
    """Keeps the card of one loop up to date. One for each loop, in the process that learns."""

    def __init__(self, logs: LoopStores, /) -> None:
        self._logs = logs
        self._card: Scorecard | None = None
        self._saved = (0, 0)
        self._save_at_s = 0.0
        self._complaint = ""

    def try_step(self) -> int:
        """``step``, whose failures are told once and disturb nobody: counting must not stop learning."""
        try:
            done = self.step()
        except Exception as error:
            complaint = f"{type(error).__name__}: {error}"
            if complaint != self._complaint:
                extra = {"action": "score_failed"}
                _log.warning("The scorecard is not kept: %s", complaint, extra=extra, exc_info=error)
            self._complaint = complaint
            return 0
        self._complaint = ""
        return done

    def step(self, *, limit: int = _BLOCK) -> int:
        """Fold what was settled since, ``limit`` outcomes at most, and save the card when it is time.

        After outcomes were amended, the card is made anew, step by step; until it has caught up, the
        checkpoint of the old one stays.

        Returns:
            How many outcomes were folded.

        Raises:
            StoreUnavailable: nothing is lost; the next step goes on where this one stopped.
        """
        counts = self._logs.outcomes.counts()
        if self._card is None:
            self._card = _begun(self._logs, counts)
            self._saved = _place(self._card)
        if self._card.revision != counts.revision:
            self._card = Scorecard(revision=counts.revision)
        done = fold_outcomes(self._card, self._logs, limit=limit)
        caught_up = self._card.last >= counts.last_outcome
        if caught_up and time.monotonic() >= self._save_at_s:
            self.save()
        return done

    def close(self) -> None:
        """Keep a checkpoint, if that can be done now; without one, more is counted again after a start."""
        with contextlib.suppress(SartorError):
            self.save()

    def save(self) -> None:
        """Keep a checkpoint, if there is anything new to keep."""
        if self._card is None or _place(self._card) == self._saved:
            return
        self._logs.blobs.put(NAME, self._card.state())
        self._saved = _place(self._card)
        self._save_at_s = time.monotonic() + _SAVE_EVERY_S


def current_scorecard(logs: LoopStores, /) -> Scorecard:
    """The card as it is now: the checkpoint, and what was settled since. Writes nothing.

    After outcomes were amended, and until the learn process has counted again, it is the card of before;
    its ``revision`` tells.
    """
    counts = logs.outcomes.counts()
    card = _begun(logs, counts)
    if card.revision == counts.revision:
        while fold_outcomes(card, logs, limit=_BLOCK):
            pass
    return card


def fold_outcomes(card: Scorecard, logs: LoopStores, /, *, limit: int) -> int:
    """Take the next outcomes into the card, ``limit`` at most; returns how many."""
    done = 0
    for example in read_joined_outcomes(
        logs.events, logs.outcomes, after=card.last, limit=limit, learnable_only=True
    ):
        _take(card, example)
        done += 1
    return done


def _take(card: Scorecard, example: JoinedOutcome) -> None:
    outcome = example.outcome
    mark = (outcome.decision_seq, outcome.settled_at_us)
    if example.decision is None:
        card.skip(example.seq, mark=mark)
        return
    first = logged_choices(example.decision.decision, outcome)[0]
    card.add(example.seq, first, at_us=outcome.settled_at_us, mark=mark)


def _place(card: Scorecard) -> tuple[int, int]:
    return card.revision, card.last


def _begun(logs: LoopStores, counts: OutcomeCounts) -> Scorecard:
    """The card of the checkpoint, if it is one of this log; otherwise an empty one."""
    empty = Scorecard(revision=counts.revision)
    state = logs.blobs.get(NAME)
    if state is None:
        return empty
    try:
        card = Scorecard.from_state(state)
    except Corrupt as error:
        _log.warning("The scorecard is counted again: %s", error.message, extra={"action": "recount"})
        return empty
    if not _belongs(card, logs.outcomes, counts):
        _log.warning("The scorecard is not of this log; it is counted again.", extra={"action": "recount"})
        return empty
    return card


def _belongs(card: Scorecard, outcomes: OutcomeLog, counts: OutcomeCounts) -> bool:
    """Whether the log holds the card's last outcome; after a power cut it may have lost its end."""
    if card.last > counts.last_outcome:
        return False
    if card.last < counts.first_outcome:  # gone by retention, or nothing was folded
        return True
    found = outcomes.outcomes(after=card.last - 1, limit=1)
    return bool(found) and (found[0].outcome.decision_seq, found[0].outcome.settled_at_us) == card.mark
