"""A catalog and an audit log in memory."""

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from sartor.errors import LoopExists, LoopNotFound
from sartor.loops import LoopChanges, UnreadableLoop
from sartor.ports import Loop
from sartor.records import AuditEntry, LoggedAuditEntry
from sartor.stores.audit import BEGINNING, chain_digest
from sartor.stores.layout import check_name
from sartor.testing.fakes import Disk


class MemoryAudit:
    """An ``AuditLog`` that lives as long as the object."""

    def __init__(self, *, clock_us: Callable[[], int], disk: Disk) -> None:
        self._clock_us = clock_us
        self._disk = disk
        self._entries: list[LoggedAuditEntry] = []

    def append(self, entry: AuditEntry, /) -> None:
        """Adds an entry."""
        self._disk.check()
        seq, digest, at_us = 1, BEGINNING, self._clock_us()
        if self._entries:
            last = self._entries[-1]
            seq, digest, at_us = last.seq + 1, last.digest, max(last.at_us, at_us)
        digest = chain_digest(digest, entry, seq=seq, at_us=at_us)
        self._entries.append(LoggedAuditEntry(seq=seq, at_us=at_us, entry=entry, digest=digest))

    def entries(self, *, after: int = 0, limit: int) -> Sequence[LoggedAuditEntry]:
        """Returns the next entries after a number, in order."""
        self._disk.check()
        return self._entries[after : after + limit]

    def last(self, limit: int, /) -> Sequence[LoggedAuditEntry]:
        """Returns the newest entries, newest first."""
        self._disk.check()
        return self._entries[::-1][:limit]

    def last_of(self, loop_id: str, limit: int, /) -> Sequence[LoggedAuditEntry]:
        """Returns the newest entries about the loop with this id, newest first."""
        self._disk.check()
        return [one for one in self._entries[::-1] if one.entry.loop_id == loop_id][:limit]


