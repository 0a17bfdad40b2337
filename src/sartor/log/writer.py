"""Writing events, in groups: what the requests of one turn of the event loop bring is committed together.

The commit runs on the event loop itself: it takes less time than a hand-over to a thread and back would.
"""

import asyncio
from collections.abc import Sequence

from sartor.errors import Overloaded, StoreUnavailable
from sartor.ports import EventLog
from sartor.records import Decision, Observation


class Writer:
    """Appends events to one loop's log. An answer waits for its future: acknowledged means committed."""

    def __init__(self, events: EventLog, /, *, limit: int) -> None:
        """``limit``: how many events may wait for a commit."""
        self._events = events
        self._limit = limit
        self._waiting: list[Decision | Observation] = []
        self._futures: list[asyncio.Future[None]] = []
        self.last_error: StoreUnavailable | None = None
        """Why the last commit failed; None if it did not."""

    @property
    def healthy(self) -> bool:
        """Whether the last commit succeeded, or there was none."""
        return self.last_error is None

    def append(self, event: Decision | Observation, /) -> "asyncio.Future[None]":
        """Commit an event with the others of this turn of the event loop.

        Returns:
            A future that is done when the event is in the store, or failed with ``StoreUnavailable``: then
            nothing of its group was written.

        Raises:
            Overloaded: ``limit`` events are waiting; this one was not taken.
        """
        if len(self._waiting) >= self._limit:
            raise Overloaded
        future = self._future()
        self._waiting.append(event)
        return future

    def append_together(self, events: Sequence[Decision | Observation], /) -> "asyncio.Future[None]":
        """Commit some events, all or none, with the others of this turn of the event loop; see ``append``."""
        if len(self._waiting) + len(events) > self._limit:
            raise Overloaded
        future = self._future()
        self._waiting += events
        return future

    def _future(self) -> "asyncio.Future[None]":
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_soon(self.flush_now)
        future: asyncio.Future[None] = loop.create_future()
        self._futures.append(future)
        return future

    def flush_now(self) -> None:
        """Commit what is waiting; returns when it is in the store, or its futures have failed."""
        if not self._waiting:
            return
        events, self._waiting = self._waiting, []
        futures, self._futures = self._futures, []
        try:
            self._events.append(events)
        except StoreUnavailable as error:
            self.last_error = error
            _fail(futures, error)
        except Exception as error:
            # Not foreseen: nobody may wait for ever, and whoever runs the event loop is to hear of it.
            self.last_error = StoreUnavailable()
            _fail(futures, error)
            raise
        else:
            self.last_error = None
            _succeed(futures)


def _succeed(futures: "list[asyncio.Future[None]]") -> None:
    for future in futures:
        if not future.done():  # a request that was given up has cancelled its own
            future.set_result(None)


def _fail(futures: "list[asyncio.Future[None]]", error: Exception) -> None:
    message = error.message if isinstance(error, StoreUnavailable) else None
    for future in futures:
        if not future.done():
            # One error each: an error grows by the frames of everyone who raises it.
            own = StoreUnavailable(message)
            own.__cause__ = error
            future.set_exception(own)
