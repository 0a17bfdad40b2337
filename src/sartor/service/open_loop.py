"""One loop as an api process serves it: its stores, what waits to be written, the live model, the quotas."""

import logging
from collections.abc import Callable, Hashable, Iterable
from contextlib import ExitStack, suppress

from msgspec import Struct

from sartor.access.allowed_networks import AllowedNetworks
from sartor.access.quota import QuotaLimiter
from sartor.access.served_loops import ServedLoop, UnservedLoop
from sartor.deploy.live_model import LiveModel
from sartor.errors import LoopDeleted, SartorError
from sartor.log.writer import Writer
from sartor.ports import Loop, LoopStores
from sartor.problems import strip_folders

_log = logging.getLogger(__name__)


class OpenLoop(Struct):
    """The parts of a served loop: the loop as it is now, its stores, and what outlasts a change of settings."""

    loop: Loop
    logs: LoopStores
    writer: Writer
    live: LiveModel
    rate_limiter: QuotaLimiter
    networks: AllowedNetworks | None = None
    _used: int = 0
    _used_mark: Hashable = None

    def follow(self, loop: Loop) -> None:
        """Take over the loop as it is now."""
        if self.networks is None or loop.terms.allowed_networks != self.loop.terms.allowed_networks:
            self.networks = (
                AllowedNetworks(loop.terms.allowed_networks) if loop.terms.allowed_networks else None
            )
        self.rate_limiter.follow(loop.terms)
        self.loop = loop

    @property
    def served_loop(self) -> ServedLoop:
        """The entry of the loop table."""
        terms = self.loop.terms
        has_quota = terms.quota_per_second or terms.quota_per_month
        return ServedLoop(
            self.loop, self.writer, self.live, self.networks, self.rate_limiter if has_quota else None
        )

    def read_usage(self, count_decisions: Callable[[int, int], int], /) -> None:
        """Read how much of the month's quota is used; the log is read only if something was committed since.

        ``count_decisions``: counts the decisions from a time to before another, microseconds since 1970.
        """

        def count(from_us: int, to_us: int) -> int:
            mark = (self.logs.mark(), from_us)
            if mark != self._used_mark:
                self._used = count_decisions(from_us, to_us)
                self._used_mark = mark
            return self._used

        self.rate_limiter.refresh(count)


def describe_unserved(
    loop: Loop, reason: str, /, *, open_now: Callable[[], ServedLoop | UnservedLoop] | None = None
) -> UnservedLoop:
    """The entry of the loop table for a loop that can't be opened, or was not yet; see ``UnservedLoop``."""
    networks = None
    with suppress(SartorError):
        networks = AllowedNetworks(loop.terms.allowed_networks) if loop.terms.allowed_networks else None
    keys = (loop.key1, loop.key2)
    return UnservedLoop(loop.name, loop.loop_id, keys, strip_folders(reason), networks, open_now)


def close_all(open_loops: Iterable[OpenLoop], /) -> None:
    """Commit what waits for these loops and close them; a failure of one keeps no other from being closed."""
    for open_loop in open_loops:
        with ExitStack() as closing:
            closing.callback(open_loop.logs.close)
            closing.callback(open_loop.rate_limiter.close)
            closing.callback(open_loop.live.close)
            open_loop.writer.flush_now()
            error = open_loop.writer.last_error
            if error is not None and not isinstance(error, LoopDeleted):
                extra = {"action": "loop_not_closed", "loop": open_loop.loop.name}
                _log.error("Events of a loop could not be committed: %s", error, extra=extra, exc_info=error)
