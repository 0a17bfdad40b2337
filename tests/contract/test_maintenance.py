"""What every store promises about retention, usage and erasure."""

from collections.abc import Callable, Iterable
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from sartor.errors import StoreUnavailable
from sartor.ports import Loop, LoopStores, Stores
from sartor.records import (
    Action,
    Cursor,
    Decision,
    JoinedObservation,
    Observation,
    Settlement,
    Slot,
    UnmatchedObservation,
    Usage,
)
from sartor.testing.builders import make_decision, make_loop, make_outcome
from sartor.testing.fakes import Clock
from sartor.testing.stores import MemoryStores
from tests.contract.conftest import FullDisk

DAY_US = 86_400_000_000
MIDNIGHT_US = 20_000 * DAY_US


def append(opened: LoopStores, *numbers: int, rewarded: bool = True) -> None:
    """A decision for each number, and a reward."""
    opened.events.append([make_decision(f"event-{number}") for number in numbers])
    if rewarded:
        opened.events.append([Observation(event_id=f"event-{number}", reward=1.0) for number in numbers])


def settle(
    opened: LoopStores,
    numbers: Iterable[int],
    *,
    clock: Clock,
    cursor: int,
    unmatched: tuple[UnmatchedObservation, ...] = (),
) -> None:
    """Outcomes of these decisions, each of which joined the observation of its number."""
    outcomes = tuple(
        replace(
            make_outcome(number),
            joined=(JoinedObservation(number, clock.now_us, 1.0),),
            settled_at_us=clock.now_us,
        )
        for number in numbers
    )
    opened.outcomes.record(Settlement(outcomes=outcomes, unmatched=unmatched, cursor=Cursor(cursor, cursor)))


def decisions(opened: LoopStores) -> list[int]:
    return [head.seq for head in opened.events.heads(after=0, limit=1_000)]


def observations(opened: LoopStores) -> list[int]:
    return [logged.seq for logged in opened.events.observations(after=0, limit=1_000)]


def outcomes(opened: LoopStores) -> list[int]:
    return [logged.seq for logged in opened.outcomes.outcomes(after=0, limit=1_000)]


def test_retention_of_an_empty_log_removes_nothing(stores: Stores, loop: Loop, clock: Clock) -> None:
    assert stores.apply_retention(loop, before_us=clock.now_us + DAY_US) == 0
    assert not stores.erase(loop, decisions=[1])
    assert not stores.usage(loop, from_us=0, to_us=clock.now_us + DAY_US)


def test_what_was_settled_before_goes_and_the_numbers_go_on(
    stores: Stores, loop: Loop, opened: LoopStores, clock: Clock
) -> None:
    append(opened, 1, 2, 3)
    settle(opened, [1, 2, 3], clock=clock, cursor=3)
    clock.advance(60)
    limit_us = clock.now_us
    append(opened, 4, 5)
    settle(opened, [4, 5], clock=clock, cursor=5)
    assert stores.apply_retention(loop, before_us=limit_us) == 9
    assert decisions(opened) == observations(opened) == outcomes(opened) == [4, 5]
    horizon, counts = opened.events.horizon(), opened.outcomes.counts()
    assert (horizon.first_decision, horizon.decisions) == (4, 5)
    assert (horizon.first_observation, horizon.observations) == (4, 5)
    assert (counts.first_outcome, counts.last_outcome, counts.outcomes, counts.learnable) == (4, 5, 2, 2)
    assert (counts.forgotten, counts.cursor) == (3, Cursor(5, 5))
    assert stores.apply_retention(loop, before_us=limit_us) == 0
    append(opened, 6)
    settle(opened, [6], clock=clock, cursor=6)
    assert decisions(opened) == observations(opened) == outcomes(opened) == [4, 5, 6]


def test_the_last_of_each_stays_so_that_no_number_comes_twice(
    stores: Stores, loop: Loop, opened: LoopStores, clock: Clock
) -> None:
    append(opened, 1, 2)
    settle(opened, [1, 2], clock=clock, cursor=2)
    clock.advance(60)
    assert stores.apply_retention(loop, before_us=clock.now_us) == 3
    assert decisions(opened) == observations(opened) == outcomes(opened) == [2]
    append(opened, 3)
    settle(opened, [3], clock=clock, cursor=3)
    clock.advance(60)
    stores.apply_retention(loop, before_us=clock.now_us)
    assert decisions(opened) == observations(opened) == outcomes(opened) == [3]


