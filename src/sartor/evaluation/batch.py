"""A group of policies that are scored in one pass: the unit that goes to a core, or to another machine."""

from collections.abc import Callable

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from sartor.evaluation.progress import PartProgress
from sartor.evaluation.progressive_validation import (
    Candidate,
    CandidateScore,
    LogSummary,
    ProgressiveValidation,
)
from sartor.evaluation.spec import Source
from sartor.evaluation.time_range import OutcomeRange, SettledDecision, read_settled
from sartor.management import loops
from sartor.ports import EngineFactory, Loop, LoopStores
from sartor.runtime import compose


class CandidateSpec(Struct, frozen=True, kw_only=True):
    """A policy that takes part: learning settings, or one of the three that need no engine."""

    name: str
    arguments: str
    source: Source


class BatchTask(Struct, frozen=True, kw_only=True):
    """What one pass has to do. ``progress``: the path of a file for the share that is done, or ""."""

    where: str
    loop: Loop
    span: OutcomeRange
    candidates: tuple[CandidateSpec, ...]
    progress: str = ""


class BatchResult(Struct, kw_only=True):
    """What came of it, in the order of the candidates."""

    scores: list[CandidateScore]
    summary: LogSummary


def without_keys(loop: Loop, /) -> Loop:
    """The loop as it may be sent about: reading its log needs no keys."""
    return replace(loop, key1="", key2="")


def run_batch(order: BatchTask, /) -> bytes:
    """Do one pass, in whatever process this is; the batch result as MessagePack."""
    with (
        compose.open_instance(order.where) as stores,
        loops.open_loop(stores, order.loop) as logs,
    ):
        progress = PartProgress(order.progress)
        batch_result = score_candidates(
            logs, compose.engine_factory(), order.span, order.candidates, tell=progress.write
        )
    return msgspec.msgpack.encode(batch_result)


def decode_result(batch_result: bytes, /) -> BatchResult:
    """The batch result that was sent."""
    return msgspec.msgpack.decode(batch_result, type=BatchResult)


def score_candidates(
    logs: LoopStores,
    factory: EngineFactory,
    span: OutcomeRange,
    specs: tuple[CandidateSpec, ...],
    /,
    *,
    tell: Callable[[float], None] = lambda _: None,
) -> BatchResult:
    """Score policies in one pass over the log.

    Args:
        logs: the loop's stores.
        factory: makes the engines, which are empty.
        span: what to read.
        specs: the policies to score.
        tell: is told the share that is done, 0 to 1, after each event.

    Raises:
        InvalidPolicy: the arguments of a policy are not accepted.
        StoreUnavailable: the log can't be read.
    """
    candidates = [_open_candidate(spec, factory) for spec in specs]
    try:
        validation = ProgressiveValidation(candidates, bounds=span.bounds, bin_us=span.bin_us)
        for one in read_settled(logs, span):
            if isinstance(one, SettledDecision):
                validation.add(one.decision, one.outcome)
                tell((one.seq - span.first + 1) / span.outcomes)
        return BatchResult(scores=validation.finish(), summary=validation.summary)
    finally:
        for candidate in candidates:
            if candidate.engine is not None:
                candidate.engine.close()


def _open_candidate(spec: CandidateSpec, factory: EngineFactory) -> Candidate:
    needs_none = spec.source in ("Online", "Baseline", "Random")
    engine = None if needs_none else factory(spec.arguments)
    return Candidate(name=spec.name, arguments=spec.arguments, source=spec.source, engine=engine)
