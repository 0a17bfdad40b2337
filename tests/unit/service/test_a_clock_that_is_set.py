"""Whatever the clock is set to: nothing is removed that should stay, decisions settle, and it is reported."""

import json
import time
from pathlib import Path

import pytest

from sartor.clocks import Uptime
from sartor.log.settler import Settler
from sartor.management import loops
from sartor.ports import Loop, Stores
from sartor.records import Observation
from sartor.runtime import compose
from sartor.runtime.trusted_clock import TrustedClock, format_span
from sartor.service.housekeeping import Housekeeping
from sartor.service.learn_process import LearnProcess
from sartor.service.retention_schedule import RetentionSchedule
from sartor.stores.stores import open_stores
from sartor.testing.builders import make_decision
from sartor.testing.fakes import Clock
from sartor.testing.stores import MemoryStores
from sartor.times import now_us
from sartor.verification.doctor import check_all_loops, check_clock

DAY_S = 86_400
DAY_US = DAY_S * 1_000_000


class Machine:
    """A clock that is set, and an uptime that is not."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.uptime = Uptime(1, 0)

    def read_uptime(self) -> Uptime:
        return self.uptime

    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.uptime = self.uptime._replace(at_us=self.uptime.at_us + round(seconds * 1e6))


def settled(stores: Stores, clock: Clock, count: int = 50) -> Loop:
    """A loop with settled decisions that it keeps for 90 days."""
    loop = loops.create_loop(stores, "default")
    loops.change_settings(stores, "default", {"logRetentionDays": 90})
    logs = stores.open(loop)
    for number in range(count):
        event_id = f"event-{number}"
        logs.events.append([make_decision(event_id), Observation(event_id=event_id, reward=1.0)])
    settler = Settler(logs.events, logs.outcomes)
    settler.step(loop.settings, settings_version=1)
    clock.advance(601)
    settler.step(loop.settings, settings_version=1)
    logs.close()
    return stores.catalog.loops()[0]


def kept(stores: Stores, loop: Loop) -> int:
    return stores.open(loop).outcomes.counts().outcomes


@pytest.fixture(params=["memory", "sqlite"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Stores:
    clock = Clock()
    made: Stores = MemoryStores(clock_us=clock)
    if request.param == "sqlite":
        made = open_stores(tmp_path, clock_us=clock)
    request.node.clock = clock
    return made


@pytest.fixture
def clock(request: pytest.FixtureRequest, stores: Stores) -> Clock:
    found: Clock = request.node.clock
    return found


def test_a_hundred_days_ahead_without_a_request_remove_nothing(stores: Stores, clock: Clock) -> None:
    loop = settled(stores, clock)
    clock.advance(100 * DAY_S)
    for _ in range(20):
        assert RetentionSchedule(stores, now_us=clock).visit([loop]) == 0
        clock.advance(1)
    assert kept(stores, loop) == 50


def test_a_hundred_days_ahead_while_it_runs_remove_nothing() -> None:
    machine = Machine()
    stores = MemoryStores(clock_us=machine.clock)
    loop = settled(stores, machine.clock)
    retention = RetentionSchedule(stores, now_us=machine.clock, uptime=machine.read_uptime)
    assert retention.visit([loop]) == 0
    machine.clock.advance(100 * DAY_S)
    for _ in range(20):
        assert retention.visit([loop]) == 0
        machine.wait(300)


def test_after_a_day_in_which_nothing_moved_the_clock_it_is_believed() -> None:
    machine = Machine()
    stores = MemoryStores(clock_us=machine.clock)
    loop = settled(stores, machine.clock)
    retention = RetentionSchedule(stores, now_us=machine.clock, uptime=machine.read_uptime)
    retention.visit([loop])
    machine.clock.advance(100 * DAY_S)
    removed = 0
    for _ in range(24 * 12 + 1):
        removed += retention.visit([loop])
        machine.wait(300)
    assert removed > 0
    assert kept(stores, loop) == 1, "the last one keeps the numbering"


def test_a_person_may_confirm_it() -> None:
    machine = Machine()
    stores = MemoryStores(clock_us=machine.clock)
    loop = settled(stores, machine.clock)
    retention = RetentionSchedule(stores, now_us=machine.clock, uptime=machine.read_uptime)
    retention.visit([loop])
    machine.clock.advance(100 * DAY_S)
    assert retention.visit([loop]) == 0
    TrustedClock(stores, now_us=machine.clock, uptime=machine.read_uptime).confirm("ann")
    assert retention.visit([loop]) > 0
    last = stores.audit.last(1)[0].entry
    assert (last.by, last.action) == ("ann", "confirm clock")


def test_a_clock_that_is_ahead_removes_no_deleted_loop_before_its_time() -> None:
    machine = Machine()
    stores = MemoryStores(clock_us=machine.clock)
    trusted = TrustedClock(stores, now_us=machine.clock, uptime=machine.read_uptime)
    housekeeping = Housekeeping(stores, clock=trusted)
    loop = loops.create_loop(stores, "default")
    trusted.observe()
    stores.catalog.delete("default", recoverable_until_us=machine.clock.now_us + 7 * DAY_US)
    machine.clock.advance(30 * DAY_S)
    assert not housekeeping.purge()
    machine.clock.advance(-30 * DAY_S)
    machine.wait(7 * DAY_S - 60)
    assert not housekeeping.purge()
    assert [one.loop_id for one in stores.catalog.deleted()] == [loop.loop_id]
    machine.wait(60)
    assert list(housekeeping.purge()) == [loop.loop_id]


def test_what_was_done_to_the_clock_is_reported_and_in_the_audit_log(caplog: pytest.LogCaptureFixture) -> None:
    machine = Machine()
    stores = MemoryStores(clock_us=machine.clock)
    trusted = TrustedClock(stores, now_us=machine.clock, uptime=machine.read_uptime)
    trusted.observe()
    assert not trusted.find_problems()
    machine.clock.advance(100 * DAY_S)
    for _ in range(3):
        trusted.observe()
        machine.wait(5)
    (problem,) = trusted.find_problems()
    assert "moved ahead by 100 days" in problem.message
    assert "sartor clock --confirm" in problem.message
    assert not problem.fatal
    machine.clock.advance(-100 * DAY_S)
    trusted.observe()
    assert not trusted.find_problems()
    entries = [one.entry for one in stores.audit.entries(limit=10)]
    assert [one.action for one in entries] == ["clock set", "clock set"]
    before, after = (json.loads(part)["time"] for part in (entries[0].before, entries[0].after))
    assert (before[:10], after[:10]) == ("2023-11-14", "2024-02-22")
    messages = [record.getMessage() for record in caplog.records]
    assert messages == [
        "The clock of this machine moved ahead by 100 days.",
        "The clock of this machine moved back by 100 days.",
    ]


def test_the_log_itself_shows_a_clock_that_moved_before_there_was_a_record(
    stores: Stores, clock: Clock
) -> None:
    settled(stores, clock)
    clock.advance(100 * DAY_S)
    trusted = TrustedClock(stores, now_us=clock)
    trusted.observe()
    assert "moved ahead by 99 days" in trusted.find_problems()[0].message
    assert stores.audit.last(1)[0].entry.action == "clock set"


def ahead(days: int) -> int:
    return now_us() + days * DAY_US


def test_decisions_settle_after_a_run_with_a_clock_that_was_forty_days_ahead(tmp_path: Path) -> None:
    once = open_stores(tmp_path, clock_us=lambda: ahead(40))
    loops.create_loop(once, "default")
    loop = loops.change_settings(once, "default", {"rewardWaitTime": "PT1S"})
    logs = once.open(loop)
    logs.events.append([make_decision("then")])
    logs.close()
    once.close()

    stores = open_stores(tmp_path)
    logs = stores.open(loop)
    logs.events.append([make_decision("now"), make_decision("rewarded")])
    logs.events.append([Observation(event_id="rewarded", reward=0.5)])
    learner = LearnProcess(stores, compose.engine_factory())
    until_s = time.monotonic() + 30
    while logs.outcomes.counts().outcomes < 3 and time.monotonic() < until_s:
        time.sleep(learner.run_once())
    rewards = {one.outcome.event_id: one.outcome.reward for one in logs.outcomes.outcomes(after=0, limit=9)}
    assert rewards == {"then": 0.0, "now": 0.0, "rewarded": 0.5}

    (problem,) = learner.find_problems()
    assert "40 days ahead" in problem.message
    assert (problem.loop, problem.fatal) == ("default", False)
    again = LearnProcess(stores, compose.engine_factory())
    again.run_once()
    again.close()
    entry = stores.audit.last(1)[0].entry
    assert (entry.by, entry.action, entry.loop) == ("sartor", "log time ahead", "default")
    assert len(stores.audit.entries(limit=9)) == 1, "it is noted once"
    (report,) = check_all_loops(stores, compose.engine_factory(), replay=True)
    assert not report.healthy
    assert len(report.problems) == 1
    assert "40 days ahead" in report.problems[0]
    assert report.compared, "the live model equals a replay"
    learner.close()
    logs.close()
    stores.close()


def test_doctor_names_a_clock_that_is_a_hundred_days_ahead(tmp_path: Path) -> None:
    once = open_stores(tmp_path, clock_us=lambda: ahead(-100))
    loop = loops.create_loop(once, "default")
    logs = once.open(loop)
    logs.events.append([make_decision("then")])
    logs.close()
    once.close()
    stores = open_stores(tmp_path)
    assert not check_clock(stores), "there is no record yet"
    TrustedClock(stores).observe()
    (problem,) = check_clock(stores)
    assert "moved ahead by 99 days" in problem
    TrustedClock(stores).confirm("ann")
    assert not check_clock(stores)
    stores.close()


@pytest.mark.parametrize(
    ("span_us", "text"),
    [
        (40 * DAY_US, "40 days"),
        (DAY_US, "1 day"),
        (7_200_000_000, "2 hours"),
        (60_000_000, "1 minute"),
        (1_000_000, "1 second"),
        (5, "less than a second"),
    ],
)
def test_spans_are_written_in_their_largest_unit(span_us: int, text: str) -> None:
    assert format_span(span_us) == text
