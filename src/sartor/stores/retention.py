"""Retention: removes from a loop's log what was settled before a time, in short transactions.

Outcomes go first, then decisions up to the first whose outcome is still there. So every outcome has its
decision, whenever this is stopped; some of the first decisions may lack the outcome, which came earlier than
those of their neighbours. The last row of each table stays, and with it the numbering.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from sartor.stores.checkpoint import checkpoint_wal
from sartor.stores.connection import SqliteConnection
from sartor.stores.outcomes import SqliteOutcomes, decode_outcome
from sartor.stores.schema import read_statements
from sartor.stores.throttled_transactions import ThrottledTransactions

_EVENTS = read_statements("events")
_OUTCOMES = read_statements("outcomes")

_CHECKPOINT_EVERY = 20
"""Steps after which the write-ahead logs are copied back, so that they don't grow with what is removed."""


class Retention:
    """Applies retention to one loop; the caller opens and closes the connections."""

    def __init__(
        self, folder: Path, events: SqliteConnection, outcomes: SqliteConnection, /, *, loop_id: str
    ) -> None:
        self._folder = folder
        self._loop_id = loop_id
        self._events = events
        self._outcomes = outcomes
        self._log = SqliteOutcomes(outcomes)
        self._steps = 0

    def remove(self, *, before_us: int) -> int:
        """Removes what was settled before a time; returns how many rows.

        Raises:
            StoreUnavailable: not everything could be removed; the next call continues.
        """
        cursor = self._log.counts().cursor
        outcome = self._last_outcome(before_us, settled=cursor.decisions)
        removed = self._in_steps(self._remove_outcomes, outcome)
        removed += self._in_steps(self._remove_decisions, self._last_decision(settled=cursor.decisions))
        observation = self._last_observation(before_us, settled=cursor.observations)
        removed += self._in_steps(self._remove_observations, observation)
        return removed + self._in_steps(self._remove_unmatched, self._first_numbers()[1] - 1)

    def _in_steps(self, remove: Callable[[int, int], int], last: int) -> int:
        total, steps = 0, ThrottledTransactions()
        while removed := steps.run(lambda rows: remove(rows, last)):
            total += removed
            self._steps += 1
            if self._steps % _CHECKPOINT_EVERY == 0:
                for kind in ("events", "outcomes"):
                    path = self._folder / f"{kind}.sqlite"
                    checkpoint_wal(path, kind, owner=self._loop_id, truncates=False)
        return total

    def _last_outcome(self, before_us: int, *, settled: int) -> int:
        counts = self._log.counts()
        first, last = counts.first_outcome, counts.last_outcome - 1
        found = first - 1 + bisect_left(range(first, last + 1), before_us, key=self._settled_at)
        blocked: int | None = self._outcomes.rows(_OUTCOMES["first_not_done"], (settled,))[0][0]
        return found if blocked is None else min(found, blocked - 1)

    def _settled_at(self, number: int) -> int:
        return self._log.outcomes(after=number - 1, limit=1)[0].outcome.settled_at_us

    def _last_decision(self, *, settled: int) -> int:
        kept: int | None = self._outcomes.rows(_OUTCOMES["first_decision"])[0][0]
        last: int = self._events.rows(_EVENTS["last_numbers"])[0][0]
        return 0 if kept is None else min(settled, kept - 1, last - 1)

    def _last_observation(self, before_us: int, *, settled: int) -> int:
        last: int = self._events.rows(_EVENTS["last_numbers"])[0][1]
        last = min(settled, last - 1)
        first = self._first_numbers()[1]
        return first - 1 + bisect_left(range(first, last + 1), before_us, key=self._observed_at)

    def _observed_at(self, number: int) -> int:
        at_us: int = self._events.rows(_EVENTS["observation_time"], (number,))[0][1]
        return at_us

    def _first_numbers(self) -> tuple[int, int]:
        decision, observation = self._events.rows(_EVENTS["first_numbers"])[0]
        return decision, observation

    def _remove_outcomes(self, rows: int, last: int) -> int:
        until = min(last, self._log.counts().first_outcome + rows - 1)
        with self._outcomes.transaction() as raw:
            removed_rows = raw.execute(_OUTCOMES["remove_outcomes"], (until,)).fetchall()
            if removed_rows:
                learnable = sum(decode_outcome((until, body)).outcome.learnable for _, body in removed_rows)
                newest = max(decision for decision, _ in removed_rows)
                raw.execute(_OUTCOMES["removed_outcomes"], (len(removed_rows), learnable, newest))
        return len(removed_rows)

    def _remove_decisions(self, rows: int, last: int) -> int:
        until = min(last, self._first_numbers()[0] + rows - 1)
        with self._events.transaction() as raw:
            return raw.execute(_EVENTS["remove_decisions"], (until,)).rowcount

    def _remove_observations(self, rows: int, last: int) -> int:
        until = min(last, self._first_numbers()[1] + rows - 1)
        with self._events.transaction() as raw:
            return raw.execute(_EVENTS["remove_observations"], (until,)).rowcount

    def _remove_unmatched(self, rows: int, last: int) -> int:
        first: int | None = self._outcomes.rows(_OUTCOMES["first_unmatched"])[0][0]
        if first is None:
            return 0
        with self._outcomes.transaction() as raw:
            removed_rows = raw.execute(_OUTCOMES["remove_unmatched"], (min(last, first + rows - 1),)).fetchall()
            reasons = Counter(reason for (reason,) in removed_rows)
            raw.execute(_OUTCOMES["removed_unmatched"], (reasons["late"], reasons["dangling"]))
        return len(removed_rows)
