"""Stores on behalf of somebody: each change of the catalog leaves a line in the activity log, and locks hold.

Whoever is given these instead of the bare stores can't forget either.
"""

from collections.abc import Callable, Sequence

from sartor.errors import LoopLocked, LoopNotFound
from sartor.ports import AuditLog, Catalog, Loop, LoopStores, Stores
from sartor.records import Activity, Usage
from sartor.stores import audit_diff


def audited(stores: Stores, by: str, /) -> "AuditedStores":
    """The same stores on behalf of somebody; ``by`` is the name for the activity log."""
    return AuditedStores(stores.wrapped if isinstance(stores, AuditedStores) else stores, by)


def refuse_locked(loop: Loop, /, *, deleting: bool = False) -> None:
    """See that a loop may be changed, or deleted.

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
    """Leave a line about a change beside the catalog, where it is known who acts."""
    if isinstance(stores, AuditedStores):
        stores.note(action, loop, before=before, after=after)


class AuditedCatalog:
    """A ``Catalog`` that notes who changes what, and refuses changes of locked loops."""

    def __init__(self, catalog: Catalog, by: str, /) -> None:
        self._catalog = catalog
        self._by = by

    def loops(self) -> Sequence[Loop]:
        """All loops in service, by name."""
        return self._catalog.loops()

    def create(self, loop: Loop, /, *, activity: Activity | None = None) -> None:
        """Add a loop."""
        self._catalog.create(loop, activity=activity or self._deed("create", loop, None, loop))

    def update(self, loop: Loop, /, *, activity: Activity | None = None) -> Loop:
        """Replace the loop of that name.

        Raises:
            LoopLocked: it is locked, and this is not its unlocking.
        """
        before = self._found(loop.name)
        if before.terms.lock == loop.terms.lock:
            refuse_locked(before)
        return self._catalog.update(loop, activity=activity or self._deed("update", loop, before, loop))

    def delete(self, name: str, /, *, recoverable_until_us: int = 0, activity: Activity | None = None) -> None:
        """Take a loop out of service.

        Raises:
            LoopLocked: it is locked.
        """
        loop = self._found(name)
        refuse_locked(loop, deleting=True)
        self._catalog.delete(
            name,
            recoverable_until_us=recoverable_until_us,
            activity=activity or self._deed("delete", loop, loop, None),
        )

    def deleted(self) -> Sequence[Loop]:
        """The deleted loops that were not removed yet."""
        return self._catalog.deleted()

    def recover(self, loop_id: str, /, *, name: str | None = None, activity: Activity | None = None) -> Loop:
        """Bring a deleted loop back."""
        loop = self._gone(loop_id)
        choice = self._deed("recover", loop, None, loop)
        return self._catalog.recover(loop_id, name=name, activity=activity or choice)

    def give_up(self, loop_id: str, /, *, activity: Activity | None = None) -> None:
        """Let a deleted loop be removed from now on."""
        loop = self._gone(loop_id)
        self._catalog.give_up(loop_id, activity=activity or self._deed("purge", loop, loop, None))

    def version(self) -> int:
        """A number that changes with every change of the catalog."""
        return self._catalog.version()

    def _found(self, name: str) -> Loop:
        for loop in self._catalog.loops():
            if loop.name == name:
                return loop
        raise LoopNotFound(f"There is no loop {name!r}.")

    def _gone(self, loop_id: str) -> Loop:
        for loop in self._catalog.deleted():
            if loop.loop_id == loop_id:
                return loop
        raise LoopNotFound(f"There is no deleted loop with the id {loop_id!r}.")

    def _deed(self, action: str, loop: Loop, before: Loop | None, after: Loop | None) -> Activity:
        was, became = audit_diff.diff_loops(before, after)
        return Activity(
            by=self._by, action=action, loop=loop.name, loop_id=loop.loop_id, before=was, after=became
        )


class AuditedStores:
    """A ``Stores`` on behalf of somebody. ``bare`` are those behind it."""

    def __init__(self, bare: Stores, by: str, /) -> None:
        self.wrapped = bare
        self.by = by
        self.catalog: Catalog = AuditedCatalog(bare.catalog, by)

    @property
    def audit(self) -> AuditLog:
        """Who changed what."""
        return self.wrapped.audit

    def note(self, action: str, loop: Loop, /, *, before: object = None, after: object = None) -> None:
        """Leave a line about a change that changed nothing in the catalog; ``before`` and ``after`` as JSON."""
        self.wrapped.audit.append(
            Activity(
                by=self.by,
                action=action,
                loop=loop.name,
                loop_id=loop.loop_id,
                before=audit_diff.to_json(before),
                after=audit_diff.to_json(after),
            )
        )

    def open(self, loop: Loop, /) -> LoopStores:
        """The stores of a loop."""
        return self.wrapped.open(loop)

    def maintain(self, loop: Loop, /, *, sparing: bool = False) -> None:
        """House-keeping that must not happen on the request path."""
        self.wrapped.maintain(loop, sparing=sparing)

    def apply_retention(self, loop: Loop, /, *, before_us: int) -> int:
        """Remove what was settled before a time."""
        return self.wrapped.apply_retention(loop, before_us=before_us)

    def usage(self, loop: Loop, /, *, from_us: int, to_us: int) -> Sequence[Usage]:
        """The days that saw an event."""
        return self.wrapped.usage(loop, from_us=from_us, to_us=to_us)

    def erase(self, loop: Loop, /, *, decisions: Sequence[int]) -> Sequence[int]:
        """Blank decisions and what belongs to them."""
        return self.wrapped.erase(loop, decisions=decisions)

    def purge(self) -> Sequence[str]:
        """Remove what deleted loops left behind."""
        return self.wrapped.purge()

    def secret(self, name: str, make: Callable[[], bytes], /) -> bytes:
        """A secret of the instance."""
        return self.wrapped.secret(name, make)

    def check_writable(self) -> None:
        """Raise ``StoreUnavailable`` if an event could not be committed now."""
        self.wrapped.check_writable()

    def close(self) -> None:
        """Release files and connections."""
        self.wrapped.close()
