"""A data folder of schema version 1 opens, keeps what is in it, and can be used.

``version_1`` holds the schemas as they were; the bodies are written here as that version wrote them.
"""

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Thread

import msgspec
import pytest

from sartor.errors import StoreUnavailable
from sartor.ports import LoopStores
from sartor.records import Cursor, JoinedObservation, Observation, Settlement
from sartor.stores import connection as connection_module
from sartor.stores import schema
from sartor.stores.audit import SqliteAudit
from sartor.stores.connection import SqliteConnection
from sartor.stores.key_encryption import KeyEncryption
from sartor.stores.outcomes import event_key
from sartor.stores.schema import read_migration
from sartor.stores.stores import SqliteStores, open_stores
from sartor.testing.builders import make_decision, make_loop, make_outcome

SCHEMAS = Path(__file__).with_name("version_1")
KINDS = ("events", "outcomes", "catalog")
SECRET = b"a secret for the keys of loops, long enough"
LOOP = make_loop("articles")

packed = msgspec.msgpack.encode


def made(path: Path, kind: str, *, owner: str = "") -> sqlite3.Connection:
    """A database of version 1."""
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.executescript((SCHEMAS / f"{kind}.sql").read_text())
    database.execute("INSERT INTO about (one, owner) VALUES (1, ?)", (owner,))
    return database


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A loop with two decisions, a reward, an outcome and a model, as version 1 left it."""
    loop_folder = tmp_path / "loops" / LOOP.name
    (loop_folder / "models").mkdir(parents=True)
    (loop_folder / "models" / "m1.vw").write_bytes(b"bytes")
    with closing(made(tmp_path / "catalog.sqlite", "catalog")) as catalog:
        encrypted = KeyEncryption(SECRET).encrypt(
            msgspec.json.encode((LOOP.key1, LOOP.key2)), bound_to=LOOP.loop_id
        )
        row = (LOOP.loop_id, LOOP.name, LOOP_BODY, encrypted)
        catalog.execute("INSERT INTO loops (loop_id, name, body, keys) VALUES (?, ?, ?, ?)", row)
    with closing(made(loop_folder / "events.sqlite", "events", owner=LOOP.loop_id)) as events:
        for seq in (1, 2):
            decision = (seq, 10 * seq, f"event-{seq}", 0, decision_body(seq))
            events.execute("INSERT INTO decisions VALUES (?, ?, ?, ?, ?)", decision)
        events.execute("INSERT INTO observations VALUES (1, 15, 'event-1', 0.5)")
    with closing(made(loop_folder / "outcomes.sqlite", "outcomes", owner=LOOP.loop_id)) as outcomes:
        body = packed([1, "event-1", 0.5, True, [[1, 15, 0.5]], 16, 1])
        outcomes.execute("INSERT INTO outcomes VALUES (1, 1, ?, ?)", (event_key("event-1"), body))
        outcomes.execute("UPDATE progress SET decisions = 1, observations = 1, outcomes = 1, learnable = 1")
        model = ("m1", packed(MODEL), DIGEST)
        outcomes.execute("INSERT INTO models (model_id, lineage, digest) VALUES (?, ?, ?)", model)
        outcomes.execute("UPDATE live SET model_id = 'm1'")
    return tmp_path


LOOP_BODY = (
    '{"name":"articles","loop_id":"id-of-articles","key1":"","key2":"","policy_name":"default",'
    '"arguments":"--cb_explore_adf","settings":{"rewardWaitTime":"PT60S","defaultReward":0.0,'
    '"rewardAggregation":"earliest","explorationPercentage":0.2,"modelExportFrequency":"PT300S",'
    '"modelAutoPublish":true,"modelRetrainDays":2,"learnWhen":"reward"},"version":4,"created_at_us":5}'
)

MODEL = {
    "model_id": "m1",
    "parent_id": None,
    "arguments": "--cb_explore_adf",
    "settings_version": 1,
    "first_outcome": 1,
    "last_outcome": 1,
    "learned": 1,
    "created_at_us": 17,
}

DIGEST = hashlib.blake2b(b"bytes", digest_size=16).digest()


def decision_body(number: int) -> bytes:
    decision = make_decision(f"event-{number}")
    fields = msgspec.to_builtins(decision, builtin_types=(bytes,))
    return packed(fields[:11])


@pytest.fixture
def stores(folder: Path) -> Iterator[SqliteStores]:
    stores = open_stores(folder, master_key=SECRET)
    yield stores
    stores.close()


@pytest.fixture
def opened(stores: SqliteStores) -> Iterator[LoopStores]:
    opened = stores.open(LOOP)
    yield opened
    opened.close()


def test_the_loop_is_as_it_was(stores: SqliteStores) -> None:
    (loop,) = stores.catalog.loops()
    assert (loop.name, loop.key1, loop.key2, loop.version) == (LOOP.name, LOOP.key1, LOOP.key2, 4)
    assert (loop.generation, loop.first_outcome, loop.edited_at_us) == (1, None, 0)
    assert loop.settings.reward_wait_time.total_seconds() == 60
    assert loop.settings.learning_mode == "Online"


def test_the_log_is_as_it_was(opened: LoopStores) -> None:
    found = opened.events.decisions(after=0, limit=9)
    assert [(one.seq, one.at_us) for one in found] == [(1, 10), (2, 20)]
    assert [one.decision for one in found] == [make_decision("event-1"), make_decision("event-2")]
    (observed,) = opened.events.observations(after=0, limit=9)
    assert observed.observation == Observation(event_id="event-1", reward=0.5)
    (outcome,) = opened.outcomes.outcomes_of("event-1")
    assert outcome.outcome.joined == (JoinedObservation(1, 15, 0.5),)
    assert outcome.outcome.slot_rewards == ()
    counts = opened.outcomes.counts()
    assert (counts.outcomes, counts.learnable, counts.cursor) == (1, 1, Cursor(1, 1))
    assert (counts.revision, counts.first_outcome, counts.forgotten) == (0, 1, 0)


def test_the_model_is_as_it_was(opened: LoopStores) -> None:
    live = opened.models.live()
    assert live is not None
    assert (live.model_id, live.generation, live.base_id, live.revision) == ("m1", 1, None, 0)
    assert opened.models.blob("m1") == b"bytes"


def test_it_works_on(stores: SqliteStores, opened: LoopStores) -> None:
    slotted = Observation(event_id="event-2", reward=1.0, slot="banner")
    opened.events.append([make_decision("event-3"), slotted])
    assert [head.seq for head in opened.events.heads(after=0, limit=9)] == [1, 2, 3]
    assert opened.events.observations(after=1, limit=9)[0].observation == slotted
    settled = Settlement(outcomes=(make_outcome(2),), unmatched=(), cursor=Cursor(2, 2))
    opened.outcomes.record(settled)
    assert opened.outcomes.amend([make_outcome(1, reward=0.25)]) == 1
    days = stores.usage(LOOP, from_us=0, to_us=20)
    assert [(day.decisions, day.rewards) for day in days] == [(2, 1)]
    assert stores.apply_retention(LOOP, before_us=1_000) == 3
    assert [one.seq for one in opened.outcomes.outcomes(after=0, limit=9)] == [2]


@pytest.mark.parametrize("kind", KINDS)
def test_a_migrated_file_has_the_tables_of_a_new_one(tmp_path: Path, kind: str) -> None:
    old, new = tmp_path / "old.sqlite", tmp_path / "new.sqlite"
    made(old, kind).close()
    for path in (old, new):
        connection = SqliteConnection(path, kind)
        connection.rows("SELECT 1")
        connection.close()
    assert tables(old) == tables(new)


def tables(path: Path) -> dict[str, object]:
    """The columns of each table, the indexes, and the version."""
    with closing(sqlite3.connect(path)) as database:
        names = [name for (name,) in database.execute("SELECT name FROM sqlite_schema ORDER BY name")]
        columns = {name: database.execute(f"PRAGMA table_info({name})").fetchall() for name in names}
        return columns | {"version": database.execute("PRAGMA user_version").fetchone()}


def test_two_that_open_it_at_once_migrate_it_once(folder: Path) -> None:
    path = folder / "loops" / LOOP.name / "events.sqlite"
    connections = [SqliteConnection(path, "events", owner=LOOP.loop_id) for _ in range(4)]
    found: list[int] = []

    def read(connection: SqliteConnection) -> None:
        found.append(len(connection.rows("SELECT slot FROM observations")))

    readers = [Thread(target=read, args=(connection,)) for connection in connections]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    for connection in connections:
        connection.close()
    assert found == [1, 1, 1, 1]


def test_a_migration_that_fails_changes_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder / "loops" / LOOP.name / "events.sqlite"
    before = tables(path)
    monkeypatch.setattr(schema, "read_migration", failing_migration)
    connection = SqliteConnection(path, "events", owner=LOOP.loop_id)
    with pytest.raises(Exception, match="no such table"):
        connection.rows("SELECT 1")
    assert tables(path) == before
    monkeypatch.undo()
    assert connection.rows("SELECT slot FROM observations") == [(None,)]
    connection.close()


def failing_migration(kind: str, version: int) -> list[str]:
    """A migration that ends with a statement that can't be carried out."""
    return [*read_migration(kind, version), "DELETE FROM nowhere"]


