"""One way to visit all loops of an instance: a loop that fails keeps no other from its turn."""

import logging
from collections.abc import Callable, Iterable, Mapping

from sartor.errors import SartorError
from sartor.ports import Loop

_log = logging.getLogger(__name__)


class LoopVisits:
    """What one visitor of all loops knows from one round to the next: where to begin, and what failed last.

    Attributes:
        action: what the visitor does, for the log: ``retention_failed``.
    """

    def __init__(self, action: str, /) -> None:
        self.action = action
        self._failures: dict[str, str] = {}
        self._last = ""

    @property
    def failures(self) -> Mapping[str, str]:
        """By loop id, why the last visit of the loop failed; loops whose visit succeeded are not in it."""
        return self._failures

    def order(self, loops: Iterable[Loop], /) -> list[Loop]:
        """The loops in their turns: a round begins after the loop with which the one before began."""
        turns = sorted(loops, key=lambda loop: loop.loop_id)
        begin = next((place for place, loop in enumerate(turns) if loop.loop_id > self._last), 0)
        self._last = turns[begin].loop_id if turns else ""
        return turns[begin:] + turns[:begin]

    def note_success(self, loop: Loop, /) -> None:
        """The visit of a loop went well."""
        if self._failures.pop(loop.loop_id, None) is not None:
            _log.info("The loop %r is well again.", loop.name, extra={"action": f"{self.action}_over"})

    def note_failure(self, loop: Loop, error: Exception, /) -> None:
        """The visit of a loop failed: logged once, until the reason changes or a visit goes well."""
        reason = error.message if isinstance(error, SartorError) else f"{type(error).__name__}: {error}"
        if self._failures.get(loop.loop_id) == reason:
            return
        self._failures[loop.loop_id] = reason
        unforeseen = None if isinstance(error, SartorError) else error
        _log.error("Loop %r: %s", loop.name, reason, exc_info=unforeseen, extra={"action": self.action})

    def forget_all_but(self, loops: Iterable[Loop], /) -> None:
        """Forget the failures of loops that are gone."""
        for loop_id in self._failures.keys() - {loop.loop_id for loop in loops}:
            del self._failures[loop_id]


def for_each_loop(loops: Iterable[Loop], act: Callable[[Loop], object], /, *, visits: LoopVisits) -> None:
    """Call a function for each loop; whatever it raises for one is noted, and the next has its turn.

    Args:
        loops: all loops that there are, for example ``stores.catalog.loops()``.
        act: visits a loop. A true result ends the round: the visitor has no time for more.
        visits: what the visitor keeps between rounds. Each round begins with another loop.
    """
    turns = visits.order(loops)
    visits.forget_all_but(turns)
    for loop in turns:
        try:
            ends = act(loop)
        except Exception as error:
            visits.note_failure(loop, error)
            continue
        visits.note_success(loop)
        if ends:
            return
