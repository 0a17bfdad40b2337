"""The mirror: a copy of a loop's joined log elsewhere, in the layout of the retired service (contract, 3.4).

Each outcome is copied exactly once, through any crash. A blob holds a row of outcomes and is always put whole;
while it grows it is put again, with more. What it holds is decided by the number of its first outcome, so a put
that was interrupted, or whose success was not noted, is simply repeated.
"""

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
"""Bytes after which the next blob of the day is begun."""


class MirroredOutcome(Struct, frozen=True):
    """One outcome as it is copied: its number, when it was settled, and its line without an end."""

    seq: int
    settled_at_us: int
    line: bytes


Read = Callable[[LoopStores, int], Iterator[MirroredOutcome]]
"""Gives the outcomes of a loop after a number, in order."""


class MirrorProgress(Struct, frozen=True, kw_only=True, rename="camel"):
    """How far a loop's mirror is; kept on its blob store.

    Attributes:
        target: where it goes, without secrets. Another target begins with the first outcome again.
        folder: that of the configuration under which the blob was begun.
        day: that of the blob, ``yyyy/MM/dd``.
        index: the number of the blob in its day.
        first: the first outcome of the blob. Beyond ``last``, it is the first of a blob that is not begun, and
            ``day`` and ``index`` are those of the blob before.
        last: the last outcome that was copied.
        planned: the last outcome of a put that may have been interrupted; 0: there is none.
        missed: outcomes that were removed from the log before they could be copied.
        copied_at_us: when something was copied last.
        problem: why nothing is copied at the moment; empty: all is well.
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
    def is_begun(self) -> bool:
        """Whether the blob holds something."""
        return self.first <= self.last

    @property
    def path(self) -> str:
        """Where the blob is."""
        return f"{self.folder}/data/{self.day}_{self.index:010d}.json"


_decode = msgspec.json.Decoder(MirrorProgress).decode


def read_progress(blobs: BlobStore, target: str, /) -> MirrorProgress:
    """How far the mirror of a loop to a target is. ``target``: the label of a place."""
    content = blobs.get(_name(target))
    return MirrorProgress(target=target) if content is None else _decode(content)


def note_failure(blobs: BlobStore, target: str, problem: str, /) -> None:
    """Note why nothing is copied."""
    known = read_progress(blobs, target)
    since_us = known.failing_since_us or now_us()
    _keep(blobs, replace(known, problem=problem, failing_since_us=since_us))


def note_recovery(blobs: BlobStore, target: str, /) -> None:
    """Note that all is well, though there may be nothing to copy."""
    _keep(blobs, replace(read_progress(blobs, target), problem="", failing_since_us=0))


class Mirror:
    """Copies the log of one loop to a place."""

    def __init__(self, loop: Loop, logs: LoopStores, place: FileLocation, read: Read, /) -> None:
        self._folder = _folder(loop)
        self._logs = logs
        self._place = place
        self._read = read

    def step(self) -> bool:
        """Copy as much as goes into one blob; whether there may be more.

        Raises:
            LocationUnavailable: the target can't be written now; the next step goes on.
            StoreUnavailable: the log can't be read now.
        """
        blob = self._resumed(read_progress(self._logs.blobs, self._place.label))
        if blob.planned:
            self._put(blob, self._planned(blob))
            return True
        found, is_full = self._content(blob)
        if found and found[-1].seq > blob.last:
            self._put(self._plan(blob, found), found)
        elif is_full:
            _keep(self._logs.blobs, _closed(blob))
        return is_full

    def _resumed(self, blob: MirrorProgress) -> MirrorProgress:
        """Where to go on: in the blob that was begun, unless its beginning is gone or belongs elsewhere."""
        gone = self._logs.outcomes.counts().first_outcome - 1
        if gone >= blob.first:
            # Put again, the blob would lose what it has: the rest goes into another one.
            blob = _closed(replace(blob, planned=0))
        if blob.folder != self._folder and not blob.planned:
            blob = replace(_closed(blob), folder=self._folder, day="", index=0)
        return blob

    def _content(self, blob: MirrorProgress) -> tuple[Sequence[MirroredOutcome], bool]:
        """The outcomes of the blob, and whether none can follow in it."""
        found: list[MirroredOutcome] = []
        size, day = 0, blob.day if blob.is_begun else ""
        if self._logs.outcomes.counts().last_outcome <= blob.last:
            return found, False
        for one in self._read(self._logs, blob.first - 1):
            day = day or _day(one)
            size += len(one.line) + 1
            if found and (size > LARGEST_BLOB or _day(one) != day):
                return found, True
            found.append(one)
        return found, False

    def _planned(self, blob: MirrorProgress) -> Sequence[MirroredOutcome]:
        """The outcomes of a put that may have been interrupted."""
        outcomes = self._read(self._logs, blob.first - 1)
        return list(takewhile(lambda one: one.seq <= blob.planned, outcomes))

    def _plan(self, blob: MirrorProgress, found: Sequence[MirroredOutcome]) -> MirrorProgress:
        """Note what will be put, and where, so that it is put there again if this is interrupted."""
        if not blob.is_begun:
            day, missed = _day(found[0]), found[0].seq - blob.first
            index = blob.index + 1 if day == blob.day else 0
            blob = replace(blob, day=day, index=index, first=found[0].seq, missed=blob.missed + missed)
        plan = replace(blob, planned=found[-1].seq)
        _keep(self._logs.blobs, plan)
        return plan

    def _put(self, plan: MirrorProgress, found: Sequence[MirroredOutcome]) -> None:
        if not found or found[0].seq != plan.first:
            return  # its beginning was removed meanwhile: the next step knows
        self._place.put(plan.path, b"".join(one.line + b"\n" for one in found))
        done = replace(
            plan, last=plan.planned, planned=0, copied_at_us=now_us(), problem="", failing_since_us=0
        )
        _keep(self._logs.blobs, done)


def _closed(blob: MirrorProgress) -> MirrorProgress:
    """The blob is done with; the next one is not begun."""
    return replace(blob, first=blob.last + 1)


def _folder(loop: Loop) -> str:
    edited_us = loop.edited_at_us or loop.created_at_us
    return datetime.fromtimestamp(edited_us // 1_000_000, UTC).strftime("%Y%m%d%H%M%S")


def _day(one: MirroredOutcome) -> str:
    return datetime.fromtimestamp(one.settled_at_us // 1_000_000, UTC).strftime("%Y/%m/%d")


def _name(target: str) -> str:
    return f"mirror-{blake2b(target.encode(), digest_size=8).hexdigest()}"


def _keep(blobs: BlobStore, state: MirrorProgress) -> None:
    blobs.put(_name(state.target), msgspec.json.encode(state))
