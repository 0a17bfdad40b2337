"""Erasure: blanks decisions so that no feature and no event id of theirs is left in the files.

The outcomes are amended first, so that nothing is learned of a decision that is blank. Connections
with ``secure_delete`` overwrite the values in the pages; truncating the write-ahead logs removes the rest.
"""

import time
from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from sartor.errors import StoreUnavailable
from sartor.records import Decision, LoggedOutcome
from sartor.stores.connection import BUSY_S, SqliteConnection
from sartor.stores.decision_keys import key_of
from sartor.stores.events import decode_decision
from sartor.stores.outcomes import SqliteOutcomes, decode_outcome
from sartor.stores.schema import read_statements
from sartor.stores.throttled_transactions import ThrottledTransactions

_EVENTS = read_statements("events")
_OUTCOMES = read_statements("outcomes")

_NOTHING = b"[]"
_RETRY_S = 0.01

_encode = msgspec.msgpack.Encoder().encode


class Erasure:
    """Erases in one loop's folder; the caller opens and closes the connections, with ``overwrites``."""

    def __init__(self, events: SqliteConnection, outcomes: SqliteConnection, /) -> None:
        self._events = events
        self._outcomes = outcomes
        self._log = SqliteOutcomes(outcomes)

    def erase(self, decisions: Sequence[int], /) -> Sequence[int]:
        """Blanks these decisions and what belongs to them; returns those that are still open.

        Raises:
            StoreUnavailable: not everything is done, or readers keep old pages in use.
        """
        found = self._find_event_ids(decisions)
        observations = self._find_observations(set(found.values()))
        cursor = self._log.counts().cursor
        waiting = {event_id for number, event_id in observations if number > cursor.observations}
        outcomes = {number: self._find_outcome(number) for number in found}
        open_ = [
            number
            for number, event_id in found.items()
            if event_id in waiting or (outcomes[number] is None and number > cursor.decisions)
        ]
        are_open = set(open_)
        settled = {number: event_id for number, event_id in found.items() if number not in are_open}
        self._amend([outcome for number, outcome in outcomes.items() if outcome and number in settled])
        ids = set(settled.values())
        of_settled = [number for number, event_id in observations if event_id in ids]
        ThrottledTransactions().run_all(of_settled, self._blank_observations)
        ThrottledTransactions().run_all(list(settled), self._blank_decisions)
        keys = [key_of(number, event_id) for number, event_id in settled.items()]
        ThrottledTransactions().run_all(keys, self._remove_keys)
        for connection in (self._events, self._outcomes):
            _truncate_wal(connection)
        return open_

    def _find_event_ids(self, decisions: Sequence[int]) -> dict[int, str]:
        """Returns the event ids of those decisions that exist and are not blank yet, by number."""
        rows = [row for number in decisions for row in self._events.rows(_EVENTS["decision"], (number,))]
        return {seq: event_id for seq, event_id, _ in rows if event_id}

    def _find_observations(self, event_ids: set[str]) -> list[tuple[int, str]]:
        if not event_ids:
            return []
        names = msgspec.json.encode(sorted(event_ids)).decode()
        return [(seq, event_id) for seq, event_id in self._events.rows(_EVENTS["observations_of"], (names,))]

    def _find_outcome(self, decision: int) -> LoggedOutcome | None:
        rows = self._outcomes.rows(_OUTCOMES["find_outcome"], (decision,))
        return decode_outcome(rows[0]) if rows else None

    def _amend(self, outcomes: Sequence[LoggedOutcome]) -> None:
        if outcomes:
            self._log.amend([replace(one.outcome, event_id="", learnable=False) for one in outcomes])

    def _blank_observations(self, numbers: Sequence[int]) -> None:
        with self._events.transaction() as raw:
            raw.executemany(_EVENTS["blank_observation"], [(number,) for number in numbers])

    def _remove_keys(self, keys: Sequence[tuple[int, int, int]]) -> None:
        with self._events.transaction() as raw:
            raw.executemany(_EVENTS["remove_key"], keys)

    def _blank_decisions(self, numbers: Sequence[int]) -> None:
        with self._events.transaction() as raw:
            for number in numbers:
                for seq, _, body in raw.execute(_EVENTS["decision"], (number,)).fetchall():
                    raw.execute(_EVENTS["blank_decision"], (_encode(_blank(decode_decision(seq, body))), seq))


def _blank(decision: Decision) -> Decision:
    return replace(
        decision,
        event_id="",
        context=_NOTHING,
        actions=tuple(replace(action, features=_NOTHING) for action in decision.actions),
        slots=tuple(replace(slot, features=_NOTHING) for slot in decision.slots),
    )


def _truncate_wal(connection: SqliteConnection) -> None:
    """Copies the write-ahead log back and truncates it."""
    deadline_s = time.monotonic() + BUSY_S
    while True:
        busy, *_ = connection.rows("PRAGMA wal_checkpoint(TRUNCATE)")[0]
        if not busy:
            return
        if time.monotonic() > deadline_s:
            raise StoreUnavailable("Erased values are still in a write-ahead log that readers use; try again.")
        time.sleep(_RETRY_S)
