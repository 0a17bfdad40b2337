"""The served loops of one api process, kept in step with the catalog and with the models that go live."""

import time
from collections.abc import Callable
from functools import partial
from itertools import islice

from sartor.access.quota import QuotaLimiter
from sartor.access.served_loops import LoopTable, ServedLoop, UnservedLoop
from sartor.access.shared_counters import WindowCounter
from sartor.deploy.live_model import LiveModel
from sartor.errors import SartorError, StoreUnavailable
from sartor.log.writer import Writer
from sartor.loops import UnreadableLoop
from sartor.ports import EngineFactory, Loop, Stores
from sartor.problems import Problem, strip_folders
from sartor.runtime.followed_loops import FollowedLoops
from sartor.runtime.for_each_loop import LoopVisits, for_each_loop
from sartor.runtime.report_once import ReportOnce
from sartor.service.open_loop import OpenLoop, close_all, describe_unserved

_RETRY_S = 1.0
"""How long a loop that can't be opened is left alone."""

OPENING_S = 0.5
"""For how long loops are opened before an api process answers."""

LOOKS = 200
"""How many loops are looked at for a new live model each time, each for about 10 µs."""

_ROUNDS = 20
"""After so many times every loop was looked at, however many there are."""


class LoopTableSync:
    """Opens and closes served loops as loops come and go; the table changes between two requests.

    A change of the catalog costs what changed. Of many loops those that are not opened yet are opened step by
    step, and at once where a request is for one.
    """

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
        self._loops = FollowedLoops(stores.catalog)
        self._damaged: dict[str, UnreadableLoop] = {}
        self._waiting: dict[str, Loop] = {}
        self._open_loops: dict[str, OpenLoop] = {}
        self._metered: set[str] = set()
        self._looked_at = 0
        self._retry_at_s = 0.0
        self._writers_tried_s = float("-inf")
        self._catalog_report = ReportOnce("The catalog can't be followed", action="catalog_not_followed")
        self._opening = LoopVisits("loop_not_served", stores.catalog)
        self._models = LoopVisits("model_not_loaded", stores.catalog)
        self._usage = LoopVisits("usage_not_read", stores.catalog)
        self._writing = LoopVisits("events_not_committed", stores.catalog)

    def sync(self, *, opening_s: float = OPENING_S) -> None:
        """Follow the catalog and the registries once; costs little while nothing changes.

        ``opening_s``: for how long loops that are not open yet are opened; one is in any case.
        """
        closing = self._follow_catalog()
        self._open_waiting(opening_s)
        close_all(closing)
        self._look_for_models()
        for loop_id in [one for one in self._metered if self._open_loops[one].rate_limiter.is_refresh_due]:
            self._usage.visit(self._open_loops[loop_id].loop, self._read_usage)
        self._try_failed_writers()

    def catch_up(self) -> None:
        """Follow the catalog alone, for a request whose key or loop is not known: it may have just been made.

        Costs microseconds while nothing changes, and nothing while the catalog can't be read.
        """
        if not self._catalog_report.find_problems():
            close_all(self._follow_catalog())

    def _follow_catalog(self) -> list[OpenLoop]:
        """Take over what changed; returns what is to be closed."""
        self._retry_failed()
        try:
            changes = self._loops.follow()
        except SartorError as error:
            self._catalog_report.note_failure(error)
            return []
        self._catalog_report.note_success()
        closing = [one for loop_id in changes.gone if (one := self._drop(loop_id)) is not None]
        self._follow_damaged()
        for loop in changes.loops:
            if loop.loop_id in self._open_loops:
                self._serve(loop)
            else:
                self._waiting[loop.loop_id] = loop
                entry = describe_unserved(loop, "it is being opened.", open_now=partial(self._serve, loop))
                self._loop_table.put(entry)
        return closing

    def _retry_failed(self) -> None:
        """Let loops that could not be opened, or read in the catalog, have another try, if it is time."""
        failures = self._opening.failures
        if not (failures or self._damaged) or self._monotonic_s() < self._retry_at_s:
            return
        self._retry_at_s = self._monotonic_s() + _RETRY_S
        self._waiting |= {loop.loop_id: loop for loop in self._loops.all() if loop.loop_id in failures}
        if self._damaged:
            self._loops.retry()

    def _follow_damaged(self) -> None:
        """Say of the loops whose entry in the catalog is damaged that they are not served, and why."""
        damaged = {loop.loop_id: loop for loop in self._loops.unreadable}
        for loop_id in self._damaged.keys() - damaged.keys():
            self._loop_table.remove(loop_id)
        for loop_id, loop in damaged.items():
            if self._damaged.get(loop_id) != loop:
                self._loop_table.put(UnservedLoop(loop.name, loop_id, loop.keys, strip_folders(loop.reason)))
        self._damaged = damaged

    def _drop(self, loop_id: str) -> OpenLoop | None:
        """Forget a loop; returns its parts, if it was open."""
        self._loop_table.remove(loop_id)
        self._waiting.pop(loop_id, None)
        self._metered.discard(loop_id)
        for visits in (self._opening, self._models, self._usage, self._writing):
            visits.forget(loop_id)
        return self._open_loops.pop(loop_id, None)

    def _open_waiting(self, opening_s: float) -> None:
        until_s = self._monotonic_s() + opening_s
        while self._waiting:
            self._serve(next(iter(self._waiting.values())))
            if self._monotonic_s() >= until_s:
                break

    def _serve(self, loop: Loop) -> ServedLoop | UnservedLoop:
        """Open a loop, or follow its change; returns its entry in the table, which says so where that fails."""
        self._waiting.pop(loop.loop_id, None)
        self._opening.visit(loop, self._open_or_follow)
        open_loop = self._open_loops.get(loop.loop_id)
        if open_loop is None:
            if loop.loop_id in self._opening.failures:
                self._retry_at_s = max(self._retry_at_s, self._monotonic_s() + _RETRY_S)
            return self._put_unserved(loop)
        entry = open_loop.served_loop
        (self._metered.add if loop.terms.quota_per_month else self._metered.discard)(loop.loop_id)
        self._loop_table.put(entry)
        return entry

    def _put_unserved(self, loop: Loop) -> UnservedLoop:
        """Say in the table why a loop could not be opened; one that was deleted meanwhile leaves it."""
        self._metered.discard(loop.loop_id)
        reason = self._opening.failures.get(loop.loop_id)
        if reason is None:
            self._loop_table.remove(loop.loop_id)
            return describe_unserved(loop, "it was deleted.")
        entry = describe_unserved(loop, reason)
        self._loop_table.put(entry)
        return entry

    def _open_or_follow(self, loop: Loop) -> None:
        open_loop = self._open_loops.get(loop.loop_id)
        if open_loop is None:
            self._open_loops[loop.loop_id] = self._open(loop)
            self._models.visit(loop, self._refresh_model)
            return
        try:
            open_loop.follow(loop)
        except Exception:  # it must not go on under the settings and keys of before
            close_all([self._open_loops.pop(loop.loop_id)])
            raise

    def _open(self, loop: Loop) -> OpenLoop:
        logs = self._stores.open(loop)
        try:
            open_loop = OpenLoop(
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
        except Exception as error:
            # No bad moment, but damage: it is opened again, and not served until that succeeds.
            close_all([self._open_loops.pop(loop.loop_id)])
            self._opening.note_failure(loop, error)
            self._put_unserved(loop)
            return
        open_loop.writer.last_error = None

    def _look_for_models(self) -> None:
        """Look at some loops, in turns, for another live model."""
        count = max(LOOKS, -(-len(self._open_loops) // _ROUNDS))
        start, self._looked_at = self._looked_at, self._looked_at + count
        if self._looked_at >= len(self._open_loops):
            self._looked_at = 0
        for open_loop in list(islice(self._open_loops.values(), start, start + count)):
            self._models.visit(open_loop.loop, self._refresh_model)

    def _refresh_model(self, loop: Loop) -> None:
        self._open_loops[loop.loop_id].live.refresh()

    def _read_usage(self, loop: Loop) -> None:
        def count_decisions(from_us: int, to_us: int) -> int:
            days = self._stores.usage(loop, from_us=from_us, to_us=to_us)
            return sum(day.decisions for day in days)

        self._open_loops[loop.loop_id].read_usage(count_decisions)

    @property
    def loops_in_service(self) -> int:
        """How many loops are in service, served or not."""
        return len(self._loops.all()) + len(self._damaged)

    def list_problems(self) -> list[Problem]:
        """What went wrong when this process last followed the catalog, the loops and their models."""
        problems = self._catalog_report.find_problems()
        if new := len(self._waiting.keys() - self._opening.failures.keys()):
            message = (
                f"{new} of {self.loops_in_service} loops are not open yet; each is opened when it is used."
            )
            problems.append(Problem(message, action="loops_not_opened", fatal=False))
        problems += self._opening.find_problems("The loop is not served")
        problems += [
            Problem(
                f"The loop is not served: {strip_folders(loop.reason)}",
                loop.loop_id,
                loop.name,
                "loop_not_served",
            )
            for loop in self._damaged.values()
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
        close_all(self._open_loops.values())
        self._open_loops.clear()
