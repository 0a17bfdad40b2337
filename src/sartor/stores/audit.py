"""The activity log of an instance, in the catalog's file: a change and its line are one transaction.

Each line carries a digest of itself and of the digest before it, so that a line that was changed, removed or
put in between shows. The table refuses to change or remove a line.
"""

import sqlite3
from collections.abc import Callable, Sequence
from hashlib import sha256

import msgspec

from sartor.errors import Corrupt
from sartor.records import Activity, LoggedActivity
from sartor.stores.connection import Row, SqliteConnection
from sartor.stores.statements import statements

_SQL = statements("catalog")

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Activity).decode

BEGINNING = bytes(32)
"""The digest before the first line."""


def chain_digest(before: bytes, activity: Activity, /, *, seq: int, at_us: int) -> bytes:
    """What a line carries, after one that carries ``before``."""
    return sha256(before + _encode((seq, at_us)) + _encode(activity)).digest()


class SqliteAudit:
    """An ``AuditLog``; ``write`` is for changes of the same file that are to be committed with their change."""

    def __init__(self, connection: SqliteConnection, /, *, clock_us: Callable[[], int]) -> None:
        self._connection = connection
        self._clock_us = clock_us

    def append(self, activity: Activity, /) -> None:
        """Commit a change that changed nothing in the catalog.

        Raises:
            StoreUnavailable: the catalog can't be written now.
        """
        with self._connection.transaction() as raw:
            self.write(raw, activity)

    def write(self, raw: sqlite3.Connection, activity: Activity | None, /) -> None:
        """Add a line inside a transaction; nothing, if there is no activity."""
        if activity is None:
            return
        found = raw.execute(_SQL["last_activity"]).fetchone() or (0, 0, BEGINNING)
        seq, at_us = found[0] + 1, max(found[1], self._clock_us())
        made = chain_digest(found[2], activity, seq=seq, at_us=at_us)
        raw.execute(_SQL["add_activity"], (seq, at_us, _encode(activity), made))

    def activities(self, *, after: int = 0, limit: int) -> Sequence[LoggedActivity]:
        """The next changes after a number, in order.

        Raises:
            StoreUnavailable: the catalog can't be read now.
        """
        return [_logged(row) for row in self._connection.rows(_SQL["activities"], (after, limit))]

    def last(self, limit: int, /) -> Sequence[LoggedActivity]:
        """The newest changes, newest first.

        Raises:
            StoreUnavailable: the catalog can't be read now.
        """
        return [_logged(row) for row in self._connection.rows(_SQL["last_activities"], (limit,))]


def _logged(row: Row) -> LoggedActivity:
    seq, at_us, body, made = row
    try:
        return LoggedActivity(seq=seq, at_us=at_us, activity=_decode(body), digest=made)
    except msgspec.DecodeError as error:
        raise Corrupt(f"Line {seq} of the activity log can't be read: {error}.") from error
