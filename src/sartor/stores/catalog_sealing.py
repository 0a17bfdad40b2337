"""Seals the targets of log mirrors in catalogs of older versions, which held them in clear, once."""

import sqlite3
from collections.abc import Iterator
from contextlib import suppress

import msgspec
from msgspec.structs import replace

from sartor.errors import SartorError
from sartor.records import AuditEntry
from sartor.stores.catalog_rows import CatalogRows
from sartor.stores.connection import Row
from sartor.stores.schema import read_statements

_SQL = read_statements("catalog")

_CLEAR, _SEALED, _SCRUBBED = 0, 1, 2
"""Stages of a catalog: of an older version; no clear target in a row; none in a byte of the file either."""

_decode_entry = msgspec.json.Decoder(AuditEntry).decode


class CatalogSealing:
    """Brings a catalog of an older version to what ``CatalogRows`` writes."""

    def __init__(self, rows: CatalogRows, /) -> None:
        self._rows = rows

    def run(self, raw: sqlite3.Connection, /) -> None:
        """Seals the targets in a catalog of an older version, and scrubs what they left in its file.

        Called when a connection is opened; what could not be done now is done at the next opening.

        Raises:
            sqlite3.Error: the catalog can't be read.
        """
        (stage,) = raw.execute(_SQL["sealing"]).fetchone()
        if stage == _SCRUBBED:
            return
        with suppress(sqlite3.DatabaseError):  # another process writes or reads, or the disk is full
            sealed, left = self._seal_rows(raw) if stage == _CLEAR else (0, 0)
            if left and not sealed:
                return
            raw.execute("VACUUM")
            (is_busy, *_) = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if not is_busy and not left:
                raw.execute(_SQL["set_sealing"], (_SCRUBBED,))

    def _seal_rows(self, raw: sqlite3.Connection) -> tuple[int, int]:
        """Seals all rows in one transaction; returns how many it sealed, and how many it had to leave."""
        sealed, left = 0, 0
        raw.execute("PRAGMA secure_delete = ON")
        raw.execute("BEGIN IMMEDIATE")
        try:
            for row in raw.execute(_SQL["all_loops"]).fetchall():
                try:
                    sealed += self._seal_row(raw, row)
                except (SartorError, ValueError):  # one that can't be read keeps no other from being sealed
                    left += 1
            if not left:
                raw.execute(_SQL["set_sealing"], (_SEALED,))
            raw.execute("COMMIT")
        except BaseException:
            raw.execute("ROLLBACK")
            raise
        return sealed, left

    def _seal_row(self, raw: sqlite3.Connection, row: Row) -> bool:
        """Seals a row; returns whether it was not sealed before."""
        loop_id, body, keys = bytes(row[0]).decode(), row[1], row[2]
        if self._rows.decrypt_secrets(keys, loop_id=loop_id).holds_target:
            return False
        loop = self._rows.decrypt(body, keys, loop_id=loop_id)
        target = loop.settings.log_mirror_sas_uri
        if target:
            loop = replace(loop, mirror_by_operator=_was_set_by_operator(raw, loop_id, target))
        raw.execute(_SQL["replace_loop"], (*self._rows.encrypt(loop), loop_id))
        return True


def _was_set_by_operator(raw: sqlite3.Connection, loop_id: str, target: str) -> bool:
    """Whether whoever runs the instance chose a target, as the audit log says.

    Where it does not say, a folder is the operator's: callers of the HTTP API never could name one by its path.
    """
    for entry in _read_entries(raw, loop_id):
        if entry.action == "restore":
            return False  # it came with a backup
        if entry.action == "update" and b'"logMirrorSasUri":"' in entry.after:
            is_local = entry.by.endswith(" on this machine") and not entry.by.startswith(("token of ", "key "))
            return is_local or entry.by == "the owner key"
    return "::" not in target and ("://" not in target or target.startswith("file://"))


def _read_entries(raw: sqlite3.Connection, loop_id: str) -> Iterator[AuditEntry]:
    """Yields the entries about a loop, newest first; one that can't be read is left out."""
    for (body,) in raw.execute(_SQL["audit_backwards"]):
        with suppress(msgspec.DecodeError):
            entry = _decode_entry(body)
            if entry.loop_id == loop_id:
                yield entry