def test_what_is_open_stays_and_all_that_came_after_it(
    stores: Stores, loop: Loop, opened: LoopStores, clock: Clock
) -> None:
    append(opened, 1, 2, 3, 4)
    settle(opened, [1, 3, 4], clock=clock, cursor=1)
    clock.advance(60)
    assert stores.apply_retention(loop, before_us=clock.now_us) == 3
    assert decisions(opened) == [2, 3, 4]
    assert observations(opened) == [2, 3, 4]
    assert outcomes(opened) == [2, 3]


def test_every_outcome_keeps_its_decision(stores: Stores, loop: Loop, opened: LoopStores, clock: Clock) -> None:
    append(opened, 1, 2, 3)
    settle(opened, [3, 2], clock=clock, cursor=0)
    clock.advance(60)
    limit_us = clock.now_us
    settle(opened, [1], clock=clock, cursor=3)
    stores.apply_retention(loop, before_us=limit_us)
    assert [one.outcome.decision_seq for one in opened.outcomes.outcomes(after=0, limit=9)] == [1]
    assert decisions(opened) == [1, 2, 3]
    assert opened.outcomes.counts().forgotten == 3


def test_nothing_younger_goes(stores: Stores, loop: Loop, opened: LoopStores, clock: Clock) -> None:
    append(opened, 1, 2, 3)
    settle(opened, [1, 2, 3], clock=clock, cursor=3)
    assert stores.apply_retention(loop, before_us=clock.now_us) == 0
    assert stores.apply_retention(loop, before_us=0) == 0
    assert decisions(opened) == [1, 2, 3]


def test_unmatched_observations_go_with_their_observations(
    stores: Stores, loop: Loop, opened: LoopStores, clock: Clock
) -> None:
    append(opened, 1, 2, 3)
    settle(
        opened,
        [3],
        clock=clock,
        cursor=3,
        unmatched=(
            UnmatchedObservation(1, "late"),
            UnmatchedObservation(2, "dangling"),
            UnmatchedObservation(3, "late"),
        ),
    )
    clock.advance(60)
    assert stores.apply_retention(loop, before_us=clock.now_us) == 6
    counts = opened.outcomes.counts()
    assert (counts.late, counts.dangling) == (1, 0)
    assert observations(opened) == [3]
    assert decisions(opened) == [3]


def test_many_rows_go_in_many_steps(stores: Stores, loop: Loop, opened: LoopStores, clock: Clock) -> None:
    append(opened, *range(1, 3_001))
    settle(opened, range(1, 3_001), clock=clock, cursor=3_000)
    clock.advance(60)
    assert stores.apply_retention(loop, before_us=clock.now_us) == 3 * 2_999
    assert decisions(opened) == observations(opened) == outcomes(opened) == [3_000]
    assert opened.outcomes.outcomes_of("event-3000")


def test_usage_is_counted_by_day(stores: Stores, loop: Loop, opened: LoopStores, clock: Clock) -> None:
    clock.now_us = MIDNIGHT_US - 1
    append(opened, 1)
    clock.now_us = MIDNIGHT_US
    append(opened, 2, 3)
    opened.events.append([Observation(event_id="event-2")])
    stores.maintain(loop)
    clock.now_us = MIDNIGHT_US + 3 * DAY_US
    append(opened, 4, rewarded=False)
    first, second, last = (
        Usage(day_us=MIDNIGHT_US - DAY_US, decisions=1, rewards=1),
        Usage(day_us=MIDNIGHT_US, decisions=2, rewards=2),
        Usage(day_us=MIDNIGHT_US + 3 * DAY_US, decisions=1, rewards=0),
    )
    for _ in range(2):
        assert list(stores.usage(loop, from_us=0, to_us=clock.now_us + 1)) == [first, second, last]
        assert list(stores.usage(loop, from_us=MIDNIGHT_US, to_us=MIDNIGHT_US + DAY_US)) == [second]
        assert list(stores.usage(loop, from_us=MIDNIGHT_US - 1, to_us=MIDNIGHT_US)) == [first]
        assert not stores.usage(loop, from_us=MIDNIGHT_US + DAY_US, to_us=MIDNIGHT_US + 2 * DAY_US)
        stores.maintain(loop)


