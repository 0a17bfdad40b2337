"""What the api process lets a loop's own callers do to it: what the command line can, for its threads."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from sartor.errors import LoopNotFound
from sartor.management import loops
from sartor.ports import Loop, LoopStores, Stores
from sartor.service.models_administration import ModelAdministration
from sartor.stores.audited import AuditedStores, audited


class Administration(ModelAdministration):
    """Serves ``api.admin.Admin``. Changes of the catalog go one at a time; stores are opened for each call."""

    def __init__(self, stores: Stores, /, *, lock: "threading.Lock | None" = None) -> None:
        """Administer an instance.

        Args:
            stores: for this object alone; their connections move between the threads that call.
            lock: held while they are used; shared with others that use the same.
        """
        self._acting = stores if isinstance(stores, AuditedStores) else audited(stores, "the service")
        self._stores = self._acting
        self._lock = lock or threading.Lock()

    def acting_for(self, caller: str, /) -> "Administration":
        """The same, for one caller."""
        return Administration(audited(self._stores, caller), lock=self._lock)

    def note(self, loop: Loop, action: str, about: str, /) -> None:
        """Leave a line in the activity log."""
        with self._lock:
            self._acting.note(action, loop, after=about or None)

    def loop(self, loop: Loop, /) -> Loop:
        """The loop as it is in the catalog now."""
        with self._lock:
            return self._found(loop)

    def configure(self, loop: Loop, changes: Mapping[str, object], /) -> Loop:
        """Change settings, under their names on the wire."""
        with self._lock:
            return loops.change_settings(self._stores, self._found(loop).name, changes)

    def set_policy(self, loop: Loop, arguments: str | None, /, *, name: str) -> Loop:
        """Replace the learning settings and their name; None puts the default ones back."""
        with self._lock:
            return loops.set_policy(self._stores, self._found(loop).name, arguments, policy_name=name)

    @contextmanager
    def logs(self, loop: Loop, /) -> Iterator[LoopStores]:
        """The stores of the loop, closed at the end."""
        with self._lock:
            opened = self._stores.open(loop)
        try:
            yield opened
        finally:
            opened.close()

    def _found(self, loop: Loop) -> Loop:
        found = loops.find_loop(self._stores, loop.name)
        if found.loop_id != loop.loop_id:
            raise LoopNotFound(f"The loop {loop.name!r} was deleted; another one has its name.")
        return found
