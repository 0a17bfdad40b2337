"""The audit log of an instance, in the catalog's file: a change and its entry are one transaction.

Each entry carries a digest of itself and of the digest before it, so that an entry that was changed, removed or
inserted is detected. The table refuses to change or remove an entry.
"""

import sqlite3
from collections.abc import Callable, Sequence
from hashlib import sha256

import msgspec

from sartor.errors import Corrupt
from sartor.records import AuditEntry, LoggedAuditEntry
from sartor.stores.connection import Row, SqliteConnection
from sartor.stores.schema import read_statements

_SQL = read_statements("catalog")

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(AuditEntry).decode

BEGINNING = bytes(32)
"""The digest before the first entry."""


def chain_digest(before: bytes, entry: AuditEntry, /, *, seq: int, at_us: int) -> bytes:
    """Returns the digest (SHA-256) of an entry that follows one with the digest ``before``."""
    return sha256(before + _encode((seq, at_us)) + _encode(entry)).digest()


class SqliteAudit:
    """An ``AuditLog`` in ``catalog.sqlite``. ``write`` adds an entry to the transaction of a change."""

    def __init__(self, connection: SqliteConnection, /, *, clock_us: Callable[[], int]) -> None:
        self._connection = connection
        self._clock_us = clock_us

    def append(self, entry: AuditEntry, /) -> None:
        """Commits an entry about a change outside the catalog.

        Raises:
            StoreUnavailable: the catalog can't be written now.
        """
        with self._connection.transaction() as raw:
            self.write(raw, entry)

    def write(self, raw: sqlite3.Connection, entry: AuditEntry | None, /) -> None:
        """Adds an entry inside a transaction; nothing if ``entry`` is None."""
        if entry is None:
            return
        last_seq, last_us, last_digest = raw.execute(_SQL["last_activity"]).fetchone() or (0, 0, BEGINNING)
        seq, at_us = last_seq + 1, max(last_us, self._clock_us())
        digest = chain_digest(last_digest, entry, seq=seq, at_us=at_us)
        raw.execute(_SQL["add_activity"], (seq, at_us, _encode(entry), digest))

    def entries(self, *, after: int = 0, limit: int) -> Sequence[LoggedAuditEntry]:
        """Returns the next entries after a number, in order.

        Raises:
            StoreUnavailable: the catalog can't be read now.
        """
        return [_decode_row(row) for row in self._connection.rows(_SQL["activities"], (after, limit))]

    def last_of(self, loop_id: str, limit: int, /) -> Sequence[LoggedAuditEntry]:
        """Returns the newest entries about the loop with this id, newest first; reads no other ones.

        Raises:
            StoreUnavailable: the catalog can't be read now.
        """
        return [_decode_row(row) for row in self._connection.rows(_SQL["last_activities_of"], (loop_id, limit))]

    def last(self, limit: int, /) -> Sequence[LoggedAuditEntry]:
        """Returns the newest entries, newest first.

        Raises:
            StoreUnavailable: the catalog can't be read now.
        """
        return [_decode_row(row) for row in self._connection.rows(_SQL["last_activities"], (limit,))]


def _decode_row(row: Row) -> LoggedAuditEntry:
    seq, at_us, body, digest = row
    try:
        return LoggedAuditEntry(seq=seq, at_us=at_us, entry=_decode(body), digest=digest)
    except msgspec.DecodeError as error:
        raise Corrupt(f"Line {seq} of the audit log can't be read: {error}.") from error
