"""The SQLite store of one instance: a data folder that holds everything (see ``layout``)."""

import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
from msgspec.structs import replace

from sartor.clocks import ReadUptime, read_uptime
from sartor.errors import Corrupt, StoreUnavailable
from sartor.loops import Loop, RestoreChecks
from sartor.problems import Damage
from sartor.records import Usage
from sartor.settings import Durability
from sartor.stores import backup, usage
from sartor.stores.audit import SqliteAudit
from sartor.stores.backup_contents import UnpackedBackup
from sartor.stores.blobs import FileBlobStore
from sartor.stores.catalog import SqliteCatalog
from sartor.stores.catalog_rows import CatalogRows
from sartor.stores.catalog_sealing import CatalogSealing
from sartor.stores.checkpoint import checkpoint_wal, has_grown, is_due, is_quiet
from sartor.stores.clock_record import FileClockRecords
from sartor.stores.connection import SqliteConnection
from sartor.stores.decision_keys import MOST_KEYED, SqliteUnsettledIndex, add_keys
from sartor.stores.erasure import Erasure
from sartor.stores.events import SqliteEvents
from sartor.stores.file_marks import FileMarks
from sartor.stores.history import SqliteHistory
from sartor.stores.jobs import SqliteJobs
from sartor.stores.key_encryption import EncryptedSecrets, KeyEncryption, read_master_key
from sartor.stores.layout import Layout, check_id, remove_folder
from sartor.stores.loop_folders import LoopFolders
from sartor.stores.made_files import MadeFiles
from sartor.stores.models import SqliteModelNotes, SqliteModels
from sartor.stores.outcomes import SqliteOutcomes
from sartor.stores.process_reports import FileProcessReports
from sartor.stores.repair import LoopRepair
from sartor.stores.retention import Retention
from sartor.stores.write_probe import WriteProbe
from sartor.times import now_us

RESTARTS_EVERY_S = 0.9
"""Seconds between two restarts of a write-ahead log that has grown, over all loops, at least."""


def open_stores(
    folder: Path,
    /,
    *,
    durability: Durability = "commit",
    master_key: bytes | None = None,
    clock_us: Callable[[], int] = now_us,
    uptime: ReadUptime | None = None,
) -> "SqliteStores":
    """Opens everything that an instance keeps, in this folder; created at first use.

    Args:
        folder: the data folder.
        durability: ``fsync``: each commit of a loop waits for the disk. The catalog always waits.
        master_key: encrypts the keys of loops, 16 bytes at least; by default the text in ``secret.key``,
            created at first use.
        clock_us: microseconds since 1970.
        uptime: how long the machine runs, by which a clock that is set shows; by default it is read where
            ``clock_us`` is that of the machine.

    Raises:
        StoreUnavailable: the folder can't be created or written.
        Corrupt: there is a catalog, but not the secret key by which it is encrypted.
        InvalidSetting: the master key is too short.
    """
    layout = Layout(folder)
    layout.prepare()
    # Before the key is looked for: another process may be creating both, the key first.
    has_catalog = layout.catalog.exists()
    layout.note_catalog()
    if master_key is None:
        master_key = read_master_key(layout.secret_key, must_exist=has_catalog)
    encryption = KeyEncryption(master_key)
    uptime = uptime or (read_uptime if clock_us is now_us else lambda: None)
    return SqliteStores(layout, encryption, durability=durability, clock_us=clock_us, uptime=uptime)


class SqliteLoopStores:
    """The stores of one loop. Open one for each thread; files and connections are opened at first use."""

    def __init__(
        self,
        folder: Path,
        /,
        *,
        loop_id: str,
        durability: Durability,
        clock_us: Callable[[], int],
        made: MadeFiles,
        uptime: ReadUptime,
    ) -> None:
        self._connection = SqliteConnection(
            folder / "outcomes.sqlite", "outcomes", owner=loop_id, durability=durability, made=made
        )
        self.outcomes = SqliteOutcomes(self._connection)
        self.models = SqliteModels(folder / "models", self._connection)
        self.notes = SqliteModelNotes(folder / "models", self._connection)
        self.events = SqliteEvents(
            folder,
            loop_id=loop_id,
            durability=durability,
            clock_us=clock_us,
            uptime=uptime,
            settled=lambda: self.outcomes.counts().cursor,
            made=made,
        )
        self.history = SqliteHistory(self.events)
        self.unsettled = SqliteUnsettledIndex(self.events)
        self.jobs = SqliteJobs(folder, loop_id=loop_id, made=made)
        self._marks = FileMarks([folder / "events.sqlite", folder / "outcomes.sqlite"])
        self.blobs = FileBlobStore(folder, loop_id=loop_id)

    def mark(self) -> Hashable:
        """Returns a mark of events, outcomes and models: an equal one later says that nothing was committed."""
        return self._marks.read()

    def check(self) -> None:
        """Opens events and outcomes, and reads the newest of each, as if an event were to be committed.

        Raises:
            StoreUnavailable: one of them can't be opened.
            Corrupt: one is damaged.
        """
        self.outcomes.counts()
        self.events.horizon()

    def close(self) -> None:
        """Releases files and connections; idempotent."""
        self.events.close()
        self.jobs.close()
        self._connection.close()


