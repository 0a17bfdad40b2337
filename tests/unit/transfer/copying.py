"""A loop whose outcomes are copied: a log in memory, a location in memory, and failures on demand."""

from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from typing import BinaryIO

from msgspec.structs import replace

from sartor.errors import LocationUnavailable, StoreUnavailable
from sartor.ports import Loop, LoopStores
from sartor.records import Cursor, Outcome, Settlement
from sartor.testing.builders import make_decision, make_loop
from sartor.testing.fakes import Clock
from sartor.testing.stores import MemoryBlobStore, MemoryLoopStores, MemoryStores
from sartor.transfer.locations import File
from sartor.transfer.mirror import Mirror, MirroredOutcome

TARGET = "target"


class MemoryLocation:
    """A ``FileLocation`` that keeps what is put; the next put may fail, before or after it has happened."""

    def __init__(self) -> None:
        self.label = TARGET
        self.content: dict[str, bytes] = {}
        self.puts = 0
        self.fails = ""

    def files(self) -> Sequence[File]:
        return [File(path, len(content)) for path, content in sorted(self.content.items())]

    def open(self, path: str, /) -> BinaryIO:
        return BytesIO(self.content[path])

    def put(self, path: str, content: bytes, /) -> None:
        fails, self.fails = self.fails, ""
        if fails == "before put":
            raise LocationUnavailable("The target can't be used.")
        self.content[path] = content
        self.puts += 1
        if fails == "after put":
            raise LocationUnavailable("The target can't be used.")

    def numbers(self) -> list[int]:
        """The numbers of the outcomes that were copied, blob after blob."""
        return [int(line) for path in sorted(self.content) for line in self.content[path].split()]


class FailingBlobStore(MemoryBlobStore):
    """A blob store that may fail to put something, once, after so many puts."""

    puts_to_fail: int | None = None

    def put(self, name: str, content: bytes, /) -> None:
        if self.puts_to_fail is not None:
            self.puts_to_fail -= 1
            if self.puts_to_fail < 0:
                self.puts_to_fail = None
                raise StoreUnavailable("The blob store is full.")
        super().put(name, content)


class Copying:
    def __init__(self) -> None:
        self.clock = Clock()
        self.stores = MemoryStores(clock_us=self.clock)
        self.loop: Loop = replace(make_loop(), created_at_us=self.clock.now_us)
        self.logs: MemoryLoopStores = self.stores.open(self.loop)
        self.blobs = FailingBlobStore(disk=self.stores.disk)
        self.logs.blobs = self.blobs
        self.target = MemoryLocation()
        self.before_read: list[Callable[[], object]] = []

    def settle(self, count: int = 1) -> None:
        """Adds decisions, each with its outcome."""
        for _ in range(count):
            number = self.logs.events.horizon().decisions + 1
            self.logs.events.append([make_decision(f"event-{number}")])
            outcome = Outcome(
                decision_seq=number,
                event_id=f"event-{number}",
                reward=1.0,
                learnable=True,
                joined=(),
                settled_at_us=self.clock.now_us,
                settings_version=1,
            )
            self.logs.outcomes.record(Settlement(outcomes=(outcome,), unmatched=(), cursor=Cursor(number, 0)))

    def forget(self) -> int:
        """Removes what was settled up to now, except the last."""
        return self.stores.apply_retention(self.loop, before_us=self.clock.now_us + 1)

    @property
    def mirror(self) -> Mirror:
        """A mirror as in a new process."""
        return Mirror(self.loop, self.logs, self.target, self._read)

    def _read(self, logs: LoopStores, after: int) -> Iterator[MirroredOutcome]:
        while self.before_read:
            self.before_read.pop()()
        return read(logs, after)

    def copy(self) -> None:
        """Copies everything."""
        while self.mirror.step():
            pass


def read(logs: LoopStores, after: int) -> Iterator[MirroredOutcome]:
    """Yields lines that hold the number of their outcome only."""
    for logged in logs.outcomes.outcomes(after=after, limit=1_000):
        yield MirroredOutcome(logged.seq, logged.outcome.settled_at_us, b"%08d" % logged.seq)
