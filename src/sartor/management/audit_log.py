"""Reads the audit log, and verifies that no entry was changed or removed."""

from collections import deque
from collections.abc import Iterator, Sequence

from msgspec import Struct

from sartor.ports import AuditLog, Stores
from sartor.records import LoggedAuditEntry
from sartor.stores.audit import BEGINNING, chain_digest

_BATCH = 1_000


class AuditVerification(Struct, frozen=True, kw_only=True, rename="camel"):
    """The result of a verification. ``digest``: of the last entry, in hex; keep it elsewhere."""

    whole: bool
    lines: int
    digest: str
    problem: str = ""

    @property
    def sentence(self) -> str:
        """The result as a sentence."""
        return self.problem or f"All {self.lines} lines are whole. Digest of the last one: {self.digest}"


def read_newest(
    stores: Stores, count: int, /, *, loop: str | None = None, loop_id: str | None = None
) -> Sequence[LoggedAuditEntry]:
    """Returns the newest entries, oldest of them first.

    Args:
        stores: the instance's stores.
        count: how many at most.
        loop: those of all loops that ever had this name or id; reads the whole log.
        loop_id: those of the loop with this id; reads no other ones.
    """
    if loop_id is not None:
        return stores.audit.last_of(loop_id, count)[::-1]
    if loop is None:
        return stores.audit.last(count)[::-1]
    named = (one for one in _read_all(stores.audit) if loop in (one.entry.loop, one.entry.loop_id))
    return list(deque(named, maxlen=count))


def _read_all(audit: AuditLog) -> Iterator[LoggedAuditEntry]:
    after = 0
    while batch := audit.entries(after=after, limit=_BATCH):
        yield from batch
        after = batch[-1].seq


def verify_audit(audit: AuditLog, /, *, expect: str | None = None) -> AuditVerification:
    """Check every entry; with ``expect``, also that an entry with this digest (hex) is still there."""
    before, lines, is_found = BEGINNING, 0, expect is None
    for one in _read_all(audit):
        digest = chain_digest(before, one.entry, seq=one.seq, at_us=one.at_us)
        if one.seq != lines + 1 or one.digest != digest:
            problem = f"Line {lines + 1} is not what was written there."
            return AuditVerification(whole=False, lines=lines, digest=before.hex(), problem=problem)
        before, lines = digest, one.seq
        is_found = is_found or before.hex() == expect
    problem = (
        "" if is_found else "No line has the expected digest: lines were removed from the end, or rewritten."
    )
    return AuditVerification(whole=is_found, lines=lines, digest=before.hex(), problem=problem)