class SqliteStores:
    """A ``Stores`` in one folder. ``close`` it at the end."""

    def __init__(
        self,
        layout: Layout,
        encryption: KeyEncryption,
        /,
        *,
        durability: Durability,
        clock_us: Callable[[], int],
        uptime: ReadUptime,
    ) -> None:
        self._layout = layout
        self._durability: Durability = durability
        self._clock_us = clock_us
        self._uptime = uptime
        rows = CatalogRows(encryption)
        self._connection = SqliteConnection(
            layout.catalog, "catalog", durability="fsync", on_open=CatalogSealing(rows).run, made=layout.made
        )
        self._write_probe = WriteProbe(layout)
        self._restarted_s = -RESTARTS_EVERY_S
        self.audit = SqliteAudit(self._connection, clock_us=clock_us)
        self.catalog = SqliteCatalog(layout, self._connection, rows, self.audit)
        self._folders = LoopFolders(layout, self.catalog)
        self.reports = FileProcessReports(layout.reports)
        self.clock = FileClockRecords(layout.root)
        self._secrets = EncryptedSecrets(layout, encryption)
        self._encryption = encryption

    def open(self, loop: Loop, /) -> SqliteLoopStores:
        """Opens the stores of a loop, created at first use. The caller closes them.

        Raises:
            LoopDeleted: it was deleted.
            StoreUnavailable: its folder can't be created.
            InvalidSetting: its name can't be a folder's.
        """
        return SqliteLoopStores(
            self._folders.find(loop),
            loop_id=loop.loop_id,
            durability=self._durability,
            clock_us=self._clock_us,
            made=self._layout.made,
            uptime=self._uptime,
        )

    def maintain(self, loop: Loop, /, *, sparing: bool = False) -> bool:
        """Counts the new events of the loop, and copies its write-ahead logs back; whether any was due.

        Args:
            loop: the loop.
            sparing: only the logs that have grown, or were left alone for a while: each time costs the next
                commit a wait for the disk.

        Raises:
            StoreUnavailable: its folder can't be written now.
        """
        folder = self._layout.loop(loop.name)
        due = is_quiet if sparing else is_due
        kinds = [kind for kind in ("events", "outcomes", "jobs") if due(f"{folder}/{kind}.sqlite")]
        busy = sparing and not kinds and self._may_restart(f"{folder}/events.sqlite")
        if busy:
            kinds = ["events"]
        if "events" in kinds:
            with self._connect(loop) as (events, outcomes):
                usage.count_usage(events)
                settled = SqliteOutcomes(outcomes).counts().cursor.decisions
                add_keys(events, events, settled=settled, most=MOST_KEYED)
        for kind in kinds:
            checkpoint_wal(
                folder / f"{kind}.sqlite", kind, owner=loop.loop_id, busy=busy, made=self._layout.made
            )
        return bool(kinds)

    def _may_restart(self, path: str) -> bool:
        """Whether a log has grown, and none was restarted just now: each restart costs an api process 4 ms."""
        now_s = time.monotonic()
        if not has_grown(path) or now_s - self._restarted_s < RESTARTS_EVERY_S:
            return False
        self._restarted_s = now_s
        return True

    def apply_retention(self, loop: Loop, /, *, before_us: int) -> int:
        """Removes what was settled before a time; returns how many rows.

        Raises:
            StoreUnavailable: not everything could be removed; the next call continues.
        """
        with self._connect(loop) as (events, outcomes):
            while not usage.count_usage(events):  # what is removed was counted before
                pass
            folder = self._layout.loop(loop.name)
            return Retention(folder, events, outcomes, loop_id=loop.loop_id).remove(before_us=before_us)

    def usage(self, loop: Loop, /, *, from_us: int, to_us: int) -> Sequence[Usage]:
        """Returns the days that overlap a time range and saw an event, in order.

        Raises:
            StoreUnavailable: the log can't be read now.
        """
        with self._connect(loop) as (events, _):
            return usage.read_usage(events, from_us=from_us, to_us=to_us)

    def erase(self, loop: Loop, /, *, decisions: Sequence[int]) -> Sequence[int]:
        """Blanks decisions and what belongs to them; returns those that are still open.

        Raises:
            StoreUnavailable: not everything is done, or readers keep old pages in use.
        """
        with self._connect(loop, overwrites=True) as (events, outcomes):
            return Erasure(events, outcomes).erase(decisions)

    @contextmanager
    def _connect(
        self, loop: Loop, *, overwrites: bool = False
    ) -> Iterator[tuple[SqliteConnection, SqliteConnection]]:
        """Opens connections to the events and the outcomes of a loop for the length of a piece of work."""
        folder = self._folders.find(loop, is_listed=True)
        events, outcomes = (
            SqliteConnection(
                folder / f"{kind}.sqlite",
                kind,
                owner=loop.loop_id,
                durability=self._durability,
                checkpoints=False,
                overwrites=overwrites,
                made=self._layout.made,
            )
            for kind in ("events", "outcomes")
        )
        try:
            yield events, outcomes
        finally:
            events.close()
            outcomes.close()

    def purge(self, *, now_us: int | None = None) -> Sequence[str]:
        """Removes deleted loops that can't be recovered any more, and what was left behind; returns their ids.

        Args:
            now_us: the time that counts; by default that of the clock.

        Raises:
            StoreUnavailable: some can't be removed now, the others are; the next purge continues.
        """
        self.catalog.set_aside_deleted()
        self._layout.remove_left_behind()
        now_us = self._clock_us() if now_us is None else now_us
        deleted = [loop.loop_id for loop in self.catalog.deleted() if loop.recoverable_until_us <= now_us]
        failures = []
        for loop_id in deleted:
            try:
                for remains in self._layout.remains(loop_id):
                    remove_folder(remains)
            except StoreUnavailable as error:
                failures.append(error)
            else:
                self.catalog.forget(loop_id)
        if failures:
            raise failures[0]
        return deleted

    def back_up(self, loop: Loop, target: Path, /) -> None:
        """Writes a loop to a file; its keys stay encrypted.

        Raises:
            StoreUnavailable: it can't be written.
        """
        body, keys = self.catalog.encrypt(loop)
        manifest = backup.BackupManifest(format=backup.FORMAT, loop_id=loop.loop_id, body=body, keys=keys)
        folder, key = self._folders.find(loop), self._encryption.backup_key
        with self._layout.staging("backup") as scratch:
            backup.pack(folder, target, manifest, key=key, scratch=scratch)

    def restore(
        self, source: Path, /, *, name: str | None, new_keys: tuple[str, str], checks: RestoreChecks
    ) -> Loop:
        """Restores a loop; with new keys, if another instance encrypted its old ones.

        Raises:
            LoopExists: the name is taken, or the loop exists.
            ForeignBackup: another instance wrote it, or an older version, and ``checks`` don't accept that.
            CallerError: it holds settings that ``checks`` don't accept.
            Corrupt: the file is no backup, is damaged, or holds a model that ``checks`` don't accept.
            StoreUnavailable: it can't be read, or the loop not be written.
        """
        with self._layout.staging("restore") as folder:
            loop = self._unpack(source, folder, new_keys, checks)
            loop = replace(loop, name=name or loop.name, version=loop.version + 1)
            self.catalog.add_restored(loop, lambda: self._layout.install(folder, loop.name))
        return loop

    def _unpack(self, source: Path, folder: Path, new_keys: tuple[str, str], checks: RestoreChecks) -> Loop:
        key, accepts = self._encryption.backup_key, checks.accepts_foreign
        with backup.open_backup(source, key=key, accepts_foreign=accepts, beside=folder) as opened:
            is_own = opened.origin == "own"
            loop = self._read_loop(opened.manifest, new_keys)
            loop = loop if is_own else checks.check_loop(loop)
            opened.unpack(folder)
            UnpackedBackup(folder, checks, loop_id=loop.loop_id, is_own=is_own).check()
        return loop

    def _read_loop(self, manifest: backup.BackupManifest, new_keys: tuple[str, str]) -> Loop:
        loop_id = check_id(manifest.loop_id)
        try:
            return self.catalog.decrypt(manifest.body, manifest.keys, loop_id=loop_id)
        except Corrupt:
            loop = msgspec.json.decode(manifest.body, type=Loop)
            # The target of its mirror is sealed like the keys, and as lost.
            mirrors = loop.settings.log_mirror_enabled and loop.settings.log_mirror_sas_uri is not None
            return replace(
                loop,
                loop_id=loop_id,
                key1=new_keys[0],
                key2=new_keys[1],
                settings=replace(loop.settings, log_mirror_enabled=mirrors),
                mirror_by_operator=False,
            )

    def find_damage(self, loop: Loop, /) -> Sequence[Damage]:
        """Returns what is damaged in the stores of a loop; reads every page of its databases."""
        return LoopRepair(self._layout, loop).find()

    def mend(self, loop: Loop, damage: Damage, /) -> str:
        """Mends what has a remedy, while no process uses the stores; returns what was done.

        Raises:
            StoreUnavailable: it can't be mended.
        """
        return LoopRepair(self._layout, loop).mend(damage)

    def check_writable(self) -> None:
        """Tries to commit something.

        Raises:
            StoreUnavailable: an event could not be committed now.
        """
        self._write_probe.check()

    def secret(self, name: str, make: Callable[[], bytes], /) -> bytes:
        """Returns a secret of the instance, made at first use and encrypted at rest.

        Raises:
            Corrupt: it was encrypted with another secret key, or is damaged.
            StoreUnavailable: it can't be read or written.
        """
        return self._secrets.secret(name, make)

    def close(self) -> None:
        """Releases files and connections; idempotent."""
        self._write_probe.close()
        self._connection.close()
