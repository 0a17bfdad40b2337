"""The scorecard of a loop: kept by the learn process, read by anybody; see ``checkpointed_fold.py``."""

from sartor.estimators.logged_choices import logged_choices
from sartor.estimators.scorecard import Scorecard
from sartor.joined_outcomes import JoinedOutcome
from sartor.metrics.checkpointed_fold import CheckpointedFold, FoldDefinition, read_current
from sartor.ports import LoopStores, OutcomeCounts, OutcomeLog


class ScorecardUpdater(CheckpointedFold[Scorecard]):
    """Keeps the scorecard of one loop up to date."""

    def __init__(self, logs: LoopStores, /, *, loop_name: str = "") -> None:
        super().__init__(logs, SCORECARD, loop_name=loop_name)


def read_scorecard(logs: LoopStores, /) -> Scorecard:
    """The scorecard as it is now; writes nothing. See ``read_current``."""
    return read_current(logs, SCORECARD)


def _add(scorecard: Scorecard, joined: JoinedOutcome) -> None:
    outcome = joined.outcome
    mark = (outcome.decision_seq, outcome.settled_at_us)
    if joined.decision is None or not outcome.is_in_range:
        scorecard.skip(joined.seq, mark=mark)
        if not outcome.is_in_range:
            scorecard.set_aside = (scorecard.set_aside or 0) + 1
        return
    first = logged_choices(joined.decision.decision, outcome)[0]
    scorecard.add(joined.seq, first, at_us=outcome.settled_at_us, mark=mark)


def _is_of_log(scorecard: Scorecard, outcomes: OutcomeLog, counts: OutcomeCounts) -> bool:
    if scorecard.last < counts.first_outcome:  # removed by retention, or nothing was folded
        return True
    found = outcomes.outcomes(after=scorecard.last - 1, limit=1)
    return bool(found) and (found[0].outcome.decision_seq, found[0].outcome.settled_at_us) == scorecard.mark


def _renew(scorecard: Scorecard, counts: OutcomeCounts) -> Scorecard:
    """Returns a scorecard with doubly robust sums: made anew if the log still has all of its outcomes."""
    if not scorecard.lacks_model:
        return scorecard
    if counts.first_outcome <= scorecard.since:
        return SCORECARD.create(counts.revision)
    scorecard.start_model()
    return scorecard


SCORECARD = FoldDefinition(
    name="scorecard",
    subject="The scorecard",
    action="score_failed",
    create=lambda revision: Scorecard(revision=revision),
    from_state=Scorecard.from_state,
    add=_add,
    is_of_log=_is_of_log,
    renew=_renew,
)
