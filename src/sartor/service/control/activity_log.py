"""Reading the activity log: the newest deeds, and whether the record is whole."""

from collections import deque
from collections.abc import Iterator, Sequence

import msgspec
from msgspec import Struct

from sartor.dsjson import timestamp
from sartor.ports import AuditLog, Stores
from sartor.records import LoggedActivity
from sartor.stores.audit import BEGINNING, digest

_BATCH = 1_000


class Verified(Struct, frozen=True, kw_only=True, rename="camel"):
    """What a check of the record found. ``digest``: of its last line, in hex; note it elsewhere."""

    whole: bool
    lines: int
    digest: str
    problem: str = ""

    @property
    def sentence(self) -> str:
        """The same for people."""
        return self.problem or f"All {self.lines} lines are whole. Digest of the last one: {self.digest}"


def newest(stores: Stores, count: int, /, *, loop: str | None = None) -> Sequence[LoggedActivity]:
    """The newest deeds, oldest of them first; with ``loop``, those on loops of that name or id."""
    if loop is None:
        return stores.audit.last(count)[::-1]
    named = (line for line in _all(stores.audit) if loop in (line.activity.loop, line.activity.loop_id))
    return list(deque(named, maxlen=count))


def _all(audit: AuditLog) -> Iterator[LoggedActivity]:
    after = 0
    while batch := audit.activities(after=after, limit=_BATCH):
        yield from batch
        after = batch[-1].seq


def told(line: LoggedActivity, /) -> dict[str, object]:
    """A line for programs."""
    deed = line.activity
    return {
        "number": line.seq,
        "at": timestamp(line.at_us),
        "by": deed.by,
        "action": deed.action,
        "loop": deed.loop,
        "loopId": deed.loop_id,
        "before": msgspec.Raw(deed.before),
        "after": msgspec.Raw(deed.after),
        "digest": line.digest.hex(),
    }


def verified(audit: AuditLog, /, *, expect: str | None = None) -> Verified:
    """Check every line; with ``expect``, also that a line with this digest (hex) is still there."""
    before, lines, met = BEGINNING, 0, expect is None
    for line in _all(audit):
        made = digest(before, line.activity, seq=line.seq, at_us=line.at_us)
        if line.seq != lines + 1 or line.digest != made:
            problem = f"Line {lines + 1} is not what was written there."
            return Verified(whole=False, lines=lines, digest=before.hex(), problem=problem)
        before, lines = made, line.seq
        met = met or before.hex() == expect
    problem = "" if met else "No line has the expected digest: lines were removed from the end, or rewritten."
    return Verified(whole=met, lines=lines, digest=before.hex(), problem=problem)
