"""The target of a mirror is sealed like the keys of its loop, in new catalogs and in older ones."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from sartor.management import backups, loops
from sartor.ports import Loop
from sartor.stores.audited import AuditedStores, audited
from sartor.stores.key_encryption import KeyEncryption
from sartor.stores.stores import SqliteStores, open_stores
from sartor.testing.builders import make_loop
from tests.unit.searching import find_files

SIGNATURE = b"very-secret-signature"
TARGET = f"https://account.blob.core.windows.net/logs?sp=racwl&sig={SIGNATURE.decode()}"
MASTER = b"a master key from outside"


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[SqliteStores]:
    stores = open_stores(tmp_path / "data", master_key=MASTER)
    stores.catalog.create(make_loop("shop"))
    yield stores
    stores.close()


def make_old(folder: Path, *, times: int = 1) -> None:
    """Write the loops of a catalog as version 3 wrote them: their targets in clear, in free pages too."""
    stores = open_stores(folder, master_key=MASTER)
    found = [*stores.catalog.loops(), *stores.catalog.deleted()]
    stores.close()
    with closing(sqlite3.connect(folder / "catalog.sqlite", isolation_level=None)) as raw:
        raw.execute("PRAGMA secure_delete = OFF")
        for round_ in range(times):
            for loop in found:
                tags = {"filling": "x" * 20_000} if round_ < times - 1 else {}
                put_old(raw, replace(loop, terms=replace(loop.terms, tags=tags)))
        raw.execute("ALTER TABLE state DROP COLUMN sealing")
        raw.execute("PRAGMA user_version = 3")


def put_old(raw: sqlite3.Connection, loop: Loop) -> None:
    fields = msgspec.to_builtins(replace(loop, key1="", key2=""))
    del fields["mirror_by_operator"]
    keys = KeyEncryption(MASTER).encrypt(msgspec.json.encode((loop.key1, loop.key2)), bound_to=loop.loop_id)
    row = (msgspec.json.encode(fields).decode(), keys, loop.loop_id)
    raw.execute("UPDATE loops SET body = ?, keys = ? WHERE loop_id = ?", row)


def set_target(stores: SqliteStores | AuditedStores, target: str, name: str = "shop", **how: bool) -> Loop:
    return loops.change_settings(stores, name, {"logMirrorEnabled": True, "logMirrorSasUri": target}, **how)


def test_no_file_holds_the_signature(stores: SqliteStores, tmp_path: Path) -> None:
    by_somebody = audited(stores, "ada on this machine")
    for target in (TARGET, TARGET + "2", TARGET):
        set_target(by_somebody, target)
    (loop,) = stores.catalog.loops()
    assert loop.settings.log_mirror_sas_uri == TARGET
    assert find_files(tmp_path, SIGNATURE) == []
    stores.back_up(loop, tmp_path / "shop.backup")
    assert "shop.backup" in find_files(tmp_path, b"rewardWaitTime")  # it is looked into
    stores.catalog.delete("shop", recoverable_until_us=2**60)
    assert stores.catalog.recover(loop.loop_id).settings.log_mirror_sas_uri == TARGET
    stores.close()
    assert find_files(tmp_path, SIGNATURE) == []


@pytest.mark.parametrize("by_operator", [True, False])
def test_who_chose_the_target_is_sealed_with_it(
    stores: SqliteStores, tmp_path: Path, by_operator: bool
) -> None:
    loop = set_target(stores, "/srv/logs", by_operator=by_operator)
    assert stores.catalog.loops() == [loop]
    with closing(sqlite3.connect(tmp_path / "data" / "catalog.sqlite")) as raw:
        forged = "UPDATE loops SET body = json_set(body, '$.mirror_by_operator', json('true'))"
        raw.execute(forged)
        raw.commit()
    assert [one.mirror_by_operator for one in stores.catalog.loops()] == [by_operator]


def test_an_older_catalog_is_sealed_when_it_is_opened(stores: SqliteStores, tmp_path: Path) -> None:
    by_somebody = audited(stores, "ada on this machine")
    stores.catalog.create(make_loop("other"))
    stores.catalog.create(make_loop("deleted"))
    for name in ("shop", "other", "deleted"):
        set_target(by_somebody, TARGET, name)
    stores.catalog.delete("deleted", recoverable_until_us=2**60)
    stores.close()
    make_old(tmp_path / "data", times=4)
    assert find_files(tmp_path, SIGNATURE) == ["catalog.sqlite"]
    again = open_stores(tmp_path / "data", master_key=MASTER)
    found = [*again.catalog.loops(), *again.catalog.deleted()]
    assert {loop.name: loop.settings.log_mirror_sas_uri for loop in found} == dict.fromkeys(
        ("shop", "other", "deleted"), TARGET
    )
    assert all(loop.mirror_by_operator for loop in found)
    assert find_files(tmp_path, SIGNATURE) == []  # neither in the write-ahead log, while it is open
    again.close()
    assert find_files(tmp_path, SIGNATURE) == []


@pytest.mark.parametrize(
    ("by", "target", "is_operators"),
    [
        ("ada on this machine", "/srv/logs", True),
        ("ada on this machine", "memory://logs", True),
        ("ada on this machine", "dir://x::file:///srv", True),
        ("key 1 of shop", "memory://logs", False),
        ("key 2 of shop", "dir://x::file:///srv", False),
        ("token of eve on this machine", "memory://logs", False),
        ("", "/srv/logs", True),
        ("", "file:///srv/logs", True),
        ("", "memory://logs", False),
        ("", "simplecache::file:///srv", False),
        ("", TARGET, False),
    ],
)
def test_the_audit_log_says_who_chose_an_older_target(
    stores: SqliteStores, tmp_path: Path, by: str, target: str, is_operators: bool
) -> None:
    """Without an entry a path is the operator's: callers never could name one."""
    if by:
        set_target(audited(stores, "somebody else on this machine"), "/srv/before")
        set_target(audited(stores, by), target)
        loops.change_settings(audited(stores, "bob on this machine"), "shop", {"defaultReward": 0.5})
    else:
        set_target(stores, target)
    stores.close()
    make_old(tmp_path / "data")
    again = open_stores(tmp_path / "data", master_key=MASTER)
    (loop,) = again.catalog.loops()
    again.close()
    assert (loop.settings.log_mirror_sas_uri, loop.mirror_by_operator) == (target, is_operators)


