"""A lock for each loop: handlers that change one loop take turns, and wait for no other loop's."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class LoopLocks:
    """Locks by the name of a loop, as many as are held or waited for."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._locks: dict[str, tuple[threading.Lock, int]] = {}

    @contextmanager
    def hold(self, name: str, /) -> Iterator[None]:
        """Hold the lock of a loop; whoever holds it must not ask for another one."""
        with self._guard:
            lock, users = self._locks.get(name, (threading.Lock(), 0))
            self._locks[name] = lock, users + 1
        try:
            with lock:
                yield
        finally:
            with self._guard:
                lock, users = self._locks[name]
                if users == 1:
                    del self._locks[name]
                else:
                    self._locks[name] = lock, users - 1

    def __len__(self) -> int:
        return len(self._locks)
