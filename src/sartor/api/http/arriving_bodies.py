"""Bodies while they arrive: within bounds for each loop and for all, in memory or, if large, in files.

A file has no name: it is gone when the process is, however that ends. It lies in the data folder, because
folders for temporary files are often in memory.
"""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO

from sartor.access.asgi import Message, Receive
from sartor.api.http.body import ReceivedBody
from sartor.api.http.byte_budget import ByteBudget
from sartor.api.http.error_responses import ClientDisconnected
from sartor.errors import PayloadTooLarge, Unavailable
from sartor.settings import Limits

_AT_ONCE_BYTES = 65_536
"""A body of at most this size is not counted if all of it has come."""

_WRITERS = 2


class ArrivingBodies:
    """Receives the bodies of requests whose callers were let in."""

    def __init__(self, limits: Limits, /, *, folder: Path | None) -> None:
        """Prepare.

        Args:
            limits: the bounds.
            folder: where files are made; None: where the system has temporary files.
        """
        self.spool_beyond = limits.body_bytes
        self.folder = folder
        self.memory = ByteBudget(
            "request bodies", per_owner=limits.arriving_bytes_per_loop, total=limits.arriving_bytes
        )
        self.disk = ByteBudget(
            "large request bodies", per_owner=limits.spooled_bytes_per_loop, total=limits.spooled_bytes
        )
        self.writers = ThreadPoolExecutor(_WRITERS, thread_name_prefix="bodies")

    def make_file(self) -> IO[bytes]:
        """Make a file without a name, which only this process can open; may block for the disk."""
        return tempfile.TemporaryFile(dir=self.folder)

    async def read(self, receive: Receive, /, *, owner: str, declared: int, most: int) -> bytes:
        """Receive a body that is used at once; see ``receiving``."""
        if declared > most:
            raise _too_large(most)
        first = None
        if declared <= _AT_ONCE_BYTES:
            first = await receive()
            if first["type"] == "http.request" and not first.get("more_body", False):
                body: bytes = first.get("body", b"")
                if len(body) > most:
                    raise _too_large(most)
                return body
        async with self.receiving(receive, owner=owner, declared=declared, most=most, first=first) as received:
            return received.read()

    @asynccontextmanager
    async def receiving(
        self, receive: Receive, /, *, owner: str, declared: int, most: int, first: Message | None = None
    ) -> AsyncIterator[ReceivedBody]:
        """Receive a body, and count it until the block is left.

        Args:
            receive: the ASGI channel.
            owner: the loop, or the caller where no loop is addressed.
            declared: the length that the headers declare, 0 for none; refused before any of it is read.
            most: how many bytes are accepted.
            first: what was received already.

        Raises:
            PayloadTooLarge: it is larger than that.
            TooManyRequests: too many bytes of the owner are in flight.
            Unavailable: too many of all are, or the disk is too full.
            ClientDisconnected: before the end.
        """
        if declared > most:
            raise _too_large(most)
        body = _Arriving(self, owner, most)
        try:
            await body.reserve(declared)
            while not await body.add(first or await receive()):
                first = None
            yield body.received()
        finally:
            body.close()


class _Arriving:
    """One body. What is reserved for it lies either in memory or in a file, as its size demands."""

    def __init__(self, bodies: ArrivingBodies, owner: str, most: int) -> None:
        self._bodies = bodies
        self._owner = owner
        self._most = most
        self._parts: list[bytes] = []
        self._size = 0
        self._in_memory = 0  # bytes that are reserved there
        self._on_disk = 0
        self._file: IO[bytes] | None = None

    async def reserve(self, size: int) -> None:
        """Make sure that the body may be this large."""
        bodies = self._bodies
        if size <= max(self._in_memory, self._on_disk):
            return
        if size <= bodies.spool_beyond:
            bodies.memory.take(self._owner, size - self._in_memory)
            self._in_memory = size
            return
        self._check_disk(size)
        bodies.disk.take(self._owner, size - self._on_disk)
        self._on_disk = size
        if self._file is None:
            self._file = await self._open_file()
            await self._write(b"".join(self._parts))
            self._parts = []
            bodies.memory.give_back(self._owner, self._in_memory)
            self._in_memory = 0

    async def add(self, message: Message) -> bool:
        """Take a part; whether it was the last one."""
        if message["type"] != "http.request":
            raise ClientDisconnected
        part: bytes = message.get("body", b"")
        self._size += len(part)
        if self._size > self._most:
            raise _too_large(self._most)
        await self.reserve(self._size)
        if self._file is None:
            self._parts.append(part)
        else:
            await self._write(part)
        return not message.get("more_body", False)

    def received(self) -> ReceivedBody:
        """The body, all of which has come."""
        return ReceivedBody(b"".join(self._parts), file=self._file)

    def close(self) -> None:
        """Free what it took."""
        if self._file is not None:
            # On a thread: freeing a large file takes the disk a moment, and one may still be writing to it.
            self._bodies.writers.submit(self._file.close)
        self._bodies.memory.give_back(self._owner, self._in_memory)
        self._bodies.disk.give_back(self._owner, self._on_disk)
        self._in_memory = self._on_disk = 0

    def _check_disk(self, size: int) -> None:
        """Leave the log room: bodies take at most half of the space that is free."""
        try:
            free = shutil.disk_usage(self._bodies.folder or tempfile.gettempdir()).free
        except OSError as error:
            raise _not_stored(error) from error
        if self._bodies.disk.held + size - self._on_disk > free // 2:
            raise Unavailable("The disk has no room for so large a body.")

    async def _open_file(self) -> IO[bytes]:
        opening = self._bodies.writers.submit(self._bodies.make_file)
        try:
            return await asyncio.wrap_future(opening)
        except asyncio.CancelledError:
            opening.add_done_callback(_close_opened)
            raise
        except OSError as error:
            raise _not_stored(error) from error

    async def _write(self, part: bytes) -> None:
        file = self._file
        if not part or file is None:
            return
        try:
            await asyncio.get_running_loop().run_in_executor(self._bodies.writers, file.write, part)
        except OSError as error:
            raise _not_stored(error) from error


def _close_opened(opening: "Future[IO[bytes]]") -> None:
    """Close a file that was still being opened when its request was given up."""
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()


def _not_stored(error: OSError) -> Unavailable:
    return Unavailable(f"The body can't be stored: {error.strerror}.")


def _too_large(most: int) -> PayloadTooLarge:
    return PayloadTooLarge(f"The body is larger than {most} bytes.")
