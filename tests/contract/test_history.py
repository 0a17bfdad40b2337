"""What every history promises: decisions made elsewhere are imported whole, in order, and once."""

import pytest
from msgspec.structs import replace

from sartor.errors import StoreUnavailable
from sartor.ports import EventLog, History, Loop, LoopStores, Stores
from sartor.records import ImportedDecision, JoinedObservation, Outcome
from sartor.testing.builders import make_decision
from sartor.testing.fakes import Clock
from tests.contract.conftest import FullDisk

MADE_US = 1_500_000_000_000_000
DAY_US = 86_400_000_000


@pytest.fixture
def history(opened: LoopStores) -> History:
    return opened.history


def imported(event_id: str, *, at_us: int = MADE_US, reward: float = 0.5) -> ImportedDecision:
    outcome = Outcome(
        decision_seq=0,
        event_id=event_id,
        reward=reward,
        learnable=True,
        joined=(JoinedObservation(0, at_us, reward),),
        settled_at_us=0,
        settings_version=0,
    )
    return ImportedDecision(decision=make_decision(event_id), made_at_us=at_us, outcome=outcome)


def test_it_comes_with_its_time_and_its_outcome(history: History, events: EventLog, clock: Clock) -> None:
    line = imported("old")
    events.append([make_decision("here")])
    assert history.import_decisions([line], source=1) == [True]
    here, old = events.decisions(after=0, limit=10)
    assert (here.at_us, here.imported) == (clock.now_us, False)
    assert (old.seq, old.at_us, old.decision, old.imported) == (2, MADE_US, line.decision, True)
    first, second = events.heads(after=0, limit=10)
    assert first.outcome is None
    assert (second.at_us, second.outcome) == (clock.now_us, replace(line.outcome, decision_seq=2))


def test_the_times_of_commits_stay_in_order(history: History, events: EventLog, clock: Clock) -> None:
    history.import_decisions([imported("a")], source=1)
    clock.advance(-60)
    events.append([make_decision("b")])
    history.import_decisions([imported("c")], source=1)
    times = [head.at_us for head in events.heads(after=0, limit=10)]
    assert times == sorted(times)
    assert events.horizon().decisions == 3


def test_another_source_holds_the_same(history: History, events: EventLog) -> None:
    lines = [imported("a"), imported("b")]
    assert history.import_decisions(lines, source=1) == [True, True]
    assert history.import_decisions([*lines, imported("c")], source=2) == [False, False, True]
    assert [one.decision.event_id for one in events.decisions(after=0, limit=10)] == ["a", "b", "c"]


def test_one_source_holds_two_that_share_id_and_time(history: History) -> None:
    twice = [imported("a", reward=1.0), imported("b"), imported("a", reward=0.0)]
    assert history.import_decisions(twice, source=1) == [True, True, True]
    assert history.import_decisions(twice[:2], source=2) == [False, False]
    assert history.import_decisions(twice[2:], source=2) == [False]
    assert history.import_decisions([twice[0]], source=2) == [True]


def test_an_interrupted_import_continues(history: History) -> None:
    lines = [imported("a"), imported("a"), imported("b")]
    history.import_decisions(lines[:1], source=1)
    assert history.import_decisions(lines, source=2) == [False, True, True]


def test_the_same_id_at_another_time_is_another(history: History) -> None:
    assert history.import_decisions([imported("a"), imported("a", at_us=MADE_US + 1)], source=1) == [True, True]
    assert history.import_decisions([imported("a", at_us=MADE_US + 1)], source=2) == [False]


def test_nothing_is_imported_to_a_full_disk(history: History, events: EventLog, full_disk: FullDisk) -> None:
    events.append([make_decision("before")])
    with full_disk(), pytest.raises(StoreUnavailable):
        history.import_decisions([imported("a")], source=1)
    assert events.horizon().decisions == 1
    assert history.import_decisions([imported("a")], source=1) == [True]


def test_imported_decisions_are_no_usage(
    stores: Stores, loop: Loop, history: History, events: EventLog, clock: Clock
) -> None:
    events.append([make_decision("here")])
    history.import_decisions([imported("a"), imported("b")], source=1)
    for _ in range(2):
        (day,) = stores.usage(loop, from_us=clock.now_us, to_us=clock.now_us + 1)
        assert (day.decisions, day.rewards) == (1, 0)
        stores.maintain(loop)
    assert not stores.usage(loop, from_us=MADE_US, to_us=MADE_US + DAY_US)
