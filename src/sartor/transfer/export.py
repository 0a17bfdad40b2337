"""Exports the joined log of a loop as dsjson, CSV or Parquet. It streams, beside a running service too."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import BinaryIO, Literal

from msgspec import Struct

from sartor.dsjson.single_slot import encode_outcome_line, encode_pending_line
from sartor.log import joined_log
from sartor.ports import LoopStores
from sartor.records import LoggedDecision, LoggedOutcome
from sartor.transfer import tables
from sartor.transfer.mirror import MirroredOutcome
from sartor.transfer.tables import to_rows

Format = Literal["dsjson", "csv", "parquet"]
_MIRRORED_AT_ONCE = 8
"""Outcomes that are read at a time for a mirror: each may have a megabyte, and many mirrors read."""

_Pairs = Iterable[tuple[LoggedDecision, LoggedOutcome | None]]


class ExportSelection(Struct, frozen=True, kw_only=True):
    """Which decisions: those made from a time to before another; ``pending``: those without an outcome too."""

    from_us: int | None = None
    to_us: int | None = None
    pending: bool = False

    def includes(self, logged: LoggedDecision, /) -> bool:
        """Whether a decision is one of them."""
        after_start = self.from_us is None or logged.at_us >= self.from_us
        return after_start and (self.to_us is None or logged.at_us < self.to_us)


def export_log(logs: LoopStores, stream: BinaryIO, /, *, format_: Format, selection: ExportSelection) -> None:
    """Writes the outcomes in the order of learning, then, with ``pending``, the decisions without one.

    Raises:
        InvalidSetting: the package that writes Parquet is not installed.
        OSError: the stream can't be written.
    """
    if format_ == "dsjson":
        for line in _lines(_select(logs, selection)):
            stream.write(line + b"\n")
    elif format_ == "csv":
        tables.write_csv(to_rows(_select(logs, selection)), stream)
    else:
        tables.write_parquet(to_rows(_select(logs, selection)), stream)
    stream.flush()


def _select(logs: LoopStores, selection: ExportSelection) -> _Pairs:
    settled: Iterator[tuple[LoggedDecision, LoggedOutcome | None]] = iter(joined_log.read_pairs(logs))
    open_ = ((logged, None) for logged in joined_log.read_open_decisions(logs)) if selection.pending else ()
    return (pair for pair in chain(settled, open_) if selection.includes(pair[0]))


def _lines(pairs: _Pairs) -> Iterator[bytes]:
    for logged, outcome in pairs:
        yield encode_pending_line(logged) if outcome is None else encode_outcome_line(logged, outcome.outcome)


def read_joined_log(logs: LoopStores, after: int, /) -> Iterator[MirroredOutcome]:
    """Yields the outcomes after a number, in order.

    Raises:
        Corrupt: an outcome of a decision that is not in the log.
    """
    for decision, logged in joined_log.read_pairs(logs, after=after, batch_size=_MIRRORED_AT_ONCE):
        outcome = logged.outcome
        yield MirroredOutcome(logged.seq, outcome.settled_at_us, encode_outcome_line(decision, outcome))
