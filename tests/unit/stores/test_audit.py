"""The activity log's table refuses to forget."""

import sqlite3
from pathlib import Path

import pytest

from sartor.records import Activity
from sartor.stores.folder import open_stores


@pytest.mark.parametrize(
    "sql", ["DELETE FROM audit", "UPDATE audit SET body = 'x'", "UPDATE audit SET seq = 9"]
)
def test_no_line_is_changed_or_removed(tmp_path: Path, sql: str) -> None:
    stores = open_stores(tmp_path)
    stores.audit.append(Activity(by="somebody", action="create"))
    stores.close()
    raw = sqlite3.connect(tmp_path / "catalog.sqlite")
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        raw.execute(sql)
    raw.close()
