"""A change of one loop reads and decrypts one loop, however many there are."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from sartor.management import loops
from sartor.runtime.followed_loops import FollowedLoops
from sartor.stores.audited import audited
from sartor.stores.catalog_rows import CatalogRows, LoopSecrets
from sartor.stores.schema import read_statements
from sartor.stores.stores import SqliteStores, open_stores
from sartor.testing.builders import make_loop
from sartor.testing.stores import MemoryStores

COUNT = 60


class Decryptions:
    """How many loops were decrypted."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        decrypt = CatalogRows.decrypt_secrets

        def counting(rows: CatalogRows, keys: bytes, /, *, loop_id: str) -> LoopSecrets:
            self.count += 1
            return decrypt(rows, keys, loop_id=loop_id)

        monkeypatch.setattr(CatalogRows, "decrypt_secrets", counting)

    def take(self) -> int:
        count, self.count = self.count, 0
        return count


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[SqliteStores]:
    made = open_stores(tmp_path)
    for number in range(COUNT):
        made.catalog.create(make_loop(f"loop-{number:03d}"))
    yield made
    made.close()


def test_who_follows_decrypts_what_changed(stores: SqliteStores, monkeypatch: pytest.MonkeyPatch) -> None:
    decryptions = Decryptions(monkeypatch)
    followed = FollowedLoops(stores.catalog)
    followed.follow()
    assert decryptions.take() == COUNT
    for number in range(5):
        stores.catalog.update(replace(make_loop("loop-010"), policy_name=f"policy-{number}"))
        assert [loop.policy_name for loop in followed.follow().loops] == [f"policy-{number}"]
        assert decryptions.take() == 1
    stores.catalog.delete("loop-007")
    assert followed.follow().gone == ("id-of-loop-007",)
    assert decryptions.take() == 0


def test_a_change_of_settings_reads_a_few_loops_not_all(
    stores: SqliteStores, monkeypatch: pytest.MonkeyPatch
) -> None:
    decryptions = Decryptions(monkeypatch)
    loops.change_settings(audited(stores, "somebody"), "loop-050", {"defaultReward": 0.5})
    assert decryptions.take() <= 3


def test_a_change_among_a_thousand_in_memory_reads_a_few() -> None:
    stores = MemoryStores()
    for number in range(1_000):
        stores.catalog.create(make_loop(f"loop-{number:04d}"))
    loops.change_settings(audited(stores, "somebody"), "loop-0500", {"defaultReward": 0.5})
    assert stores.catalog.loops_read <= 3


def test_changes_are_found_by_an_index(stores: SqliteStores, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "catalog.sqlite")) as database:
        plan = database.execute(f"EXPLAIN QUERY PLAN {read_statements('catalog')['changes']}", (0,)).fetchall()
    assert any("loops_by_change" in step[-1] for step in plan)
