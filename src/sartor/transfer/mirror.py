"""The mirror: a copy of a loop's joined log elsewhere, in the layout of the retired service (contract, 3.4).

Each outcome is copied exactly once, through any crash. A blob holds a row of outcomes and is always put whole;
while it grows it is put again, with more. What it holds is decided by the number of its first outcome, so a put
that was interrupted, or whose success was not noted, is simply repeated.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from itertools import takewhile

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from sartor.ports import BlobStore, Loop, LoopStores
from sartor.times import now_us
from sartor.transfer.locations import FileLocation

LARGEST_BLOB = 4 * 2**20
"""Bytes after which the next blob of the day is started."""


class MirroredOutcome(Struct, frozen=True):
    """One outcome as it is copied: its number, when it was settled, and its line without an end."""

    seq: int
    settled_at_us: int
    line: bytes


Read = Callable[[LoopStores, int], Iterator[MirroredOutcome]]
"""Yields the outcomes of a loop after a number, in order."""


class MirrorProgress(Struct, frozen=True, kw_only=True, rename="camel"):
    """How far a loop's mirror is; kept in its blob store.

    Attributes:
        target: where it goes, without secrets. Another target starts with the first outcome again.
        folder: that of the configuration under which the blob was started.
        day: that of the blob, ``yyyy/MM/dd``.
        index: the number of the blob in its day.
        first: the first outcome of the blob. Beyond ``last``, it is the first of a blob that is not started,
            and ``day`` and ``index`` are those of the blob before.
        last: the last outcome that was copied.
        planned: the last outcome of a put that may have been interrupted; 0: there is none.
        missed: outcomes that were removed from the log before they could be copied.
        copied_at_us: when something was copied last.
        problem: why nothing is copied at the moment; empty: there is no problem.
        failing_since_us: since when.
    """

    target: str
    folder: str = ""
    day: str = ""
    index: int = 0
    first: int = 1
    last: int = 0
    planned: int = 0
    missed: int = 0
    copied_at_us: int = 0
    problem: str = ""
    failing_since_us: int = 0

    @property
    def is_started(self) -> bool:
        """Whether the blob holds an outcome."""
        return self.first <= self.last

    @property
    def path(self) -> str:
        """Where the blob is."""
        return f"{self.folder}/data/{self.day}_{self.index:010d}.json"


_reading = threading.Semaphore(2)
"""Held while a blob is read: for a moment its outcomes are in memory twice."""

_decode = msgspec.json.Decoder(MirrorProgress).decode


def read_progress(blobs: BlobStore, target: str, /) -> MirrorProgress:
    """Returns how far the mirror of a loop to a target is. ``target``: the label of its location."""
    content = blobs.get(_name(target))
    return MirrorProgress(target=target) if content is None else _decode(content)


def note_failure(blobs: BlobStore, target: str, problem: str, /) -> None:
    """Records why nothing is copied."""
    known = read_progress(blobs, target)
    since_us = known.failing_since_us or now_us()
    _save(blobs, replace(known, problem=problem, failing_since_us=since_us))


def note_recovery(blobs: BlobStore, target: str, /) -> None:
    """Records that copying works, though there may be nothing to copy."""
    _save(blobs, replace(read_progress(blobs, target), problem="", failing_since_us=0))


class Mirror:
    """Copies the log of one loop to a location."""

    def __init__(self, loop: Loop, logs: LoopStores, location: FileLocation, read: Read, /) -> None:
        self._folder = _folder(loop)
        self._logs = logs
        self._location = location
        self._read = read

    def step(self) -> bool:
        """Copies as much as fits into one blob; returns whether there may be more.

        While it is put, a blob is held in memory once; outcomes that are larger than a blob go alone.

        Raises:
            LocationUnavailable: the target can't be written now; the next step continues.
            StoreUnavailable: the log can't be read now.
        """
        with _reading:
            plan, content, is_full = self._prepare()
        if plan is not None:
            self._put(plan, content)
        return is_full

    def _prepare(self) -> tuple[MirrorProgress | None, bytes, bool]:
        """Returns what is put and its content, or None if nothing is, and whether there may be more."""
        blob = self._resume(read_progress(self._logs.blobs, self._location.label))
        if blob.planned:
            plan, found, is_full = blob, self._read_planned(blob), True
        else:
            found, is_full = self._read_blob(blob)
            if not found or found[-1].seq <= blob.last:
                if is_full:
                    _save(self._logs.blobs, _close(blob))
                return None, b"", is_full
            plan = self._plan(blob, found)
        if not found or found[0].seq != plan.first:
            return None, b"", is_full  # its first outcomes were removed meanwhile: the next step handles that
        return plan, _join(found), is_full

    def _resume(self, blob: MirrorProgress) -> MirrorProgress:
        """Returns where to continue: in the started blob, unless its start is gone or the folder changed."""
        removed = self._logs.outcomes.counts().first_outcome - 1
        if removed >= blob.first:
            # Written again, the blob would lose what it has: the rest goes into another one.
            blob = _close(replace(blob, planned=0))
        if blob.folder != self._folder and not blob.planned:
            blob = replace(_close(blob), folder=self._folder, day="", index=0)
        return blob

    def _read_blob(self, blob: MirrorProgress) -> tuple[Sequence[MirroredOutcome], bool]:
        """Returns the outcomes of the blob, and whether it is full."""
        found: list[MirroredOutcome] = []
        size, day = 0, blob.day if blob.is_started else ""
        if self._logs.outcomes.counts().last_outcome <= blob.last:
            return found, False
        for one in self._read(self._logs, blob.first - 1):
            day = day or _day(one)
            size += len(one.line) + 1
            if found and (size > LARGEST_BLOB or _day(one) != day):
                return found, True
            found.append(one)
        return found, False

    def _read_planned(self, blob: MirrorProgress) -> Sequence[MirroredOutcome]:
        """Returns the outcomes of a put that may have been interrupted."""
        outcomes = self._read(self._logs, blob.first - 1)
        return list(takewhile(lambda one: one.seq <= blob.planned, outcomes))

    def _plan(self, blob: MirrorProgress, found: Sequence[MirroredOutcome]) -> MirrorProgress:
        """Records what will be put, and where, so that it is put there again after an interruption."""
        if not blob.is_started:
            day, missed = _day(found[0]), found[0].seq - blob.first
            index = blob.index + 1 if day == blob.day else 0
            blob = replace(blob, day=day, index=index, first=found[0].seq, missed=blob.missed + missed)
        plan = replace(blob, planned=found[-1].seq)
        _save(self._logs.blobs, plan)
        return plan

    def _put(self, plan: MirrorProgress, content: bytes) -> None:
        self._location.put(plan.path, content)
        done = replace(
            plan, last=plan.planned, planned=0, copied_at_us=now_us(), problem="", failing_since_us=0
        )
        _save(self._logs.blobs, done)


def _join(found: Sequence[MirroredOutcome]) -> bytes:
    return b"".join(one.line + b"\n" for one in found)


def _close(blob: MirrorProgress) -> MirrorProgress:
    """Returns progress behind a finished blob; the next one is not started."""
    return replace(blob, first=blob.last + 1)


def _folder(loop: Loop) -> str:
    edited_us = loop.edited_at_us or loop.created_at_us
    return datetime.fromtimestamp(edited_us // 1_000_000, UTC).strftime("%Y%m%d%H%M%S")


def _day(one: MirroredOutcome) -> str:
    return datetime.fromtimestamp(one.settled_at_us // 1_000_000, UTC).strftime("%Y/%m/%d")


def _name(target: str) -> str:
    return f"mirror-{blake2b(target.encode(), digest_size=8).hexdigest()}"


def _save(blobs: BlobStore, state: MirrorProgress) -> None:
    blobs.put(_name(state.target), msgspec.json.encode(state))
