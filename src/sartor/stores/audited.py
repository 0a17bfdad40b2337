"""Stores that audit: each change of the catalog leaves an entry in the audit log, and locks are respected.

Whoever is given ``AuditedStores`` in place of the plain stores can't forget either. An entry describes all of a
loop that can be changed, and no secret: of a key it says only that it was replaced, of the target of the log
mirror all but its query, which holds a signature.
"""

from collections.abc import Callable, Sequence

import msgspec
from msgspec.structs import replace

from sartor.clocks import ClockRecords
from sartor.errors import LoopLocked, LoopNotFound
from sartor.loops import LoopChanges, UnreadableLoop
from sartor.masking import strip_users
from sartor.ports import AuditLog, Catalog, Loop, LoopStores, ProcessReports, Stores
from sartor.records import AuditEntry, Usage

_REPLACED = "replaced"
_QUERY = "?…"


def audited(
    stores: Stores,
    by: str,
    /,
    *,
    sees_all_loops: bool = True,
    on_entry: Callable[[], None] = lambda: None,
) -> "AuditedStores":
    """Returns the same stores on behalf of a caller.

    Args:
        stores: plain ones, or those of somebody else.
        by: the caller's name for the audit log.
        sees_all_loops: whether a message may name other loops than the one that the caller named.
        on_entry: called after each entry of the audit log.
    """
    plain = stores.wrapped if isinstance(stores, AuditedStores) else stores
    return AuditedStores(plain, by, sees_all_loops=sees_all_loops, on_entry=on_entry)


def may_name_loops(stores: Stores, /) -> bool:
    """Whether a message may name all loops: whoever acts by these stores may see them."""
    return not isinstance(stores, AuditedStores) or stores.sees_all_loops


def refuse_locked(loop: Loop, /, *, deleting: bool = False) -> None:
    """Checks that a loop may be changed, or deleted.

    Raises:
        LoopLocked: its owner locked it against that.
    """
    lock = loop.terms.lock
    if lock == "change" or (deleting and lock == "delete"):
        against = "deletion" if lock == "delete" else "every change"
        raise LoopLocked(
            f"The loop {loop.name!r} is locked against {against}. "
            f"Unlock it first: sartor loop unlock {loop.name}"
        )


def note(stores: Stores, action: str, loop: Loop, /, *, before: object = None, after: object = None) -> None:
    """Adds an entry about a change outside the catalog, where the stores know on whose behalf they act."""
    if isinstance(stores, AuditedStores):
        stores.note(action, loop, before=before, after=after)


