"""Finds decisions by their event id that have no outcome yet; the others are found by their outcomes.

An append maintains no index, so that it costs the same at a million events. This one is filled behind it, in
short transactions: by housekeeping, and by whoever looks something up, with what is not in it yet. Decisions
that were settled before they came into it are passed over.
"""

from collections.abc import Sequence

from sartor.stores.connection import SqliteConnection
from sartor.stores.events import SqliteEvents
from sartor.stores.outcomes import event_key
from sartor.stores.schema import read_statements

_SQL = read_statements("events")

_BATCH = 2_000
_SEGMENT_BITS = 16

_MOST_ADDED = 20_000
"""How many a look-up adds: a tenth of a second."""

MOST_KEYED = 100_000
"""How many decisions housekeeping adds at a time, so that a long log holds up no other loop."""


def key_of(number: int, event_id: str, /) -> tuple[int, int, int]:
    """Returns the entry of a decision: its segment, the key of its event id, its number."""
    return number >> _SEGMENT_BITS, event_key(event_id), number


class SqliteUnsettledIndex:
    """An ``UnsettledIndex`` on the connections of a loop's event log."""

    def __init__(self, events: SqliteEvents, /) -> None:
        self._events = events

    def find_unsettled(self, event_id: str, /, *, settled: int) -> Sequence[int]:
        """Returns the numbers of the decisions after ``settled`` with this event id, in order.

        Raises:
            StoreUnavailable: the log can't be read, or the index not be filled now.
        """
        writing, reading = self._events.connections
        keyed = add_keys(writing, reading, settled=settled, most=_MOST_ADDED)
        rows = reading.rows(_SQL["find_keys"], (event_key(event_id),))
        found = [
            number for (number,) in rows if settled < number <= keyed and _has_id(reading, number, event_id)
        ]
        # Nothing as a rule: a log that was long when the index came into it is added in many parts.
        return [*found, *(number for (number,) in reading.rows(_SQL["find_after"], (keyed, event_id)))]


def _has_id(reading: SqliteConnection, number: int, event_id: str) -> bool:
    # Another event may have the same key, and retention may have removed the decision.
    return any(found == event_id for _, found, _ in reading.rows(_SQL["decision"], (number,)))


def add_keys(writing: SqliteConnection, reading: SqliteConnection, /, *, settled: int, most: int) -> int:
    """Adds the decisions that are not in the index yet, about ``most`` of them; removes those settled long ago.

    Returns:
        Up to which number decisions are in it, or settled.

    Raises:
        StoreUnavailable: the log can't be read or written now; what was added stays.
    """
    added = 0
    while True:
        keyed: int = reading.rows(_SQL["keyed"])[0][0]
        rows = reading.rows(_SQL["event_ids"], (max(keyed, settled), _BATCH)) if added < most else ()
        if not rows:
            return max(keyed, settled)
        keys = [key_of(number, event_id) for number, event_id in rows if event_id]
        with writing.transaction() as raw:
            # Nothing, if another process has added them meanwhile.
            if raw.execute(_SQL["advance_keyed"], (rows[-1][0], keyed)).rowcount:
                raw.executemany(_SQL["add_key"], keys)
                raw.execute(_SQL["remove_keys"], (settled >> _SEGMENT_BITS,))
        added += len(rows)
