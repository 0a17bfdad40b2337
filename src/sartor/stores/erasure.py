"""Blanking decisions for good: no feature and no event id of theirs is left in the files.

The outcomes are amended first, so that nothing is learned of a decision that is blank. Connections that
overwrite what they replace take the values from the pages; cutting the write-ahead logs takes the rest.
"""

import time
from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from sartor.errors import Corrupt, StoreUnavailable
from sartor.records import Decision, LoggedOutcome
from sartor.stores.connection import BUSY_S, SqliteConnection
from sartor.stores.outcomes import SqliteOutcomes, logged
from sartor.stores.statements import statements
from sartor.stores.throttled_transactions import ThrottledTransactions

_EVENTS = statements("events")
_OUTCOMES = statements("outcomes")

_NOTHING = b"[]"
_NAP_S = 0.01

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Decision).decode


class Erasure:
    """Erases in one loop's folder; the connections are the caller's, and overwrite."""

    def __init__(self, events: SqliteConnection, outcomes: SqliteConnection, /) -> None:
        self._events = events
        self._outcomes = outcomes
        self._log = SqliteOutcomes(outcomes)

    def erase(self, decisions: Sequence[int], /) -> Sequence[int]:
        """Blank these decisions and what belongs to them; returns those that are still open.

        Raises:
            StoreUnavailable: not all is done, or readers keep old pages in use.
        """
        found = self._found(decisions)
        observations = self._observations(set(found.values()))
        cursor = self._log.counts().cursor
        waiting = {event_id for number, event_id in observations if number > cursor.observations}
        outcomes = {number: self._outcome(number) for number in found}
        open_ = [
            number
            for number, event_id in found.items()
            if event_id in waiting or (outcomes[number] is None and number > cursor.decisions)
        ]
        settled = {number: event_id for number, event_id in found.items() if number not in set(open_)}
        self._amend([outcome for number, outcome in outcomes.items() if outcome and number in settled])
        ids = set(settled.values())
        of_settled = [number for number, event_id in observations if event_id in ids]
        ThrottledTransactions().through(of_settled, self._blank_observations)
        ThrottledTransactions().through(list(settled), self._blank_decisions)
        for connection in (self._events, self._outcomes):
            _cut(connection)
        return open_

    def _found(self, decisions: Sequence[int]) -> dict[int, str]:
        """The event ids of the decisions that are there and not blank yet."""
        rows = [row for number in decisions for row in self._events.rows(_EVENTS["decision"], (number,))]
        return {seq: event_id for seq, event_id, _ in rows if event_id}

    def _observations(self, event_ids: set[str]) -> list[tuple[int, str]]:
        if not event_ids:
            return []
        names = msgspec.json.encode(sorted(event_ids)).decode()
        return [(seq, event_id) for seq, event_id in self._events.rows(_EVENTS["observations_of"], (names,))]

    def _outcome(self, decision: int) -> LoggedOutcome | None:
        rows = self._outcomes.rows(_OUTCOMES["find_outcome"], (decision,))
        return logged(rows[0]) if rows else None

    def _amend(self, outcomes: Sequence[LoggedOutcome]) -> None:
        if outcomes:
            self._log.amend([replace(one.outcome, event_id="", learnable=False) for one in outcomes])

    def _blank_observations(self, numbers: Sequence[int]) -> None:
        with self._events.transaction() as raw:
            raw.executemany(_EVENTS["blank_observation"], [(number,) for number in numbers])

    def _blank_decisions(self, numbers: Sequence[int]) -> None:
        with self._events.transaction() as raw:
            for number in numbers:
                for seq, _, body in raw.execute(_EVENTS["decision"], (number,)).fetchall():
                    raw.execute(_EVENTS["blank_decision"], (_encode(_blank(_decoded(seq, body))), seq))


def _blank(decision: Decision) -> Decision:
    return replace(
        decision,
        event_id="",
        context=_NOTHING,
        actions=tuple(replace(action, features=_NOTHING) for action in decision.actions),
        slots=tuple(replace(slot, features=_NOTHING) for slot in decision.slots),
    )


def _decoded(seq: int, body: bytes) -> Decision:
    try:
        return _decode(body)
    except msgspec.DecodeError as error:
        raise Corrupt(f"Decision {seq} can't be read: {error}.") from error


def _cut(connection: SqliteConnection) -> None:
    """Copy the write-ahead log back and cut it to nothing."""
    deadline_s = time.monotonic() + BUSY_S
    while True:
        busy, *_ = connection.rows("PRAGMA wal_checkpoint(TRUNCATE)")[0]
        if not busy:
            return
        if time.monotonic() > deadline_s:
            raise StoreUnavailable("What was erased is still in a write-ahead log that readers use; try again.")
        time.sleep(_NAP_S)
