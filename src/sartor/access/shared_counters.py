"""How many ranks the api processes of one instance answered in this second, counted together.

A file for each loop, mapped into memory, with a place for each process. Each writes to its own place and reads
all of them: nobody waits for anybody. The counts are worth nothing a second later, so they need no disk.
"""

import fcntl
import mmap
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from sartor import open_files
from sartor.errors import StoreUnavailable

PLACES = 64
"""How many processes can count together; any further one counts for itself."""

_BYTES = 8 * PLACES
_COUNT_BITS = 24
_COUNT_MASK = (1 << _COUNT_BITS) - 1


class WindowCounter:
    """Counts what happens in the current second, of this process alone."""

    def __init__(self) -> None:
        self._cells = memoryview(bytearray(_BYTES)).cast("q")
        self._place = 0
        self._second = 0
        self._used = 1

    def count(self, second: int, /) -> int:
        """Return how much was counted in this second so far, by all processes."""
        if second != self._second:
            self._second = second
            self._used = max((place + 1 for place, cell in enumerate(self._cells) if cell), default=1)
        return sum(
            cell & _COUNT_MASK for cell in self._cells[: self._used].tolist() if cell >> _COUNT_BITS == second
        )

    def add(self, second: int, /) -> None:
        """Count one more in this second."""
        mine = self._cells[self._place]
        # One whole number, so that others never read a count with the second of another one.
        if mine >> _COUNT_BITS == second:
            self._cells[self._place] = mine + 1
        else:
            self._cells[self._place] = (second << _COUNT_BITS) + 1

    def take_back(self, second: int, /) -> None:
        """Count one less in this second, of those that this process counted; nothing once it is over."""
        mine = self._cells[self._place]
        if mine >> _COUNT_BITS == second and mine & _COUNT_MASK:
            self._cells[self._place] = mine - 1

    def close(self) -> None:
        """Release what is shared; idempotent."""


class SharedWindowCounter(WindowCounter):
    """Counts together with the other processes that map the same file.

    The file is mapped at the first use, since a map holds a file open and most loops have no quota.
    """

    def __init__(self, path: Path, /, *, place: int, mapped: "MappedCounters") -> None:
        """Nothing is mapped yet. Where the file can't be mapped, it counts for this process alone."""
        super().__init__()
        self._path = path
        self._shared_place = place
        self._mapped = mapped
        self._map: mmap.mmap | None = None

    def count(self, second: int, /) -> int:
        """Return how much was counted in this second so far, by all processes."""
        if self._map is None:
            self._open()
        return super().count(second)

    def add(self, second: int, /) -> None:
        """Count one more in this second."""
        if self._map is None:
            self._open()
        super().add(second)

    def is_over(self, second: int, /) -> bool:
        """Whether nothing was asked or counted in this second or later."""
        return self._second < second

    def _open(self) -> None:
        try:
            self._map = _map_file(self._path)
        except OSError:
            return
        self._cells = memoryview(self._map).cast("q")
        self._place = self._shared_place
        self._used = PLACES
        self._mapped.add(self)

    def close(self) -> None:
        """Release the memory and the file; idempotent. The next use maps it again."""
        mapped, self._map = self._map, None
        if mapped is None:
            return
        self._mapped.remove(self)
        self._cells[self._place] = 0
        self._cells.release()
        mapped.close()
        super().__init__()


def _map_file(path: Path) -> mmap.mmap:
    """Map a file, made at first use. Raises ``OSError``."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if os.fstat(descriptor).st_size < _BYTES:
            os.ftruncate(descriptor, _BYTES)
        return mmap.mmap(descriptor, _BYTES)
    finally:
        os.close(descriptor)


class MappedCounters:
    """The counters of a process whose files are mapped: those that count nothing now make room for others."""

    def __init__(self, most: int, clock_s: Callable[[], float] = time.time, /) -> None:
        """``most``: how many may be mapped, unless more count in this very second."""
        self._most = most
        self._clock_s = clock_s
        self._mapped: dict[SharedWindowCounter, None] = {}

    def __len__(self) -> int:
        return len(self._mapped)

    def add(self, counter: SharedWindowCounter, /) -> None:
        """A counter was mapped."""
        if len(self._mapped) >= self._most:
            # What was counted in a second that is over is worth nothing; one second more, as clocks differ.
            second = int(self._clock_s()) - 1
            for idle in [one for one in self._mapped if one.is_over(second)]:
                idle.close()
        self._mapped[counter] = None

    def remove(self, counter: SharedWindowCounter, /) -> None:
        """A counter was released."""
        self._mapped.pop(counter, None)


class SharedCounters:
    """Makes the counters of one process; its place in the files is its own until it ends, however it ends."""

    def __init__(self, folder: Path, /) -> None:
        """Take a place in the files of a folder, made at first use.

        Raises:
            StoreUnavailable: the folder can't be used.
        """
        self._folder = folder
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._places = os.open(folder / "places", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreUnavailable(f"{folder} can't be used: {error.strerror}.") from error
        self._place = self._take_place()
        self._mapped = MappedCounters(open_files.divide().counters)

    def counter_of(self, loop_id: str, /) -> WindowCounter:
        """Make the counter of a loop; of this process alone where it can't be shared."""
        if self._place is None:
            return WindowCounter()
        return SharedWindowCounter(self._folder / loop_id, place=self._place, mapped=self._mapped)

    def close(self) -> None:
        """Give the place up."""
        os.close(self._places)

    def _take_place(self) -> int | None:
        for place in range(PLACES):
            with suppress(OSError):
                # The kernel gives it up with the process.
                fcntl.lockf(self._places, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
                return place
        return None
