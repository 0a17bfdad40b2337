"""A batch of policies that are scored in one pass over the log: the task that goes to a core or a worker."""

from collections.abc import Callable

from msgspec import Struct

from sartor.evaluation.progressive_validation import (
    Candidate,
    CandidateScore,
    LogSummary,
    ProgressiveValidation,
)
from sartor.evaluation.spec import Source
from sartor.evaluation.tasks import LogTask, open_task
from sartor.evaluation.time_range import OutcomeRange, read_settled
from sartor.ports import EngineFactory, LoopStores


class CandidateSpec(Struct, frozen=True, kw_only=True):
    """A policy to score: learning settings, or one of the three reference policies, which need no engine."""

    name: str
    arguments: str
    source: Source


class BatchTask(LogTask, frozen=True, kw_only=True):
    """The candidates to score in one pass."""

    candidates: tuple[CandidateSpec, ...]


class BatchResult(Struct, kw_only=True):
    """The scores of a batch, in the order of its candidates, and a summary of the log."""

    scores: list[CandidateScore]
    summary: LogSummary


def run_batch(task: BatchTask, /) -> BatchResult:
    """Scores a batch, in whatever process this is.

    Raises:
        InvalidPolicy: the arguments of a policy are not accepted.
        StoreUnavailable: the log can't be read.
    """
    with open_task(task) as context:
        return score_candidates(
            context.logs,
            context.create_engine,
            task.outcomes,
            task.candidates,
            report_progress=context.progress.write,
        )


def score_candidates(
    logs: LoopStores,
    factory: EngineFactory,
    outcomes: OutcomeRange,
    specs: tuple[CandidateSpec, ...],
    /,
    *,
    report_progress: Callable[[float], None] = lambda _: None,
) -> BatchResult:
    """Scores policies in one pass over the log.

    Args:
        logs: the loop's stores.
        factory: makes the engines, which start empty.
        outcomes: what to read.
        specs: the policies to score.
        report_progress: called after each event with the share that is done, 0 to 1.

    Raises:
        InvalidPolicy: the arguments of a policy are not accepted.
        StoreUnavailable: the log can't be read.
    """
    candidates = [_open_candidate(spec, factory) for spec in specs]
    try:
        validation = ProgressiveValidation(candidates, bounds=outcomes.bounds, bin_us=outcomes.bin_us)
        for settled in read_settled(logs, outcomes):
            validation.add(settled.decision, settled.outcome)
            report_progress(outcomes.share_up_to(settled.seq))
        return BatchResult(scores=validation.finish(), summary=validation.summary)
    finally:
        for candidate in candidates:
            if candidate.engine is not None:
                candidate.engine.close()


def _open_candidate(spec: CandidateSpec, factory: EngineFactory) -> Candidate:
    is_reference = spec.source in ("Online", "Baseline", "Random")
    engine = None if is_reference else factory(spec.arguments)
    return Candidate(name=spec.name, arguments=spec.arguments, source=spec.source, engine=engine)