class AuditedCatalog:
    """A ``Catalog`` that records who changes what, and refuses changes of locked loops."""

    def __init__(self, catalog: Catalog, by: str, /, *, on_entry: Callable[[], None]) -> None:
        self._catalog = catalog
        self._by = by
        self._on_entry = on_entry

    def loops(self) -> Sequence[Loop]:
        """Returns all loops in service, by name."""
        return self._catalog.loops()

    def find(self, name: str, /) -> Loop:
        """Returns the loop in service of that name.

        Raises:
            LoopNotFound: there is no such loop.
        """
        return self._catalog.find(name)

    def find_by_id(self, loop_id: str, /) -> Loop | None:
        """Returns the loop in service with that id; None: there is none."""
        return self._catalog.find_by_id(loop_id)

    def changes(self, *, since: int | None) -> LoopChanges:
        """Returns what happened to the loops since a version of the catalog."""
        return self._catalog.changes(since=since)

    def unreadable(self) -> Sequence[UnreadableLoop]:
        """Returns the loops whose entry is damaged."""
        return self._catalog.unreadable()

    def create(self, loop: Loop, /, *, entry: AuditEntry | None = None) -> None:
        """Adds a loop."""
        self._catalog.create(loop, entry=entry or self._describe("create", loop, None, loop))
        self._on_entry()

    def update(self, loop: Loop, /, *, entry: AuditEntry | None = None) -> Loop:
        """Replaces the loop of that name. What changes nothing is no change: it leaves no entry, nor a version.

        Raises:
            LoopLocked: it is locked, and this is not its unlocking.
        """
        before = self._catalog.find(loop.name)
        if before.terms.lock == loop.terms.lock:
            refuse_locked(before)
        if entry is None and replace(loop, version=before.version) == before:
            return before
        updated = self._catalog.update(loop, entry=entry or self._describe("update", loop, before, loop))
        self._on_entry()
        return updated

    def delete(self, name: str, /, *, recoverable_until_us: int = 0, entry: AuditEntry | None = None) -> None:
        """Takes a loop out of service.

        Raises:
            LoopLocked: it is locked.
        """
        loop = self._catalog.find(name)
        refuse_locked(loop, deleting=True)
        self._catalog.delete(
            name,
            recoverable_until_us=recoverable_until_us,
            entry=entry or self._describe("delete", loop, loop, None),
        )
        self._on_entry()

    def deleted(self) -> Sequence[Loop]:
        """Returns the deleted loops that were not purged yet."""
        return self._catalog.deleted()

    def recover(self, loop_id: str, /, *, name: str | None = None, entry: AuditEntry | None = None) -> Loop:
        """Puts a deleted loop back into service."""
        loop = self._find_deleted(loop_id)
        described = self._describe("recover", loop, None, loop)
        recovered = self._catalog.recover(loop_id, name=name, entry=entry or described)
        self._on_entry()
        return recovered

    def give_up(self, loop_id: str, /, *, entry: AuditEntry | None = None) -> None:
        """Lets a deleted loop be purged from now on."""
        loop = self._find_deleted(loop_id)
        self._catalog.give_up(loop_id, entry=entry or self._describe("purge", loop, loop, None))
        self._on_entry()

    def version(self) -> int:
        """Returns a number that changes with every change of the catalog."""
        return self._catalog.version()

    def _find_deleted(self, loop_id: str) -> Loop:
        for loop in self._catalog.deleted():
            if loop.loop_id == loop_id:
                return loop
        raise LoopNotFound(f"There is no deleted loop with the id {loop_id!r}.")

    def _describe(self, action: str, loop: Loop, before: Loop | None, after: Loop | None) -> AuditEntry:
        was, became = diff_loops(before, after)
        return AuditEntry(
            by=self._by, action=action, loop=loop.name, loop_id=loop.loop_id, before=was, after=became
        )


