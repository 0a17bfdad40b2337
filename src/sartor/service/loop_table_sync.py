"""The served loops of one api process, kept in step with the catalog and with the models that go live."""

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, suppress

from msgspec import Struct

from sartor.access.allowed_networks import AllowedNetworks
from sartor.access.quota import QuotaLimiter
from sartor.access.served_loops import LoopTable, ServedLoop, UnservedLoop
from sartor.access.shared_counters import WindowCounter
from sartor.deploy.live_model import LiveModel
from sartor.errors import SartorError, StoreUnavailable
from sartor.log.writer import Writer
from sartor.loops import UnreadableLoop
from sartor.ports import EngineFactory, Loop, LoopStores, Stores
from sartor.problems import Problem, strip_folders
from sartor.runtime.for_each_loop import LoopVisits, for_each_loop
from sartor.runtime.report_once import ReportOnce

_log = logging.getLogger(__name__)

_RETRY_S = 1.0
"""How long a loop that can't be opened is left alone."""


class _OpenLoop(Struct):
    """The parts of a served loop: the loop as it is now, its stores, and what outlasts a change of settings."""

    loop: Loop
    logs: LoopStores
    writer: Writer
    live: LiveModel
    rate_limiter: QuotaLimiter
    networks: AllowedNetworks | None = None

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


