"""The time by which data may be removed: the clock of the machine, as far as it can be trusted.

Retention and the removal of deleted loops can't be taken back, and clocks are set: wrongly, or back again. So
they go by the record of the clock (``sartor.clocks``): one that was set, or moved while the machine was off,
counts once it has agreed with the uptime for a day, or somebody confirms it. Each change is in the audit log.
"""

import logging
from collections.abc import Callable
from contextlib import closing

from msgspec.structs import replace

from sartor.clocks import (
    AGREED_US,
    ClockRecord,
    ReadUptime,
    advance_clock_record,
    begin_clock_record,
    read_uptime,
)
from sartor.errors import SartorError
from sartor.ports import Stores
from sartor.problems import Problem
from sartor.records import AuditEntry
from sartor.times import DAY_US, HOUR_US, MINUTE_US, format_timestamp, now_us

_log = logging.getLogger(__name__)

NOTED_BY = "sartor"
"""Who notes in the audit log what happened to a clock: the service itself."""

_WORTH_TELLING_US = DAY_US


class TrustedClock:
    """Follows the clock of the machine. Call ``observe`` every few seconds; threads may share it."""

    def __init__(
        self, stores: Stores, /, *, now_us: Callable[[], int] = now_us, uptime: ReadUptime | None = None
    ) -> None:
        """Nothing is observed yet.

        Args:
            stores: the instance's stores, with the record.
            now_us: the clock.
            uptime: by default that of the machine where ``now_us`` is its clock; otherwise it is not known.
        """
        self._stores = stores
        self._now_us = now_us
        self._uptime = uptime or (read_uptime if now_us is _machine_clock else lambda: None)

    def observe(self) -> ClockRecord:
        """Look at the clock, and record and report what was done to it.

        Raises:
            StoreUnavailable: the record, or the audit log, can't be read or written.
        """
        newest_us = None if self._stores.clock.read() is not None else find_newest_event(self._stores)
        seen: list[ClockRecord] = []

        def advance(was: ClockRecord | None) -> ClockRecord:
            now_us, uptime = self._now_us(), self._uptime()
            seen[:] = [] if was is None else [was]
            if was is None:
                return begin_clock_record(now_us=now_us, uptime=uptime, newest_us=newest_us)
            return advance_clock_record(was, now_us=now_us, uptime=uptime)

        record = self._stores.clock.update(advance)
        self._report(seen[0] if seen else None, record)
        return record

    def confirm(self, by: str, /) -> ClockRecord:
        """Trust the clock as it is, as somebody says who looked at it; returns the record.

        Raises:
            StoreUnavailable: the record, or the audit log, can't be written.
        """
        held_us = self.observe().held_us
        record = self._stores.clock.update(
            lambda was: replace(was, trusted_us=was.now_us) if was is not None else self.observe()
        )
        self._note("confirm clock", by, before=record.now_us - held_us, after=record.now_us)
        return record

    def _report(self, was: ClockRecord | None, record: ClockRecord) -> None:
        moved_us = record.set_by_us if was is not None else record.held_us
        if abs(moved_us) >= (MINUTE_US if was is not None and was.boot == record.boot else DAY_US):
            _log.warning("%s", describe_move(moved_us), extra={"action": "clock_set", "moved_us": moved_us})
            before_us = record.now_us - moved_us
            self._note("clock set", NOTED_BY, before=before_us, after=record.now_us)
        elif was is not None and was.held_us >= _WORTH_TELLING_US > record.held_us:
            _log.info("The clock is trusted again.", extra={"action": "clock_trusted"})
            self._note("clock trusted", NOTED_BY, before=was.trusted_us, after=record.trusted_us)

    def _note(self, action: str, by: str, *, before: int, after: int) -> None:
        self._stores.audit.append(
            AuditEntry(by=by, action=action, before=encode_time(before), after=encode_time(after))
        )

    def find_problems(self) -> list[Problem]:
        """What is wrong with the clock, as far as is known from the last look."""
        try:
            record = self._stores.clock.read()
        except SartorError:
            return []
        problem = None if record is None else find_clock_problem(record)
        return [] if problem is None else [Problem(problem, action="clock_set", fatal=False)]


def find_clock_problem(record: ClockRecord, /) -> str | None:
    """Says what is removed later because the clock is not trusted; None: it is."""
    if record.held_us < _WORTH_TELLING_US:
        return None
    return (
        f"The clock moved ahead by {format_span(record.held_us)} that nothing confirms. Until it has agreed "
        f"with the uptime of this machine for {format_span(AGREED_US)}, nothing is removed by it: retention "
        f"and the removal of deleted loops go by the time of {format_span(record.held_us)} ago. If today is "
        f"{format_timestamp(record.now_us)[:10]}, run: sartor clock --confirm"
    )


def find_log_time_problem(log_us: int, /, *, now_us: int) -> str | None:
    """Says that the time of a log runs ahead of the clock; None: it does not.

    Args:
        log_us: the time that the log would assign now; a horizon has it.
        now_us: what the clock shows.
    """
    ahead_us = log_us - now_us
    if ahead_us < MINUTE_US:
        return None
    return (
        f"The time of the log is {format_span(ahead_us)} ahead of the clock of this machine, which was that "
        "far ahead once. Decisions settle as they should, but events carry times that are to come, and are "
        "missing in what is asked for up to now. If the clock is wrong now, set it right."
    )


def describe_move(moved_us: int, /) -> str:
    """Says by how much a clock moved that should not have."""
    where = "ahead" if moved_us > 0 else "back"
    return f"The clock of this machine moved {where} by {format_span(abs(moved_us))}."


def find_newest_event(stores: Stores, /) -> int | None:
    """When the newest event of all loops was committed, in µs; None: there is none. Skips broken loops."""
    newest: list[int] = []
    for loop in stores.catalog.loops():
        try:
            with closing(stores.open(loop)) as logs:
                horizon = logs.events.horizon()
                newest += [one.at_us for one in logs.events.heads(after=horizon.decisions - 1, limit=1)]
                observations = logs.events.observations(after=horizon.observations - 1, limit=1)
                newest += [one.at_us for one in observations]
        except SartorError:
            continue
    return max(newest, default=None)


def format_span(span_us: int, /) -> str:
    """Writes a span of time in its largest unit: ``40 days``."""
    for unit_us, name in ((DAY_US, "day"), (HOUR_US, "hour"), (MINUTE_US, "minute"), (1_000_000, "second")):
        if span_us >= unit_us:
            number = round(span_us / unit_us)
            return f"{number} {name}{'' if number == 1 else 's'}"
    return "less than a second"


def encode_time(at_us: int, /) -> bytes:
    """The JSON of a time in an audit entry."""
    return b'{"time":"%s"}' % format_timestamp(at_us).encode()


_machine_clock = now_us
