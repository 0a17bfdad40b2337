"""The table of the audit log refuses changes, and forged entries are detected."""

import sqlite3
from pathlib import Path

import pytest

from sartor.management.audit_log import verify_audit
from sartor.records import AuditEntry
from sartor.stores.stores import open_stores


@pytest.mark.parametrize(
    "sql", ["DELETE FROM audit", "UPDATE audit SET body = 'x'", "UPDATE audit SET seq = 9"]
)
def test_no_entry_is_changed_or_removed(tmp_path: Path, sql: str) -> None:
    stores = open_stores(tmp_path)
    stores.audit.append(AuditEntry(by="somebody", action="create"))
    stores.close()
    raw = sqlite3.connect(tmp_path / "catalog.sqlite")
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        raw.execute(sql)
    raw.close()


@pytest.mark.parametrize(
    ("forgery", "line"),
    [
        ("UPDATE audit SET body = replace(body, 'somebody', 'nobody') WHERE seq = 2", 2),
        ("DELETE FROM audit WHERE seq = 1", 1),
        ("UPDATE audit SET at_us = at_us + 1 WHERE seq = 3", 3),
    ],
)
def test_an_entry_that_was_forged_all_the_same_is_detected(tmp_path: Path, forgery: str, line: int) -> None:
    stores = open_stores(tmp_path)
    for action in ("one", "two", "three"):
        stores.audit.append(AuditEntry(by="somebody", action=action))
    raw = sqlite3.connect(tmp_path / "catalog.sqlite", isolation_level=None)
    for trigger in ("audit_keeps_lines", "audit_keeps_words"):
        raw.execute(f"DROP TRIGGER {trigger}")
    raw.execute(forgery)
    raw.close()
    found = verify_audit(stores.audit)
    stores.close()
    assert not found.whole
    assert f"Line {line} " in found.problem
