"""What handlers do their work with: the stores on behalf of one caller, and the locks of the loops."""

from collections.abc import Iterator
from contextlib import contextmanager

from msgspec import Struct

from sartor.access.destinations import AllowedDestinations
from sartor.access.roles import Caller
from sartor.api.loop_locks import LoopLocks
from sartor.errors import LoopDeleted, LoopNotFound
from sartor.management import loops
from sartor.ports import Loop, LoopStores
from sartor.settings import WAITING_JOBS
from sartor.stores.audited import AuditedStores


class CallerContext(Struct, frozen=True, kw_only=True):
    """The stores of the instance on behalf of one caller, for handlers on several threads.

    Attributes:
        stores: their changes of the catalog are noted on the audit log under the caller's name. Each reading
            and each change of the catalog is one step, whatever other threads do.
        locks: that of a loop is held while it is read in order to be changed. What takes long, such as checking
            a model or reading a whole log, is done without it.
        caller: who sent the request, and what they may do.
        allowed_destinations: which URLs of other services they may name.
        waiting_jobs: how many jobs of one loop may wait.
    """

    stores: AuditedStores
    locks: LoopLocks
    caller: Caller
    allowed_destinations: AllowedDestinations
    waiting_jobs: int = WAITING_JOBS

    @contextmanager
    def acquire_loop(self, loop: Loop, /) -> Iterator[Loop]:
        """Hold the lock of a loop, and give it as it is in the catalog now.

        Raises:
            LoopDeleted: it was deleted; another loop that was made under its name is not it.
        """
        with self.locks.hold(loop.name):
            yield self.find_loop(loop)

    def find_loop(self, loop: Loop, /) -> Loop:
        """Find the loop as it is in the catalog now.

        Raises:
            LoopDeleted: it was deleted; another loop that was made under its name is not it.
        """
        current = self.stores.catalog.find_by_id(loop.loop_id)
        if current is None or current.name != loop.name:
            # Whether another one has its name is not the caller's business.
            raise LoopDeleted(f"The loop {loop.name!r} was deleted.")
        return current

    @contextmanager
    def acquire_named(self, name: str, /) -> Iterator[Loop]:
        """Hold the lock of the loop of that name, and give it as it is in the catalog now.

        Raises:
            LoopNotFound: there is none, or none that the caller may see.
        """
        with self.locks.hold(name):
            yield self.find_named(name)

    def find_named(self, name: str, /) -> Loop:
        """Find the loop of that name as it is in the catalog now.

        Raises:
            LoopNotFound: there is none, or none that the caller may see.
        """
        found = loops.find_loop(self.stores, name)
        if not self.caller.sees(found):
            raise LoopNotFound(f"There is no loop {name!r}.")
        return found

    def list_readable(self) -> list[Loop]:
        """List the loops in service that the caller may read, by name."""
        catalog, own = self.stores.catalog, self.caller.loop_id
        found = catalog.find_by_id(own) if own else None
        every = catalog.loops() if not own else [] if found is None else [found]
        return [loop for loop in every if self.caller.may("read", loop.name)]

    @contextmanager
    def open_loop(self, loop: Loop, /) -> Iterator[LoopStores]:
        """Open the loop's stores for this thread; they are closed at the end."""
        logs = self.stores.open(loop)
        try:
            yield logs
        finally:
            logs.close()
