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
            current = loops.find_loop(self.stores, loop.name)
            if current.loop_id != loop.loop_id:
                raise LoopNotFound(f"The loop {loop.name!r} was deleted; another one has its name.")
            yield current

    def find_loop(self, loop: Loop, /) -> Loop:
        """Find the loop as it is in the catalog now.

        Raises:
            LoopNotFound: it was deleted; another loop that was made under its name is not it.
        """
        with self.acquire_loop(loop) as current:
            return current

    @contextmanager
    def open_loop(self, loop: Loop, /) -> Iterator[LoopStores]:
        """Open the loop's stores for this thread; they are used without the lock, and closed at the end."""
        with self.lock:
            logs = self.stores.open(loop)
        try:
            yield logs
        finally:
            logs.close()
