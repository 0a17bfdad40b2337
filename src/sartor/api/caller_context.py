"""What handlers do their work with: the stores on behalf of one caller, and the lock of the catalog."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from msgspec import Struct

from sartor.access.roles import Caller
from sartor.errors import LoopNotFound
from sartor.management import loops
from sartor.ports import Loop, LoopStores
from sartor.stores.audited import AuditedStores


class CallerContext(Struct, frozen=True, kw_only=True):
    """The stores of the instance on behalf of one caller, for handlers on several threads.

    Attributes:
        stores: their changes of the catalog are noted on the audit log under the caller's name.
        lock: held while the catalog is read or changed, by all handlers of the process. What takes long, such
            as checking a model or reading a whole log, is done without it.
        caller: who sent the request, and what they may do.
    """

    stores: AuditedStores
    lock: "threading.Lock"
    caller: Caller

    @contextmanager
    def acquire_loop(self, loop: Loop, /) -> Iterator[Loop]:
        """Hold the lock, and give the loop as it is in the catalog now.

        Raises:
            LoopNotFound: it was deleted; another loop that was made under its name is not it.
        """
        with self.lock:
            current = self.stores.catalog.find_by_id(loop.loop_id)
            if current is None or current.name != loop.name:
                # Whether another one has its name is not the caller's business.
                raise LoopNotFound(f"The loop {loop.name!r} was deleted.")
            yield current

    def find_loop(self, loop: Loop, /) -> Loop:
        """Find the loop as it is in the catalog now.

        Raises:
            LoopNotFound: it was deleted; another loop that was made under its name is not it.
        """
        with self.acquire_loop(loop) as current:
            return current

    def find_named(self, name: str, /) -> Loop:
        """Find the loop of that name as it is in the catalog now; the caller holds the lock.

        Raises:
            LoopNotFound: there is none, or none that the caller may see.
        """
        found = loops.find_loop(self.stores, name)
        if not self.caller.sees(found):
            raise LoopNotFound(f"There is no loop {name!r}.")
        return found

    def list_readable(self) -> list[Loop]:
        """List the loops in service that the caller may read, by name; the caller holds the lock."""
        catalog, own = self.stores.catalog, self.caller.loop_id
        found = catalog.find_by_id(own) if own else None
        every = catalog.loops() if not own else [] if found is None else [found]
        return [loop for loop in every if self.caller.may("read", loop.name)]

    @contextmanager
    def open_loop(self, loop: Loop, /) -> Iterator[LoopStores]:
        """Open the loop's stores for this thread; they are used without the lock, and closed at the end."""
        with self.lock:
            logs = self.stores.open(loop)
        try:
            yield logs
        finally:
            logs.close()
