"""One way to visit all loops of an instance: a loop that fails keeps no other from its turn."""

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from sartor.errors import LoopDeleted
from sartor.ports import Catalog, Loop
from sartor.problems import Problem, strip_folders
from sartor.runtime.report_once import ReportOnce


class _NotSeen:
    def __bool__(self) -> bool:
        return False


NOT_SEEN: Final = _NotSeen()
"""What a visit returns that did not get as far as to know whether the loop is well: what failed last stays."""


class LoopVisits:
    """What one visitor of all loops knows from one round to the next: where to begin, and what failed last.

    Threads may share it. A loop that is deleted while it is visited is no failure: nothing is logged, and
    nothing is known of it afterwards.

    Attributes:
        action: what failed where a visit fails, for structured logs: ``retention_failed``.
        on_visit: called after each visit: a long round makes progress.
    """

    def __init__(self, action: str, catalog: Catalog, /) -> None:
        self.action = action
        self._catalog = catalog
        self.on_visit: Callable[[], None] = lambda: None
        self._reports: dict[str, ReportOnce] = {}
        self._names: dict[str, str] = {}
        self._lock = threading.Lock()
        self._last = ""

    @property
    def failures(self) -> Mapping[str, str]:
        """By loop id, why the last visit of the loop failed; loops whose visit succeeded are not in it."""
        with self._lock:
            return {loop_id: report.reason for loop_id, report in self._reports.items()}

    def find_problems(self, what: str, /, *, fatal: bool = True) -> list[Problem]:
        """The failures as problems of their loops.

        Args:
            what: what failed, for people: ``Settling and learning failed``.
            fatal: whether a loop can't do its work because of it.
        """
        with self._lock:
            return [
                Problem(
                    f"{what}: {strip_folders(report.reason)}",
                    loop_id,
                    self._names[loop_id],
                    self.action,
                    fatal,
                )
                for loop_id, report in self._reports.items()
            ]

    def order(self, loops: Iterable[Loop], /) -> list[Loop]:
        """The loops in their turns: a round begins after the loop with which the one before began."""
        turns = sorted(loops, key=lambda loop: loop.loop_id)
        begin = next((place for place, loop in enumerate(turns) if loop.loop_id > self._last), 0)
        self._last = turns[begin].loop_id if turns else ""
        return turns[begin:] + turns[:begin]

    def note_success(self, loop: Loop, /) -> None:
        """The visit of a loop went well."""
        self.on_visit()
        if loop.loop_id in self._reports:
            with self._lock:
                self._reports.pop(loop.loop_id).note_success()
                del self._names[loop.loop_id]

    def note_failure(self, loop: Loop, error: Exception, /) -> None:
        """The visit of a loop failed: logged once, until the reason changes or a visit goes well."""
        self.on_visit()
        if self.is_gone(loop, error):
            self.forget(loop.loop_id)
            return
        with self._lock:
            report = self._reports.setdefault(
                loop.loop_id, ReportOnce(f"Loop {loop.name!r}", action=self.action)
            )
            self._names[loop.loop_id] = loop.name
            report.note_failure(error)

    def is_gone(self, loop: Loop, error: Exception, /) -> bool:
        """Whether a visit failed because the loop was deleted, or recovered under another name, meanwhile.

        What it fails with may be anything: its files may go at any moment. So the catalog is asked.
        """
        if isinstance(error, LoopDeleted):
            return True
        try:
            found = self._catalog.find_by_id(loop.loop_id)
        except Exception:  # the catalog can't be read, or not this entry of it: nothing is known
            return False
        return found is None or found.name != loop.name

    def visit(self, loop: Loop, act: Callable[[Loop], object], /) -> object:
        """Call a function for a loop and note how it went; returns its result, None where it raised.

        What it returns may be ``NOT_SEEN``.
        """
        try:
            result = act(loop)
        except Exception as error:
            self.note_failure(loop, error)
            return None
        if result is NOT_SEEN:
            self.on_visit()
        else:
            self.note_success(loop)
        return result

    def forget(self, loop_id: str, /) -> None:
        """Forget the failure of a loop that is gone."""
        if loop_id not in self._reports:
            return
        with self._lock:
            self._reports.pop(loop_id, None)
            self._names.pop(loop_id, None)

    def forget_all_but(self, loops: Iterable[Loop], /) -> None:
        """Forget the failures of loops that are gone."""
        if not self._reports:  # ten times a second, and nearly always: nothing failed
            return
        with self._lock:
            for loop_id in self._reports.keys() - {loop.loop_id for loop in loops}:
                del self._reports[loop_id], self._names[loop_id]


def for_each_loop(
    loops: Iterable[Loop],
    act: Callable[[Loop], object],
    /,
    *,
    visits: LoopVisits,
    is_due: Callable[[Loop], bool] = lambda _: True,
) -> None:
    """Call a function for each loop; whatever it raises for one is noted, and the next has its turn.

    Args:
        loops: all loops that there are, for example ``stores.catalog.loops()``.
        act: visits a loop. A true result ends the round: the visitor has no time for more.
        visits: what the visitor keeps between rounds. Each round begins with another loop.
        is_due: whether a loop is to be visited in this round; what is known of one that isn't stays.
    """
    turns = visits.order(loops)
    visits.forget_all_but(turns)
    for loop in turns:
        if not is_due(loop):
            continue
        if visits.visit(loop, act):
            return
