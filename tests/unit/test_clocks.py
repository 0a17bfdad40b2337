"""The time of a log, and the time by which data is removed, while the clock of the machine is set."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sartor import clocks
from sartor.clocks import (
    ClockRecord,
    LogTime,
    Uptime,
    advance_clock_record,
    advance_log_time,
    begin_clock_record,
    read_uptime,
)

S = 1_000_000
DAY = 86_400 * S
NOW = 1_800_000_000 * S


class Machine:
    """A clock that is set, and an uptime that is not."""

    def __init__(self, *, knows_uptime: bool = True) -> None:
        self.now_us = NOW
        self.uptime: Uptime | None = Uptime(7, 1_000 * S) if knows_uptime else None
        self.log = LogTime()
        self.record: ClockRecord | None = None

    def wait(self, us: int) -> None:
        self.now_us += us
        if self.uptime is not None:
            self.uptime = Uptime(self.uptime.boot, self.uptime.at_us + us)

    def set_clock(self, us: int) -> None:
        self.now_us += us

    def restart(self, us: int) -> None:
        """The machine is off for a while."""
        self.now_us += us
        if self.uptime is not None:
            self.uptime = Uptime(self.uptime.boot + 2, 5 * S)

    def log_us(self) -> int:
        self.log = advance_log_time(self.log, now_us=self.now_us, uptime=self.uptime)
        return self.log.latest_us

    def trusted_us(self, newest_us: int | None = None) -> int:
        if self.record is None:
            self.record = begin_clock_record(now_us=self.now_us, uptime=self.uptime, newest_us=newest_us)
        else:
            self.record = advance_clock_record(self.record, now_us=self.now_us, uptime=self.uptime)
        return self.record.trusted_us


@pytest.mark.parametrize("knows_uptime", [True, False])
def test_the_time_of_a_log_is_that_of_the_clock(knows_uptime: bool) -> None:
    machine = Machine(knows_uptime=knows_uptime)
    for us in (0, 1, S, 600 * S, 40 * DAY):
        machine.wait(us)
        assert machine.log_us() == machine.now_us


@pytest.mark.parametrize("knows_uptime", [True, False])
@pytest.mark.parametrize("days", [1, 40, 4_000])
def test_a_log_goes_on_at_its_own_pace_after_a_clock_was_ahead(knows_uptime: bool, days: int) -> None:
    machine = Machine(knows_uptime=knows_uptime)
    machine.log_us()
    machine.set_clock(days * DAY)
    machine.log_us()
    machine.set_clock(-days * DAY)
    begin_us = machine.log_us()
    for _ in range(3):
        machine.wait(200 * S)
        machine.log_us()
    assert machine.log_us() == begin_us + 600 * S


def test_a_clock_that_was_ahead_for_a_while_leaves_no_trace_in_the_log() -> None:
    machine = Machine()
    machine.log_us()
    machine.set_clock(40 * DAY)
    machine.wait(5 * S)
    assert machine.log_us() == NOW + 5 * S
    machine.set_clock(-40 * DAY)
    machine.wait(5 * S)
    assert machine.log_us() == machine.now_us == NOW + 10 * S


@pytest.mark.parametrize(("ahead_us", "after_us"), [(3_600 * S, 3_600 * S), (40 * DAY, DAY)])
def test_a_log_follows_a_clock_that_was_set_ahead_and_stays_so(ahead_us: int, after_us: int) -> None:
    machine = Machine()
    machine.log_us()
    machine.set_clock(ahead_us)
    machine.log_us()
    machine.wait(after_us - S)
    assert machine.log_us() == machine.now_us - ahead_us
    machine.wait(S)
    assert machine.log_us() == machine.now_us


def test_a_log_of_another_start_of_the_machine_follows_the_clock_and_goes_on_where_that_is_behind() -> None:
    machine = Machine()
    machine.log_us()
    machine.restart(3 * DAY)
    assert machine.log_us() == machine.now_us
    latest_us = machine.now_us
    machine.restart(-40 * DAY)
    assert machine.log_us() == latest_us
    machine.wait(600 * S)
    assert machine.log_us() == latest_us + 600 * S
    machine.restart(41 * DAY)
    assert machine.log_us() == machine.now_us, "what it was ahead is over"


@pytest.mark.parametrize("us", [-9 * S, 9 * S])
def test_small_corrections_are_no_news(us: int) -> None:
    machine = Machine()
    machine.log_us()
    machine.wait(S)
    machine.set_clock(us)
    assert machine.log_us() == max(NOW, machine.now_us)
    assert machine.log.ahead_us == 0


happenings = st.lists(
    st.tuples(
        st.sampled_from(["wait", "set_clock", "restart"]),
        st.sampled_from([0, 1, S, 30 * S, 3_600 * S, DAY, 40 * DAY]),
        st.booleans(),
    ),
    max_size=12,
)


@given(happenings, st.booleans())
def test_the_time_of_a_log_never_goes_back_and_never_stands_still(
    happened: list[tuple[str, int, bool]], knows_uptime: bool
) -> None:
    machine = Machine(knows_uptime=knows_uptime)
    latest_us = machine.log_us()
    for what, us, back in happened:
        getattr(machine, what)(-us if back and what != "wait" else us)
        assert machine.log_us() >= latest_us
        latest_us = machine.log_us()
    machine.wait(60 * S)
    assert machine.log_us() >= latest_us + 50 * S


@given(happenings)
def test_what_is_trusted_is_never_more_than_the_uptime_accounts_for(
    happened: list[tuple[str, int, bool]],
) -> None:
    machine = Machine()
    trusted_us, waited_us = machine.trusted_us(), 0
    for what, us, back in happened:
        getattr(machine, what)(-us if back and what != "wait" else us)
        waited_us += us if what == "wait" else 0
        trusted_us = machine.trusted_us()
        assert trusted_us <= machine.now_us
        if waited_us < DAY:
            assert trusted_us <= NOW + waited_us + len(happened) * 11 * S


def test_a_clock_is_trusted_while_it_agrees_with_the_uptime() -> None:
    machine = Machine()
    assert machine.trusted_us(newest_us=NOW) == NOW
    for us in (S, 300 * S, 100 * DAY):
        machine.wait(us)
        assert machine.trusted_us() == machine.now_us


@pytest.mark.parametrize("move", ["set_clock", "restart"])
def test_a_clock_that_moved_ahead_is_trusted_after_a_day(move: str) -> None:
    machine = Machine()
    machine.trusted_us()
    getattr(machine, move)(100 * DAY)
    assert machine.trusted_us() == NOW
    machine.wait(DAY - S)
    assert machine.trusted_us() == NOW + DAY - S
    machine.wait(S)
    assert machine.trusted_us() == machine.now_us


def test_a_clock_that_moves_again_waits_a_day_again() -> None:
    machine = Machine()
    machine.trusted_us()
    machine.set_clock(2 * DAY)
    machine.trusted_us()
    machine.wait(DAY - S)
    machine.trusted_us()
    machine.set_clock(100 * DAY)
    machine.trusted_us()
    machine.wait(2 * S)
    assert machine.trusted_us() == NOW + DAY + S


def test_a_clock_that_is_set_right_again_is_trusted_at_once() -> None:
    machine = Machine()
    machine.trusted_us()
    machine.set_clock(100 * DAY)
    machine.trusted_us()
    machine.set_clock(-100 * DAY)
    machine.wait(S)
    assert machine.trusted_us() == machine.now_us == NOW + S


def test_at_first_the_log_says_what_is_known_of_the_past() -> None:
    assert Machine().trusted_us(newest_us=NOW - 100 * DAY) == NOW - 99 * DAY
    assert Machine().trusted_us(newest_us=NOW - S) == NOW
    assert Machine().trusted_us(newest_us=NOW + DAY) == NOW


def test_the_uptime_of_this_machine_grows() -> None:
    first, second = read_uptime(), read_uptime()
    assert first.boot == second.boot != 0
    assert first.at_us <= second.at_us


@pytest.fixture
def shifted(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A process that is shown all its clocks 100 days later than they are."""
    if not Path("/proc/uptime").exists():
        pytest.skip("this kernel has no /proc/uptime")
    real = time.clock_gettime_ns
    monkeypatch.setattr(time, "clock_gettime_ns", lambda clock: real(clock) + 100 * DAY * 1_000)
    clocks._find_shift.cache_clear()
    yield
    clocks._find_shift.cache_clear()


def test_a_process_that_is_shown_other_clocks_still_knows_the_uptime(shifted: None) -> None:
    kernel_us = float(Path("/proc/uptime").read_text().split()[0]) * S
    assert abs(read_uptime().at_us - kernel_us) < S


def test_two_processes_need_not_read_the_uptime_quite_alike() -> None:
    """Neither a jump of the log nor another start of the machine is seen in a few milliseconds."""
    machine = Machine()
    machine.log_us()
    machine.trusted_us()
    machine.set_clock(40 * DAY)
    for _ in range(26):
        machine.wait(3_600 * S)
        assert machine.uptime is not None
        machine.uptime = Uptime(machine.uptime.boot, machine.uptime.at_us - 20_000)
        before_us = machine.log.latest_us
        assert 0 <= machine.log_us() - before_us <= 3_601 * S + (40 * DAY if machine.log.ahead_us == 0 else 0)
        machine.trusted_us()
        machine.uptime = Uptime(machine.uptime.boot, machine.uptime.at_us - 20_000)
        assert machine.log_us() >= before_us
        machine.trusted_us()
    assert machine.trusted_us() == machine.now_us, "a day of agreement, whoever looked"