def test_a_file_that_can_not_be_written_is_not_migrated_and_says_so(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_module, "BUSY_S", 0.05)
    path = folder / "loops" / LOOP.name / "events.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        connection = SqliteConnection(path, "events", owner=LOOP.loop_id)
        with pytest.raises(StoreUnavailable, match="locked"):
            connection.rows("SELECT 1")
    assert connection.rows("SELECT slot FROM observations") == [(None,)]
    connection.close()


def test_the_entries_of_a_loop_are_found_after_the_migration(tmp_path: Path) -> None:
    """Also beside an entry that is damaged: it belongs to no loop, and keeps nothing from being opened."""
    path = tmp_path / "catalog.sqlite"
    raw = made(path, "catalog")
    for version in (2, 3, 4):
        for statement in read_migration("catalog", version):
            raw.execute(statement)
    for seq, body in enumerate((b'{"by":"a","action":"one","loop_id":"l"}', b"\xff{", b"{"), 1):
        raw.execute("INSERT INTO audit VALUES (?, 0, ?, ?)", (seq, body, b""))
    raw.close()
    connection = SqliteConnection(path, "catalog")
    audit = SqliteAudit(connection, clock_us=lambda: 0)
    assert [(one.seq, one.entry.action) for one in audit.last_of("l", 9)] == [(1, "one")]
    connection.close()
