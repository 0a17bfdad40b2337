"""Writes events in groups: those of all requests in one iteration of the event loop are committed together.

The commit runs on the event loop itself: it takes less time than handing it to a thread and back would.
"""

import asyncio
import logging
from collections.abc import Sequence

from sartor.errors import LoopDeleted, Overloaded, SartorError, StoreUnavailable
from sartor.ports import EventLog
from sartor.records import Decision, Observation

_log = logging.getLogger(__name__)


class Writer:
    """Appends events to one loop's log. A response awaits its future: acknowledged means committed."""

    def __init__(self, events: EventLog, /, *, limit: int) -> None:
        """``limit``: how many events may wait for a commit."""
        self._events = events
        self._limit = limit
        self._waiting: list[Decision | Observation] = []
        self._futures: list[asyncio.Future[None]] = []
        self.last_error: Exception | None = None
        """Why the last commit failed; None if it did not."""

    @property
    def healthy(self) -> bool:
        """Whether the last commit succeeded, or there was none."""
        return self.last_error is None

    def append(self, event: Decision | Observation, /) -> "asyncio.Future[None]":
        """Commit an event with the others of this iteration of the event loop.

        Returns:
            A future that is done when the event is in the store, or failed with ``StoreUnavailable``, or
            ``LoopDeleted``: then nothing of its group was written.

        Raises:
            Overloaded: ``limit`` events are waiting; this one was not taken.
        """
        if len(self._waiting) >= self._limit:
            raise Overloaded
        future = self._add_future()
        self._waiting.append(event)
        return future

    def append_together(self, events: Sequence[Decision | Observation], /) -> "asyncio.Future[None]":
        """Commit several events, all or none, with the others of this iteration; see ``append``."""
        if len(self._waiting) + len(events) > self._limit:
            raise Overloaded
        future = self._add_future()
        self._waiting += events
        return future

    def _add_future(self) -> "asyncio.Future[None]":
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_soon(self.flush_now)
        future: asyncio.Future[None] = loop.create_future()
        self._futures.append(future)
        return future

    def flush_now(self) -> None:
        """Commit the waiting events; returns when they are in the store, or their futures have failed."""
        if not self._waiting:
            return
        events, self._waiting = self._waiting, []
        futures, self._futures = self._futures, []
        try:
            self._events.append(events)
        except (
            Exception
        ) as error:  # whatever is wrong with one log, no request waits for ever, and the others go on
            self._note_failure(error)
            _reject(futures, error)
        else:
            self.last_error = None
            _resolve(futures)

    def _note_failure(self, error: Exception) -> None:
        """Remember a failure; one that nobody foresaw is logged, once in a row."""
        before, self.last_error = self.last_error, error
        if not isinstance(error, SartorError) and repr(before) != repr(error):
            _log.error("Events can't be committed.", exc_info=error, extra={"action": "events_not_committed"})


def _resolve(futures: "list[asyncio.Future[None]]") -> None:
    for future in futures:
        if not future.done():  # an abandoned request has cancelled its own
            future.set_result(None)


def _reject(futures: "list[asyncio.Future[None]]", error: Exception) -> None:
    message = error.message if isinstance(error, SartorError) else None
    for future in futures:
        if not future.done():
            # One error each: an error's traceback grows with every frame that raises it.
            own = LoopDeleted(message) if isinstance(error, LoopDeleted) else StoreUnavailable(message)
            own.__cause__ = error
            future.set_exception(own)
