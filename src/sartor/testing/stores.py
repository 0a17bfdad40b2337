"""All stores of one instance in memory: no files, any clock, and a disk that fails on demand.

    clock = Clock()
    stores = MemoryStores(clock_us=clock)
    log = stores.open(make_loop()).events
    log.append([make_decision("e1")])
    clock.advance(600)
    stores.disk.failing = True      # from here on, every call raises StoreUnavailable

Use it from one thread.
"""

from collections.abc import Callable, Hashable, Sequence

from msgspec.structs import replace

from sartor.errors import StoreUnavailable
from sartor.ports import Loop
from sartor.records import Usage
from sartor.testing.catalog import MemoryAudit, MemoryCatalog
from sartor.testing.clock_record import MemoryClockRecords
from sartor.testing.events import MemoryEvents
from sartor.testing.fakes import Disk
from sartor.testing.jobs import MemoryJobs
from sartor.testing.models import MemoryModelNotes, MemoryModels
from sartor.testing.outcomes import MemoryOutcomes
from sartor.testing.process_reports import MemoryProcessReports
from sartor.times import now_us


class MemoryLoopStores:
    """The stores of one loop; closing keeps what is in them."""

    def __init__(self, *, clock_us: Callable[[], int], disk: Disk) -> None:
        self.events = MemoryEvents(clock_us=clock_us, disk=disk)
        self.history = self.events
        self.unsettled = self.events
        self.outcomes = MemoryOutcomes(disk=disk)
        self.models = MemoryModels(disk=disk)
        self.jobs = MemoryJobs(disk=disk)
        self.notes = MemoryModelNotes(self.models, disk=disk)
        self.blobs = MemoryBlobStore(disk=disk)
        self.disk = disk

    def check(self) -> None:
        """Raises if the disk fails."""
        self.disk.check()

    def mark(self) -> Hashable:
        """Returns what differs after something was committed."""
        return self.events.mark(), self.outcomes.mark(), self.models.mark()

    def close(self) -> None:
        """Does nothing: there is nothing to release."""


class MemoryStores:
    """A ``Stores`` that lives as long as the object; opening a loop twice gives the same stores.

    Attributes:
        disk: fails on demand, for all loops.
        broken: names of loops that can't be opened.
    """

    def __init__(self, *, clock_us: Callable[[], int] = now_us) -> None:
        self.disk = Disk()
        self.broken: set[str] = set()
        self.audit = MemoryAudit(clock_us=clock_us, disk=self.disk)
        self.catalog = MemoryCatalog(self.audit, disk=self.disk)
        self.reports = MemoryProcessReports(disk=self.disk)
        self.clock = MemoryClockRecords(disk=self.disk)
        self._clock_us = clock_us
        self._secrets: dict[str, bytes] = {}
        self._loops: dict[str, MemoryLoopStores] = {}

    def open(self, loop: Loop, /) -> MemoryLoopStores:
        """Opens the stores of a loop, created at first use."""
        self.disk.check()
        if loop.name in self.broken:
            raise StoreUnavailable(f"The folder of {loop.name} can't be opened.")
        if loop.loop_id not in self._loops:
            self._loops[loop.loop_id] = MemoryLoopStores(clock_us=self._clock_us, disk=self.disk)
        return self._loops[loop.loop_id]

    def maintain(self, loop: Loop, /, *, sparing: bool = False) -> bool:
        """Does nothing: there is no maintenance in memory."""
        self.disk.check()
        return True

    def apply_retention(self, loop: Loop, /, *, before_us: int) -> int:
        """Removes what was settled before a time; returns how many rows."""
        opened = self.open(loop)
        return _apply_retention(opened.events, opened.outcomes, before_us=before_us)

    def usage(self, loop: Loop, /, *, from_us: int, to_us: int) -> Sequence[Usage]:
        """Returns the days that overlap a time range and saw an event, in order."""
        return self.open(loop).events.usage(from_us=from_us, to_us=to_us)

    def erase(self, loop: Loop, /, *, decisions: Sequence[int]) -> Sequence[int]:
        """Blanks decisions and what belongs to them; returns those that are still open."""
        opened = self.open(loop)
        return _erase(opened.events, opened.outcomes, decisions)

    def purge(self, *, now_us: int | None = None) -> Sequence[str]:
        """Removes the stores of deleted loops; by default those that can't be recovered now."""
        self.disk.check()
        purged = self.catalog.forget(now_us=self._clock_us() if now_us is None else now_us)
        for loop_id in purged:
            self._loops.pop(loop_id, None)
        return purged

    def secret(self, name: str, make: Callable[[], bytes], /) -> bytes:
        """Returns a secret of the instance, made at first use."""
        self.disk.check()
        if name not in self._secrets:
            self._secrets[name] = make()
        return self._secrets[name]

    def check_writable(self) -> None:
        """Raises if the disk fails."""
        self.disk.check()

    def close(self) -> None:
        """Does nothing: there is nothing to release."""


class MemoryBlobStore:
    """A ``BlobStore`` that lives as long as the object."""

    def __init__(self, *, disk: Disk) -> None:
        self._disk = disk
        self._kept: dict[str, bytes] = {}

    def put(self, name: str, content: bytes, /) -> None:
        """Stores a content under a name."""
        self._disk.check()
        self._kept[name] = content

    def get(self, name: str, /) -> bytes | None:
        """Returns the content of a name; None: there is none."""
        self._disk.check()
        return self._kept.get(name)

    def names(self) -> Sequence[str]:
        """Returns all names that have a content, in order."""
        self._disk.check()
        return sorted(self._kept)

    def delete(self, name: str, /) -> None:
        """Removes a name and its content; idempotent."""
        self._disk.check()
        self._kept.pop(name, None)


def _apply_retention(events: MemoryEvents, outcomes: MemoryOutcomes, /, *, before_us: int) -> int:
    """Removes what was settled before a time; returns how many rows."""
    removed = outcomes.forget(before_us=before_us)
    cursor = outcomes.counts().cursor
    kept = outcomes.first_decision()
    observed = events.observations(after=0, limit=cursor.observations)
    old = [one.seq for one in observed if one.at_us < before_us and one.seq <= cursor.observations]
    removed += events.forget(
        decisions=0 if kept is None else min(cursor.decisions, kept - 1),
        observations=max(old, default=0),
    )
    return removed + outcomes.forget_unmatched(until=events.horizon().first_observation - 1)


def _erase(events: MemoryEvents, outcomes: MemoryOutcomes, /, decisions: Sequence[int]) -> Sequence[int]:
    """Blanks decisions and what belongs to them; returns those that are still open."""
    cursor = outcomes.counts().cursor
    heads = events.heads(after=0, limit=events.horizon().decisions)
    found = {head.seq: head.event_id for head in heads if head.seq in decisions and head.event_id}
    observed = events.observations(after=cursor.observations, limit=events.horizon().observations)
    waiting = {one.observation.event_id for one in observed}
    of_decision = {number: outcomes.of_decision(number) for number in found}
    open_ = [
        number
        for number, event_id in found.items()
        if event_id in waiting or (of_decision[number] is None and number > cursor.decisions)
    ]
    settled = found.keys() - set(open_)
    amended = [one for number, one in of_decision.items() if one is not None and number in settled]
    if amended:
        outcomes.amend([replace(one, event_id="", learnable=False) for one in amended])
    events.blank(set(settled), {found[number] for number in settled})
    return open_
