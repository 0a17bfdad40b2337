"""The event log of one loop in ``events.sqlite``: decisions and observations as they arrived.

``append`` is on the request path and is called inline on an event loop: one transaction on a connection of
its own, about 10 µs of CPU per event in batches. Reading uses a second connection, opened at first use.
"""

import math
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
from msgspec.structs import replace

from sartor.clocks import ReadUptime
from sartor.errors import Corrupt, InvalidRequest
from sartor.records import (
    Cursor,
    Decision,
    DecisionHeader,
    Horizon,
    LoggedDecision,
    LoggedObservation,
    Observation,
    Outcome,
)
from sartor.settings import Durability
from sartor.stores.connection import Row, SqliteConnection
from sartor.stores.made_files import MadeFiles
from sartor.stores.monotonic_clock import MonotonicClock
from sartor.stores.schema import read_statements

_SQL = read_statements("events")
_APPEND_DECISION = _SQL["append_decision"]
_APPEND_OBSERVATION = _SQL["append_observation"]

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Decision).decode
_decode_outcome = msgspec.msgpack.Decoder(Outcome).decode
_decode_slots = msgspec.json.Decoder(tuple[str, ...]).decode


class SqliteEvents:
    """An ``EventLog`` in a loop's folder."""

    def __init__(
        self,
        folder: Path,
        /,
        *,
        loop_id: str,
        durability: Durability,
        clock_us: Callable[[], int],
        uptime: ReadUptime,
        settled: Callable[[], Cursor],
        made: MadeFiles | None = None,
    ) -> None:
        """Prepares; nothing is opened yet.

        Args:
            folder: the loop's folder.
            loop_id: the loop that it must belong to.
            durability: whether a commit waits for the disk.
            clock_us: microseconds since 1970.
            uptime: how long the machine runs; it shows where the clock was set.
            settled: returns the numbers up to which events were settled; called once. After a power cut
                they may be ahead of the log.
            made: knows which databases are not made again.
        """
        path = folder / "events.sqlite"
        self._clock = MonotonicClock(folder / "latest-time")
        self._writing = SqliteConnection(
            path,
            "events",
            owner=loop_id,
            durability=durability,
            checkpoints=False,
            on_close=self._clock.close,
            made=made,
        )
        self._reading = SqliteConnection(path, "events", owner=loop_id, checkpoints=False, made=made)
        self._now_us = clock_us
        self._uptime = uptime
        self._settled = settled
        self._lost: Cursor | None = None
        self._is_checked = False

    @property
    def connections(self) -> tuple[SqliteConnection, SqliteConnection]:
        """The connections that write and that read, for what stands beside the log in its file."""
        return self._writing, self._reading

    def append(self, events: Sequence[Decision | Observation], /) -> None:
        """Commits all of the events, or none.

        Raises:
            StoreUnavailable: the log can't be written now.
            InvalidRequest: a reward is not a number, which SQLite would store as an activation.
        """
        decisions = [(e.event_id, e.deferred, _encode(e), slot_ids(e)) for e in events if type(e) is Decision]
        observations = [(e.event_id, e.reward, e.slot) for e in events if type(e) is Observation]
        if any(reward is not None and math.isnan(reward) for _, reward, _ in observations):
            raise InvalidRequest("A reward must be a number.")
        with self._writing.transaction() as raw:
            at_us = self._next_time(raw)
            first = self._first_numbers(raw) if self._lost else (None, None)
            insert(raw, _APPEND_DECISION, [(at_us, *row) for row in decisions], first=first[0])
            insert(raw, _APPEND_OBSERVATION, [(at_us, *row) for row in observations], first=first[1])

    def horizon(self) -> Horizon:
        """Returns how far the log reaches now; takes the write lock for a moment.

        Raises:
            StoreUnavailable: the log can't be locked now.
        """
        with self._writing.transaction() as raw:
            now_us = self._next_time(raw)
            decisions, observations = raw.execute(_SQL["last_numbers"]).fetchone()
            first_decision, first_observation = raw.execute(_SQL["first_numbers"]).fetchone()
        return Horizon(
            now_us=now_us,
            decisions=decisions,
            observations=observations,
            first_decision=first_decision,
            first_observation=first_observation,
        )

    def heads(self, *, after: int, limit: int) -> Sequence[DecisionHeader]:
        """Returns the next decisions after a number, without their features.

        Raises:
            StoreUnavailable: the log can't be read now.
        """
        rows = self._reading.rows(_SQL["heads"], (after, limit))
        return [
            DecisionHeader(
                seq,
                at_us,
                event_id,
                deferred == 1,
                _decode_slots(slots) if slots else (),
                _decode_imported(seq, outcome) if outcome else None,
            )
            for seq, at_us, event_id, deferred, slots, outcome in rows
        ]

    def decisions(self, *, after: int, limit: int) -> Sequence[LoggedDecision]:
        """Returns the next decisions after a number.

        Raises:
            StoreUnavailable: the log can't be read now.
            Corrupt: a row is not a decision.
        """
        rows = self._reading.rows(_SQL["decisions"], (after, limit))
        return [
            LoggedDecision(seq, at_us, decode_decision(seq, body), imported == 1)
            for seq, at_us, body, imported in rows
        ]

    def observations(self, *, after: int, limit: int) -> Sequence[LoggedObservation]:
        """Returns the next observations after a number.

        Raises:
            StoreUnavailable: the log can't be read now.
        """
        rows = self._reading.rows(_SQL["observations"], (after, limit))
        return [
            LoggedObservation(seq, at_us, Observation(event_id=event_id, reward=reward, slot=slot))
            for seq, at_us, event_id, reward, slot in rows
        ]

    @contextmanager
    def importing(self) -> Iterator[tuple[sqlite3.Connection, int, int | None]]:
        """Opens a transaction: yields it, the time of its commit, and the number of its first decision or None.

        The number is None where SQLite assigns the next one by itself.

        Raises:
            StoreUnavailable: the log can't be written now.
        """
        with self._writing.transaction() as raw:
            at_us = self._next_time(raw)
            yield raw, at_us, self._first_numbers(raw)[0] if self._lost else None

    def close(self) -> None:
        """Closes files and connections; idempotent."""
        self._writing.close()
        self._reading.close()

    def _next_time(self, raw: sqlite3.Connection) -> int:
        if not self._clock.is_open:
            self._open_clock(raw)
        return self._clock.next(self._now_us(), self._uptime())

    def _open_clock(self, raw: sqlite3.Connection) -> None:
        if not self._is_checked:  # not again where files were closed for others
            settled = self._settled()
            decisions, observations = raw.execute(_SQL["last_numbers"]).fetchone()
            if decisions < settled.decisions or observations < settled.observations:
                self._lost = settled
            self._is_checked = True
        self._clock.open(at_least_us=raw.execute(_SQL["last_time"]).fetchone()[0])

    def _first_numbers(self, raw: sqlite3.Connection) -> tuple[int | None, int | None]:
        # Without "fsync" a power cut may lose events that are settled already. Their numbers are not assigned
        # again, or the events that got them would never be settled.
        assert self._lost is not None
        decisions, observations = raw.execute(_SQL["last_numbers"]).fetchone()
        return (
            self._lost.decisions + 1 if decisions < self._lost.decisions else None,
            self._lost.observations + 1 if observations < self._lost.observations else None,
        )


def insert(raw: sqlite3.Connection, sql: str, rows: list[Row], *, first: int | None) -> None:
    """Inserts rows with ascending numbers. ``first``: the number of the first; None: the next free one."""
    if not rows:
        return
    if first is not None:
        raw.execute(sql, (first, *rows.pop(0)))
    raw.executemany(sql, [(None, *row) for row in rows])


def slot_ids(decision: Decision, /) -> str | None:
    """Encodes the ids of the slots as JSON; None: a single-slot decision."""
    return msgspec.json.encode([slot.id for slot in decision.slots]).decode() if decision.slots else None


def _decode_imported(seq: int, body: bytes) -> Outcome:
    try:
        return replace(_decode_outcome(body), decision_seq=seq)
    except msgspec.DecodeError as error:
        raise Corrupt(f"The outcome that came with decision {seq} can't be read: {error}.") from error


def decode_decision(seq: int, body: bytes, /) -> Decision:
    """Decodes the decision in a row.

    Raises:
        Corrupt: the row is not a decision.
    """
    try:
        return _decode(body)
    except msgspec.DecodeError as error:
        raise Corrupt(f"Decision {seq} can't be read: {error}.") from error