def test_an_activation_alone_is_no_use(stores: Stores, loop: Loop, opened: LoopStores, clock: Clock) -> None:
    opened.events.append([Observation(event_id="x")])
    assert not stores.usage(loop, from_us=0, to_us=clock.now_us + 1)


def test_usage_outlives_what_it_counted(stores: Stores, loop: Loop, opened: LoopStores, clock: Clock) -> None:
    clock.now_us = MIDNIGHT_US
    append(opened, 1, 2, 3)
    settle(opened, [1, 2, 3], clock=clock, cursor=3)
    clock.advance(1)
    stores.apply_retention(loop, before_us=clock.now_us)
    assert decisions(opened) == [3]
    expected = [Usage(day_us=MIDNIGHT_US, decisions=3, rewards=3)]
    assert list(stores.usage(loop, from_us=MIDNIGHT_US, to_us=clock.now_us)) == expected


def multislot(event_id: str) -> Decision:
    slot = Slot(
        id="slot",
        features=b'[{"secret":3}]',
        excluded=(),
        baseline=0,
        probabilities=(0.5, 0.5),
        ranking=(0, 1),
        chosen=0,
    )
    return replace(make_decision(event_id, actions=2), slots=(slot,))


def test_an_erased_decision_is_blank_and_not_learned(
    stores: Stores, loop: Loop, opened: LoopStores, clock: Clock
) -> None:
    opened.events.append([make_decision("event-1"), multislot("event-2"), make_decision("event-3")])
    opened.events.append([Observation(event_id=f"event-{n}", reward=0.5, slot="s") for n in (1, 2, 3)])
    settle(opened, [1, 2, 3], clock=clock, cursor=3)
    assert not stores.erase(loop, decisions=[2])
    blank = opened.events.decisions(after=1, limit=1)[0].decision
    assert (blank.event_id, blank.context) == ("", b"[]")
    assert blank.actions == (Action("action-0", b"[]"), Action("action-1", b"[]"))
    assert [slot.features for slot in blank.slots] == [b"[]"]
    assert [head.event_id for head in opened.events.heads(after=0, limit=9)] == ["event-1", "", "event-3"]
    found = opened.events.observations(after=0, limit=9)
    assert [one.observation.event_id for one in found] == ["event-1", "", "event-3"]
    assert {(one.observation.reward, one.observation.slot) for one in found} == {(0.5, "s")}
    outcome = opened.outcomes.outcomes(after=1, limit=1)[0].outcome
    assert (outcome.event_id, outcome.learnable, outcome.decision_seq) == ("", False, 2)
    counts = opened.outcomes.counts()
    assert (counts.learnable, counts.revision) == (2, 1)
    assert not opened.outcomes.outcomes_of("event-2")


def test_erasing_again_changes_nothing(stores: Stores, loop: Loop, opened: LoopStores, clock: Clock) -> None:
    append(opened, 1, 2)
    settle(opened, [1, 2], clock=clock, cursor=2)
    for _ in range(2):
        assert not stores.erase(loop, decisions=[2, 99])
    assert opened.outcomes.counts().revision == 1


def test_an_open_decision_is_returned_and_left(
    stores: Stores, loop: Loop, opened: LoopStores, clock: Clock
) -> None:
    append(opened, 1, 2)
    settle(opened, [1], clock=clock, cursor=1)
    assert list(stores.erase(loop, decisions=[1, 2])) == [2]
    assert [head.event_id for head in opened.events.heads(after=0, limit=9)] == ["", "event-2"]


def test_a_decision_for_which_a_reward_waits_is_returned_and_left(
    stores: Stores, loop: Loop, opened: LoopStores, clock: Clock
) -> None:
    append(opened, 1)
    settle(opened, [1], clock=clock, cursor=1)
    opened.events.append([Observation(event_id="event-1", reward=1.0)])
    assert list(stores.erase(loop, decisions=[1])) == [1]
    assert opened.outcomes.counts().revision == 0
    opened.outcomes.record(
        Settlement(outcomes=(), unmatched=(UnmatchedObservation(2, "late"),), cursor=Cursor(1, 2))
    )
    assert not stores.erase(loop, decisions=[1])
    assert [one.observation.event_id for one in opened.events.observations(after=0, limit=9)] == ["", ""]


