"""The outcome log of one loop in ``outcomes.sqlite``: settled decisions in the order of learning."""

import hashlib
import sqlite3
from collections import Counter
from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from sartor.errors import Corrupt
from sartor.ports import OutcomeCounts
from sartor.records import Cursor, LoggedOutcome, Outcome, Settlement
from sartor.stores.connection import Row, SqliteConnection
from sartor.stores.schema import read_statements

_SQL = read_statements("outcomes")

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Outcome).decode


class SqliteOutcomes:
    """An ``OutcomeLog`` on a connection that it shares with the loop's models."""

    def __init__(self, connection: SqliteConnection, /) -> None:
        self._connection = connection

    def record(self, settlement: Settlement, /) -> None:
        """Adds the outcomes and unmatched observations and moves the cursor, atomically.

        Raises:
            StoreUnavailable: the log can't be written now.
            Corrupt: a decision would have two outcomes, or an observation be recorded as unmatched twice.
        """
        outcomes = [(o.decision_seq, event_key(o.event_id), _encode(o)) for o in settlement.outcomes]
        unmatched = [(one.observation_seq, one.reason) for one in settlement.unmatched]
        with self._connection.transaction() as raw:
            try:
                raw.executemany(_SQL["add_outcome"], outcomes)
                raw.executemany(_SQL["add_unmatched"], unmatched)
            except sqlite3.IntegrityError as error:
                raise Corrupt(f"Something would be settled twice: {error}.") from error
            raw.execute(_SQL["advance"], _totals(settlement))

    def amend(self, outcomes: Sequence[Outcome], /) -> int:
        """Replaces the outcomes of decisions that have one; numbers and times stay. Returns the new revision.

        Raises:
            StoreUnavailable: the log can't be written now.
            Corrupt: a decision has no outcome; nothing is amended then.
        """
        with self._connection.transaction() as raw:
            learnable = sum(_amend(raw, outcome) for outcome in outcomes)
            revision: int = raw.execute(_SQL["amended"], (learnable,)).fetchone()[0]
        return revision

    def outcomes(self, *, after: int, limit: int) -> Sequence[LoggedOutcome]:
        """Returns the next outcomes after a number.

        Raises:
            StoreUnavailable: the log can't be read now.
            Corrupt: a row is not an outcome.
        """
        return [decode_outcome(row) for row in self._connection.rows(_SQL["outcomes"], (after, limit))]

    def outcomes_of(self, event_id: str, /) -> Sequence[LoggedOutcome]:
        """Returns the outcomes of the decisions with this event id.

        Raises:
            StoreUnavailable: the log can't be read now.
            Corrupt: a row is not an outcome.
        """
        rows = self._connection.rows(_SQL["outcomes_of"], (event_key(event_id),))
        return [found for found in map(decode_outcome, rows) if found.outcome.event_id == event_id]

    def has_outcome(self, event_id: str, /, *, until: int) -> bool:
        """Whether a decision with this event id, and this number or a lower one, has an outcome.

        Raises:
            StoreUnavailable: the log can't be read now.
            Corrupt: a row is not an outcome.
        """
        rows = self._connection.rows(_SQL["first_outcome_of"], (event_key(event_id), until))
        if not rows or decode_outcome(rows[0]).outcome.event_id == event_id:
            return bool(rows)
        # Another event has the same key.
        return any(one.outcome.decision_seq <= until for one in self.outcomes_of(event_id))

    def find_outcome(self, decision: int, /) -> LoggedOutcome | None:
        """Returns the outcome of the decision with this number; None: it has none.

        Raises:
            StoreUnavailable: the log can't be read now.
            Corrupt: the row is not an outcome.
        """
        rows = self._connection.rows(_SQL["find_outcome"], (decision,))
        return decode_outcome(rows[0]) if rows else None

    def counts(self) -> OutcomeCounts:
        """Returns totals; the cost does not grow with the log.

        Raises:
            StoreUnavailable: the log can't be read now.
        """
        outcomes, first, last, learnable, late, dangling, *others = self._connection.rows(_SQL["counts"])[0]
        revision, forgotten, *cursor = others
        return OutcomeCounts(
            outcomes=outcomes,
            first_outcome=first,
            last_outcome=last,
            learnable=learnable,
            late=late,
            dangling=dangling,
            revision=revision,
            forgotten=forgotten,
            cursor=Cursor(*cursor),
        )


def event_key(event_id: str, /) -> int:
    """Hashes an event id to a signed 64-bit integer, as SQLite stores them."""
    digest = hashlib.blake2b(event_id.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True)


def _amend(raw: sqlite3.Connection, outcome: Outcome) -> int:
    """Replaces an outcome unless it is final; returns by how much the number of learnable outcomes grows."""
    row = raw.execute(_SQL["find_outcome"], (outcome.decision_seq,)).fetchone()
    if row is None:
        raise Corrupt(f"Decision {outcome.decision_seq} has no outcome that could be amended.")
    was = decode_outcome(row)
    if not was.outcome.event_id or (was.outcome.corrected and not outcome.corrected):
        return 0
    amended = replace(outcome, settled_at_us=was.outcome.settled_at_us)
    raw.execute(_SQL["amend_outcome"], (event_key(outcome.event_id), _encode(amended), was.seq))
    return outcome.learnable - was.outcome.learnable


def _totals(settlement: Settlement) -> tuple[int, ...]:
    reasons = Counter(one.reason for one in settlement.unmatched)
    return (
        settlement.cursor.decisions,
        settlement.cursor.observations,
        len(settlement.outcomes),
        sum(outcome.learnable for outcome in settlement.outcomes),
        reasons["late"],
        reasons["dangling"],
    )


def decode_outcome(row: Row, /) -> LoggedOutcome:
    """Decodes the outcome in a row.

    Raises:
        Corrupt: the row is not an outcome.
    """
    seq, body = row
    try:
        return LoggedOutcome(seq, _decode(body))
    except msgspec.DecodeError as error:
        raise Corrupt(f"Outcome {seq} can't be read: {error}.") from error