class LoopTableSync:
    """Opens and closes served loops as loops come and go; the table changes at once, between two requests."""

    def __init__(
        self,
        stores: Stores,
        factory: EngineFactory,
        loop_table: LoopTable,
        /,
        *,
        limit: int,
        counter_of: Callable[[str], WindowCounter] = lambda _: WindowCounter(),
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare; nothing is opened yet.

        Args:
            stores: the instance's stores.
            factory: makes the engines that rank.
            loop_table: the table that is kept in step.
            limit: how many events of a loop may wait for a commit.
            counter_of: returns what counts the ranks of the loop with this id, by the second.
            monotonic_s: a clock in seconds.
        """
        self._counter_of = counter_of
        self._stores = stores
        self._factory = factory
        self._loop_table = loop_table
        self._limit = limit
        self._monotonic_s = monotonic_s
        self._loops: Sequence[Loop] = ()
        self._unreadable: Sequence[UnreadableLoop] = ()
        self._open_loops: dict[str, _OpenLoop] = {}
        self._version: int | None = None
        self._retry_at_s = 0.0
        self._writers_tried_s = float("-inf")
        self._catalog_report = ReportOnce("The catalog can't be followed", action="catalog_not_followed")
        self._opening = LoopVisits("loop_not_served")
        self._models = LoopVisits("model_not_loaded")
        self._usage = LoopVisits("usage_not_read")
        self._writing = LoopVisits("events_not_committed")

    def sync(self) -> None:
        """Follow the catalog and the registries once; costs microseconds while nothing changes."""
        try:
            changed = self._read_catalog()
        except SartorError as error:
            self._catalog_report.note_failure(error)
        else:
            self._catalog_report.note_success()
            if changed or self._is_retry_due():
                self._serve_all()
        served = [open_loop.loop for open_loop in self._open_loops.values()]
        for_each_loop(served, self._refresh_model, visits=self._models)
        for_each_loop(served, self._read_usage, visits=self._usage, is_due=self._is_usage_due)
        self._try_failed_writers()

    def _read_catalog(self) -> bool:
        version = self._stores.catalog.version()
        if version == self._version and not (self._unreadable and self._is_retry_due()):
            return False
        self._loops = self._stores.catalog.loops()
        self._unreadable = [loop for loop in self._stores.catalog.unreadable() if not loop.deleted]
        self._version = version
        return True

    def _is_retry_due(self) -> bool:
        waiting = self._unreadable or self._opening.failures
        return bool(waiting) and self._monotonic_s() >= self._retry_at_s

    def _serve_all(self) -> None:
        """Open what is new, close what is gone; a loop that fails leaves the table and keeps no other out."""
        gone = self._open_loops.keys() - {loop.loop_id for loop in self._loops}
        closing = [self._open_loops.pop(loop_id) for loop_id in gone]
        for_each_loop(self._loops, self._serve, visits=self._opening)
        self._fill_table()
        _close_all(closing)
        self._retry_at_s = self._monotonic_s() + _RETRY_S

    def _fill_table(self) -> None:
        failures = self._opening.failures
        unserved = [_unserved(loop, failures[loop.loop_id]) for loop in self._loops if loop.loop_id in failures]
        unserved += [
            UnservedLoop(loop.name, loop.loop_id, loop.keys, strip_folders(loop.reason))
            for loop in self._unreadable
        ]
        served = (open_loop.served_loop for open_loop in self._open_loops.values())
        self._loop_table.replace(served, unserved)

    def _serve(self, loop: Loop) -> None:
        open_loop = self._open_loops.get(loop.loop_id)
        if open_loop is None:
            self._open_loops[loop.loop_id] = self._open(loop)
            return
        try:
            open_loop.follow(loop)
        except Exception:  # it must not go on under the settings and keys of before
            _close_all([self._open_loops.pop(loop.loop_id)])
            raise

    def _open(self, loop: Loop) -> _OpenLoop:
        logs = self._stores.open(loop)
        try:
            open_loop = _OpenLoop(
                loop=loop,
                logs=logs,
                writer=Writer(logs.events, limit=self._limit),
                live=LiveModel(logs.models, self._factory),
                rate_limiter=QuotaLimiter(self._counter_of(loop.loop_id)),
            )
            logs.check()
            open_loop.follow(loop)
        except Exception:
            logs.close()
            raise
        return open_loop

    def _try_failed_writers(self) -> None:
        """Look again at loops whose last events could not be committed; without new ones nobody else would."""
        failed = [one.loop for one in self._open_loops.values() if one.writer.last_error is not None]
        self._writing.forget_all_but(failed)
        if failed and self._monotonic_s() >= self._writers_tried_s + _RETRY_S:
            self._writers_tried_s = self._monotonic_s()
            for_each_loop(failed, self._try_writer, visits=self._writing)

    def _try_writer(self, loop: Loop) -> None:
        open_loop = self._open_loops[loop.loop_id]
        try:
            open_loop.logs.events.horizon()  # takes the lock of a commit, and the time of one
        except StoreUnavailable:
            raise
        except (
            Exception
        ) as error:  # no bad moment, but damage: opened again, and not served until that succeeds
            _close_all([self._open_loops.pop(loop.loop_id)])
            self._opening.note_failure(loop, error)
            self._fill_table()
            return
        open_loop.writer.last_error = None

    def _refresh_model(self, loop: Loop) -> None:
        self._open_loops[loop.loop_id].live.refresh()

    def _read_usage(self, loop: Loop) -> None:
        def count_decisions(from_us: int, to_us: int) -> int:
            days = self._stores.usage(loop, from_us=from_us, to_us=to_us)
            return sum(day.decisions for day in days)

        self._open_loops[loop.loop_id].rate_limiter.refresh(count_decisions)

    def _is_usage_due(self, loop: Loop) -> bool:
        return self._open_loops[loop.loop_id].rate_limiter.is_refresh_due

    @property
    def loops_in_service(self) -> int:
        """How many loops are in service, served or not."""
        return len(self._loops) + len(self._unreadable)

    def list_problems(self) -> list[Problem]:
        """What went wrong when this process last followed the catalog, the loops and their models."""
        problems = self._catalog_report.find_problems()
        problems += self._opening.find_problems("The loop is not served")
        problems += [
            Problem(
                f"The loop is not served: {strip_folders(loop.reason)}",
                loop.loop_id,
                loop.name,
                "loop_not_served",
            )
            for loop in self._unreadable
        ]
        problems += self._writing.find_problems("The last events could not be committed")
        problems += self._models.find_problems("The loop does not follow its models")
        problems += self._usage.find_problems("The usage of the loop is not counted", fatal=False)
        for loop_id, open_loop in self._open_loops.items():
            if reason := open_loop.live.problem:
                problems.append(Problem(reason, loop_id, open_loop.loop.name, "model_not_loaded"))
        return problems

    def close(self) -> None:
        """Commit what is waiting, and close every served loop."""
        self._loop_table.replace(())
        _close_all(self._open_loops.values())
        self._open_loops.clear()


def _unserved(loop: Loop, reason: str) -> UnservedLoop:
    """The entry of the loop table for a loop that can't be opened."""
    networks = None
    with suppress(SartorError):
        networks = AllowedNetworks(loop.terms.allowed_networks) if loop.terms.allowed_networks else None
    return UnservedLoop(loop.name, loop.loop_id, (loop.key1, loop.key2), strip_folders(reason), networks)


def _close_all(open_loops: Iterable[_OpenLoop]) -> None:
    """Commit what waits for these loops and close them; a failure of one keeps no other from being closed."""
    for open_loop in open_loops:
        with ExitStack() as closing:
            closing.callback(open_loop.logs.close)
            closing.callback(open_loop.rate_limiter.close)
            closing.callback(open_loop.live.close)
            open_loop.writer.flush_now()
            error = open_loop.writer.last_error
            if error is not None:
                extra = {"action": "loop_not_closed", "loop": open_loop.loop.name}
                _log.error("Events of a loop could not be committed: %s", error, extra=extra, exc_info=error)