@pytest.mark.parametrize("work", ["apply_retention", "erase"])
def test_a_full_disk_loses_nothing(
    stores: Stores, loop: Loop, opened: LoopStores, clock: Clock, full_disk: FullDisk, work: str
) -> None:
    append(opened, 1, 2)
    settle(opened, [1, 2], clock=clock, cursor=2)
    clock.advance(60)
    works: dict[str, Callable[[], object]] = {
        "apply_retention": lambda: stores.apply_retention(loop, before_us=clock.now_us),
        "erase": lambda: stores.erase(loop, decisions=[1]),
    }
    with full_disk(), pytest.raises(StoreUnavailable):
        works[work]()
    assert decisions(opened) == outcomes(opened) == [1, 2]
    assert opened.outcomes.counts().learnable == 2


class LoopHistory:
    """A loop that gets events and outcomes as time passes."""

    def __init__(self, stores: Stores, clock: Clock, name: str) -> None:
        self.stores = stores
        self.clock = clock
        self.loop = make_loop(name, loop_id=name)
        stores.catalog.create(self.loop)
        self.opened = stores.open(self.loop)
        self.settled: set[int] = set()
        self.last = 0

    def live(self, count: int, order: list[int], seconds: int) -> None:
        """Decide, settle some of what is open in any order, move the cursor past what is settled."""
        append(self.opened, *range(self.last + 1, self.last + count + 1))
        self.last += count
        open_ = [number for number in range(1, self.last + 1) if number not in self.settled]
        due = [open_[place % len(open_)] for place in dict.fromkeys(order)] if open_ else []
        due = list(dict.fromkeys(due))
        self.settled |= set(due)
        cursor = next((n for n in range(1, self.last + 2) if n not in self.settled), 1) - 1
        settle(self.opened, due, clock=self.clock, cursor=cursor)
        self.clock.advance(seconds)


@given(
    story=st.lists(
        st.tuples(
            st.integers(0, 6),
            st.lists(st.integers(0, 30), max_size=6),
            st.integers(0, 3),
            st.one_of(st.none(), st.integers(0, 10)),
        ),
        min_size=1,
        max_size=12,
    ),
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_stores_agree_about_what_goes(
    stores: Stores, clock: Clock, story: list[tuple[int, list[int], int, int | None]]
) -> None:
    now_us = clock.now_us
    kept = LoopHistory(stores, clock, f"a{uuid4().hex}")
    twin_clock = Clock(now_us)
    twin = LoopHistory(MemoryStores(clock_us=twin_clock), twin_clock, "twin")
    for count, order, seconds, days in story:
        kept.live(count, order, seconds)
        twin.live(count, order, seconds)
        if days is not None:
            before_us = clock.now_us - days * 1_000_000
            gone = kept.stores.apply_retention(kept.loop, before_us=before_us)
            assert gone == twin.stores.apply_retention(twin.loop, before_us=before_us)
        check(kept)
    assert decisions(kept.opened) == decisions(twin.opened)
    assert observations(kept.opened) == observations(twin.opened)
    assert kept.opened.outcomes.counts() == twin.opened.outcomes.counts()
    kept.opened.close()


def check(story: LoopHistory) -> None:
    """What every reader relies on: whole numbers, every outcome with its decision, nothing open lost."""
    here, kept = decisions(story.opened), story.opened.outcomes.outcomes(after=0, limit=1_000)
    horizon, counts = story.opened.events.horizon(), story.opened.outcomes.counts()
    assert here == list(range(horizon.first_decision, story.last + 1))
    assert {one.outcome.decision_seq for one in kept} <= set(here)
    assert set(range(1, story.last + 1)) - story.settled <= set(here)
    whole = range(counts.forgotten + 1, counts.cursor.decisions + 1)
    assert {number for number in whole if number in here} <= {one.outcome.decision_seq for one in kept}
    assert [one.seq for one in kept] == list(range(counts.first_outcome, counts.last_outcome + 1))
