"""A group of policies that are scored in one pass: the unit that goes to a core, or to another machine."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from sartor.evaluation.progressive_validation import Contest, Contestant, LogSummary, Scored
from sartor.evaluation.spec import Source
from sartor.evaluation.time_range import Settled, Span, settled
from sartor.management import loops
from sartor.ports import EngineFactory, Loop, LoopStores
from sartor.runtime import compose

_TELL_S = 0.5


class Entrant(Struct, frozen=True, kw_only=True):
    """A policy that takes part: learning settings, or one of the three that need no engine."""

    name: str
    arguments: str
    source: Source


class Order(Struct, frozen=True, kw_only=True):
    """What one pass has to do. ``progress``: the path of a file for the share that is done, or ""."""

    where: str
    loop: Loop
    span: Span
    entrants: tuple[Entrant, ...]
    progress: str = ""


class Ballot(Struct, kw_only=True):
    """What came of it, in the order of the entrants."""

    scored: list[Scored]
    summary: LogSummary


def without_keys(loop: Loop, /) -> Loop:
    """The loop as it may be sent about: reading its log needs no keys."""
    return replace(loop, key1="", key2="")


def carry_out(order: Order, /) -> bytes:
    """Do one pass, in whatever process this is; the ballot as MessagePack."""
    with (
        compose.stores(order.where) as stores,
        loops.opened(stores, order.loop) as logs,
    ):
        told = Progress(order.progress)
        ballot = scored(logs, compose.engine_factory(), order.span, order.entrants, tell=told.tell)
    return msgspec.msgpack.encode(ballot)


def opened(ballot: bytes, /) -> Ballot:
    """The ballot that was sent."""
    return msgspec.msgpack.decode(ballot, type=Ballot)


def scored(
    logs: LoopStores,
    factory: EngineFactory,
    span: Span,
    entrants: tuple[Entrant, ...],
    /,
    *,
    tell: Callable[[float], None] = lambda _: None,
) -> Ballot:
    """Score the entrants in one pass over the span.

    Args:
        logs: the loop's stores.
        factory: makes the engines, which are empty.
        span: what to read.
        entrants: who takes part.
        tell: is told the share that is done, 0 to 1, after each event.

    Raises:
        InvalidPolicy: the arguments of an entrant are not accepted.
        StoreUnavailable: the log can't be read.
    """
    contestants = [_contestant(entrant, factory) for entrant in entrants]
    try:
        contest = Contest(contestants, bounds=span.bounds, moment_us=span.moment_us)
        for one in settled(logs, span):
            if isinstance(one, Settled):
                contest.take(one.decision, one.outcome)
                tell((one.seq - span.first + 1) / span.outcomes)
        return Ballot(scored=contest.finish(), summary=contest.summary)
    finally:
        for contestant in contestants:
            if contestant.engine is not None:
                contestant.engine.close()


def _contestant(entrant: Entrant, factory: EngineFactory) -> Contestant:
    needs_none = entrant.source in ("Online", "Baseline", "Random")
    engine = None if needs_none else factory(entrant.arguments)
    return Contestant(name=entrant.name, arguments=entrant.arguments, source=entrant.source, engine=engine)


class Progress:
    """Writes the share that is done into a file, now and then; ends the process when its parent is gone."""

    def __init__(self, path: str) -> None:
        self._path = Path(path) if path else None
        self._parent = os.getppid()
        self._next_s = 0.0

    def tell(self, share: float, /) -> None:
        """So much is done, 0 to 1."""
        now_s = time.monotonic()
        if now_s < self._next_s:
            return
        self._next_s = now_s + _TELL_S
        if self._path is None:
            return
        if os.getppid() != self._parent:  # killed: nobody waits for the answer
            os._exit(1)
        try:
            self._path.write_text(f"{share:.6f}")
        except OSError:
            self._path = None  # on another machine there is no such folder
