"""Imports decisions that were made and settled elsewhere into the event log of one loop, each once.

A decision, its outcome and the note that it was imported are committed together. Settling records the outcome
when it comes to the decision; so the outcomes keep their single writer.
"""

import sqlite3
from collections.abc import Sequence

import msgspec

from sartor.records import ImportedDecision
from sartor.stores.connection import Row
from sartor.stores.events import SqliteEvents, insert, slot_ids
from sartor.stores.outcomes import event_key
from sartor.stores.schema import read_statements
from sartor.times import DAY_US

_SQL = read_statements("events")

_encode = msgspec.msgpack.Encoder().encode


class SqliteHistory:
    """A ``History`` on the event log of its loop."""

    def __init__(self, events: SqliteEvents, /) -> None:
        self._events = events

    def import_decisions(self, lines: Sequence[ImportedDecision], /, *, source: int) -> Sequence[bool]:
        """Imports what was not imported before, in order; returns for each line whether it was new.

        Raises:
            StoreUnavailable: the log can't be written now; nothing is imported then.
        """
        with self._events.importing() as (raw, at_us, first):
            news = [_is_new(raw, line, source) for line in lines]
            rows = [_to_row(line, at_us) for line, new in zip(lines, news, strict=True) if new]
            insert(raw, _SQL["append_imported"], rows, first=first)
            if rows:
                # Usage counts the numbers that a day took; these decisions were not requested from this loop.
                raw.execute(_SQL["add_usage"], (at_us // DAY_US, -len(rows), 0))
        return news


def _is_new(raw: sqlite3.Connection, line: ImportedDecision, source: int) -> bool:
    key = line.made_at_us, event_key(line.decision.event_id)
    row = raw.execute(_SQL["import_count"], key).fetchone()
    taken, last_source, seen = row or (0, source, 0)
    seen = seen + 1 if last_source == source else 1
    raw.execute(_SQL["set_import_count"], (*key, max(taken, seen), source, seen))
    return seen > taken


def _to_row(line: ImportedDecision, at_us: int) -> Row:
    decision = line.decision
    return (
        at_us,
        decision.event_id,
        decision.deferred,
        _encode(decision),
        slot_ids(decision),
        line.made_at_us,
        _encode(line.outcome),
    )