class AuditedStores:
    """A ``Stores`` on behalf of the caller named ``by``; ``wrapped`` are the plain stores."""

    def __init__(
        self,
        stores: Stores,
        by: str,
        /,
        *,
        sees_all_loops: bool = True,
        on_entry: Callable[[], None] = lambda: None,
    ) -> None:
        self._on_entry = on_entry
        self.is_unchanged = False
        self.wrapped = stores
        self.sees_all_loops = sees_all_loops
        self.by = by
        self.catalog: Catalog = AuditedCatalog(stores.catalog, by, on_entry=on_entry)

    @property
    def audit(self) -> AuditLog:
        """The audit log."""
        return self.wrapped.audit

    @property
    def reports(self) -> ProcessReports:
        """The reports of the processes."""
        return self.wrapped.reports

    @property
    def clock(self) -> ClockRecords:
        """The record of the machine's clock."""
        return self.wrapped.clock

    def note(self, action: str, loop: Loop, /, *, before: object = None, after: object = None) -> None:
        """Adds an entry about a change outside the catalog; ``before`` and ``after`` become JSON."""
        self.wrapped.audit.append(
            AuditEntry(
                by=self.by,
                action=action,
                loop=loop.name,
                loop_id=loop.loop_id,
                before=to_json(before),
                after=to_json(after),
            )
        )
        self._on_entry()

    def mark_unchanged(self) -> None:
        """Says that what was asked for is so already: it needs no entry."""
        self.is_unchanged = True

    def open(self, loop: Loop, /) -> LoopStores:
        """Opens the stores of a loop."""
        return self.wrapped.open(loop)

    def maintain(self, loop: Loop, /, *, sparing: bool = False) -> bool:
        """Does the housekeeping that must not happen on the request path."""
        return self.wrapped.maintain(loop, sparing=sparing)

    def apply_retention(self, loop: Loop, /, *, before_us: int) -> int:
        """Removes what was settled before a time."""
        return self.wrapped.apply_retention(loop, before_us=before_us)

    def usage(self, loop: Loop, /, *, from_us: int, to_us: int) -> Sequence[Usage]:
        """Returns the days that saw an event."""
        return self.wrapped.usage(loop, from_us=from_us, to_us=to_us)

    def erase(self, loop: Loop, /, *, decisions: Sequence[int]) -> Sequence[int]:
        """Blanks decisions and what belongs to them."""
        return self.wrapped.erase(loop, decisions=decisions)

    def purge(self, *, now_us: int | None = None) -> Sequence[str]:
        """Removes the folders of deleted loops."""
        return self.wrapped.purge(now_us=now_us)

    def secret(self, name: str, make: Callable[[], bytes], /) -> bytes:
        """Returns a secret of the instance."""
        return self.wrapped.secret(name, make)

    def check_writable(self) -> None:
        """Raises ``StoreUnavailable`` if an event could not be committed now."""
        self.wrapped.check_writable()

    def close(self) -> None:
        """Releases files and connections."""
        self.wrapped.close()


def describe_loop(loop: Loop, /) -> dict[str, object]:
    """Returns a loop as JSON values, without its secrets."""
    settings = msgspec.to_builtins(loop.settings)
    target = settings.get("logMirrorSasUri")
    if isinstance(target, str):
        settings["logMirrorSasUri"] = strip_query(target)
    return {
        "name": loop.name,
        "policy": {"name": loop.policy_name, "arguments": loop.effective_arguments},
        "settings": settings,
        "terms": msgspec.to_builtins(loop.terms),
        "generation": loop.generation,
    }


def diff_loops(before: Loop | None, after: Loop | None, /) -> tuple[bytes, bytes]:
    """Returns what a change removed and what it added, as JSON; the whole loop if it was created or deleted."""
    if before is None or after is None:
        return to_json(before and describe_loop(before)), to_json(after and describe_loop(after))
    was, became = _diff(describe_loop(before), describe_loop(after))
    for name in ("key1", "key2"):
        if getattr(before, name) != getattr(after, name):
            was[name], became[name] = "", _REPLACED
    if before.settings.log_mirror_sas_uri != after.settings.log_mirror_sas_uri:
        _add_target(before, was)
        _add_target(after, became)
    return to_json(was), to_json(became)


def strip_query(target: str, /) -> str:
    """Returns a URL without its query, and without a user and a password before the host."""
    bare, mark, _ = target.partition("?")
    return strip_users(bare).partition("#")[0] + (_QUERY if mark else "")


def to_json(value: object, /) -> bytes:
    """Encodes a value as JSON."""
    return msgspec.json.encode(value)


def _add_target(loop: Loop, members: dict[str, object]) -> None:
    target = loop.settings.log_mirror_sas_uri
    settings = members.setdefault("settings", {})
    if isinstance(settings, dict):
        settings["logMirrorSasUri"] = target if target is None else strip_query(target)


def _diff(before: dict[str, object], after: dict[str, object]) -> tuple[dict[str, object], dict[str, object]]:
    """Returns the members that differ, at any depth."""
    was: dict[str, object] = {}
    became: dict[str, object] = {}
    for name in (*before, *(added for added in after if added not in before)):
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        if isinstance(old, dict) and isinstance(new, dict):
            old, new = _diff(old, new)
        was[name], became[name] = old, new
    return was, became