def test_a_loop_that_can_not_be_read_keeps_no_other_from_being_sealed(
    stores: SqliteStores, tmp_path: Path
) -> None:
    stores.catalog.create(make_loop("a-broken-one"))
    for name in ("shop", "a-broken-one"):
        set_target(stores, TARGET, name)
    stores.close()
    make_old(tmp_path / "data")
    catalog = tmp_path / "data" / "catalog.sqlite"
    with closing(sqlite3.connect(catalog)) as raw:
        (keys,) = raw.execute("SELECT keys FROM loops WHERE name = 'a-broken-one'").fetchone()
        raw.execute("UPDATE loops SET keys = x'00' WHERE name = 'a-broken-one'")
        raw.commit()
    open_and_ask(tmp_path)
    with closing(sqlite3.connect(catalog)) as raw:
        bodies = dict(raw.execute("SELECT name, body FROM loops").fetchall())
        assert SIGNATURE.decode() not in bodies["shop"]
        raw.execute("UPDATE loops SET keys = ? WHERE name = 'a-broken-one'", (keys,))
        raw.commit()
    open_and_ask(tmp_path)  # what could not be done is done when it can
    assert find_files(tmp_path, SIGNATURE) == []


def open_and_ask(tmp_path: Path) -> None:
    stores = open_stores(tmp_path / "data", master_key=MASTER)
    stores.catalog.version()
    stores.close()


def test_a_reader_that_holds_old_pages_delays_the_scrubbing_only(stores: SqliteStores, tmp_path: Path) -> None:
    set_target(stores, TARGET)
    stores.close()
    make_old(tmp_path / "data")
    with closing(sqlite3.connect(tmp_path / "data" / "catalog.sqlite", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM loops").fetchall()
        open_and_ask(tmp_path)
    open_and_ask(tmp_path)
    assert find_files(tmp_path, SIGNATURE) == []


def test_an_older_backup_comes_back_and_its_target_is_nobodys(stores: SqliteStores) -> None:
    """Nothing vouches for a target in clear: it is judged by what callers may name."""
    loop = replace(set_target(stores, "/srv/logs"), key1="", key2="")
    fields = msgspec.to_builtins(loop) | {"mirror_by_operator": True}
    keys = KeyEncryption(MASTER).encrypt(b'["one","two"]', bound_to=loop.loop_id)
    found = stores.catalog.decrypt(msgspec.json.encode(fields).decode(), keys, loop_id=loop.loop_id)
    assert (found.settings.log_mirror_sas_uri, found.key1, found.key2) == ("/srv/logs", "one", "two")
    assert not found.mirror_by_operator


def test_a_backup_keeps_the_target_here_and_loses_it_elsewhere(stores: SqliteStores, tmp_path: Path) -> None:
    loop, file = set_target(stores, TARGET), tmp_path / "shop.backup"
    stores.back_up(loop, file)
    stores.catalog.delete("shop")
    stores.purge()
    here = backups.restore_loop(audited(stores, "ada on this machine"), file)
    assert (here.settings.log_mirror_sas_uri, here.mirror_by_operator) == (TARGET, True)
    other = open_stores(tmp_path / "elsewhere")
    there = backups.restore_loop(audited(other, "ada on this machine"), file, from_another_instance=True)
    other.close()
    assert (there.settings.log_mirror_sas_uri, there.settings.log_mirror_enabled) == (None, False)
    assert not there.mirror_by_operator