class MemoryCatalog:
    """A ``Catalog`` that lives as long as the object. It takes names that folders can have.

    Attributes:
        loops_read: how many loops it has handed out: what reading and decrypting them would have cost.
        damaged: reasons why the entries of loops of these names can't be read.
    """

    def __init__(self, audit: MemoryAudit, /, *, disk: Disk) -> None:
        self.damaged: dict[str, str] = {}
        self._audit = audit
        self._disk = disk
        self._loops: dict[str, Loop] = {}
        self._deleted: dict[str, Loop] = {}
        self._changed: dict[str, int] = {}
        self._forgotten = 0
        self._version = 0
        self.loops_read = 0

    def loops(self) -> Sequence[Loop]:
        """Returns all loops, by name."""
        self._disk.check()
        self.loops_read += len(self._loops)
        return [self._loops[name] for name in sorted(self._loops) if name not in self.damaged]

    def unreadable(self) -> Sequence[UnreadableLoop]:
        """Returns the loops in service whose names are in ``damaged``."""
        self._disk.check()
        return [
            UnreadableLoop(
                loop_id=loop.loop_id, name=name, keys=(loop.key1, loop.key2), reason=self.damaged[name]
            )
            for name, loop in sorted(self._loops.items())
            if name in self.damaged
        ]

    def find(self, name: str, /) -> Loop:
        """Returns the loop in service of that name.

        Raises:
            LoopNotFound: there is no such loop.
        """
        self.loops_read += 1
        return self._find(name)

    def find_by_id(self, loop_id: str, /) -> Loop | None:
        """Returns the loop in service with that id; None: there is none."""
        self._disk.check()
        self.loops_read += 1
        return next((loop for loop in self._loops.values() if loop.loop_id == loop_id), None)

    def changes(self, *, since: int | None) -> LoopChanges:
        """Returns what happened since a version; None: all loops."""
        self._disk.check()
        if since is None or not self._forgotten <= since <= self._version:
            loops, damaged = tuple(self.loops()), tuple(self.unreadable())
            return LoopChanges(version=self._version, loops=loops, unreadable=damaged, complete=True)
        changed = {loop_id for loop_id, version in self._changed.items() if version > since}
        loops = tuple(
            loop for loop in self._loops.values() if loop.loop_id in changed and loop.name not in self.damaged
        )
        damaged = tuple(loop for loop in self.unreadable() if loop.loop_id in changed)
        self.loops_read += len(loops)
        gone = tuple(loop_id for loop_id in self._deleted if loop_id in changed)
        return LoopChanges(version=self._version, loops=loops, unreadable=damaged, gone=gone)

    def create(self, loop: Loop, /, *, entry: AuditEntry | None = None) -> None:
        """Adds a loop.

        Raises:
            LoopExists: the name is taken.
            InvalidSetting: the name can't be a folder's.
        """
        self._disk.check()
        check_name(loop.name)
        if loop.name in self._loops:
            raise LoopExists(f"There is a loop {loop.name!r} already.")
        self._loops[loop.name] = loop
        self._note_change(entry, loop.loop_id)

    def update(self, loop: Loop, /, *, entry: AuditEntry | None = None) -> Loop:
        """Replaces the loop of that name and id; returns it with the next version.

        Raises:
            LoopNotFound: there is no such loop, or another one has taken its name.
        """
        stored = self._find(loop.name)
        if stored.loop_id != loop.loop_id:
            raise LoopNotFound(f"The loop {loop.name!r} was deleted.")
        updated = replace(loop, version=stored.version + 1)
        self._loops[loop.name] = updated
        self._note_change(entry, loop.loop_id)
        return updated

    def delete(self, name: str, /, *, recoverable_until_us: int = 0, entry: AuditEntry | None = None) -> None:
        """Takes a loop out of service.

        Raises:
            LoopNotFound: there is no such loop.
        """
        loop = replace(self._find(name), recoverable_until_us=recoverable_until_us)
        self._deleted[loop.loop_id] = loop
        del self._loops[name]
        self._note_change(entry, loop.loop_id)

    def deleted(self) -> Sequence[Loop]:
        """Returns the deleted loops that were not purged yet."""
        self._disk.check()
        return list(self._deleted.values())

    def recover(self, loop_id: str, /, *, name: str | None = None, entry: AuditEntry | None = None) -> Loop:
        """Puts a deleted loop back into service, under its name or another one.

        Raises:
            LoopNotFound: there is no such deleted loop.
            LoopExists: the name is taken.
            InvalidSetting: the name can't be a folder's.
        """
        loop = self._find_deleted(loop_id)
        name = check_name(name or loop.name)
        if name in self._loops:
            raise LoopExists(f"There is a loop {name!r} already.")
        self._loops[name] = replace(loop, name=name, version=loop.version + 1, recoverable_until_us=0)
        del self._deleted[loop_id]
        self._note_change(entry, loop_id)
        return self._loops[name]

    def give_up(self, loop_id: str, /, *, entry: AuditEntry | None = None) -> None:
        """Lets ``purge`` remove a deleted loop from now on.

        Raises:
            LoopNotFound: there is no such deleted loop.
        """
        self._deleted[loop_id] = replace(self._find_deleted(loop_id), recoverable_until_us=0)
        self._note_change(entry, loop_id)

    def forget(self, *, now_us: int) -> list[str]:
        """Removes the deleted loops that can't be recovered any more; returns their ids."""
        purged = [loop_id for loop_id, loop in self._deleted.items() if loop.recoverable_until_us <= now_us]
        for loop_id in purged:
            del self._deleted[loop_id]
            self._forgotten = max(self._forgotten, self._changed.pop(loop_id))
        return purged

    def version(self) -> int:
        """Returns how often the loops changed."""
        self._disk.check()
        return self._version

    def _note_change(self, entry: AuditEntry | None, loop_id: str) -> None:
        self._version += 1
        self._changed[loop_id] = self._version
        if entry is not None:
            self._audit.append(entry)

    def _find_deleted(self, loop_id: str) -> Loop:
        self._disk.check()
        if loop_id not in self._deleted:
            raise LoopNotFound(f"There is no deleted loop with the id {loop_id!r}.")
        return self._deleted[loop_id]

    def _find(self, name: str) -> Loop:
        self._disk.check()
        if name not in self._loops:
            raise LoopNotFound(f"There is no loop {name!r}.")
        return self._loops[name]
