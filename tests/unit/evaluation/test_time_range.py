"""What an evaluation reads: the decisions of a time, in the order of learning, and nothing that came later."""

from msgspec.structs import replace

from sartor.estimators.interval import Bounds
from sartor.evaluation.time_range import find_outcome_range, read_settled
from sartor.records import Cursor, Settlement
from sartor.testing.builders import make_decision, make_loop, make_outcome
from sartor.testing.fakes import Clock
from sartor.testing.stores import MemoryStores
from tests.unit.evaluation.small_logs import MINUTE_US, fill, make_small_log


def test_the_decisions_of_a_time_are_read_and_no_others() -> None:
    _, logs, _ = make_small_log(100)
    start_us = logs.events.decisions(after=0, limit=1)[0].at_us
    outcomes = find_outcome_range(logs, start_us=start_us + 2 * MINUTE_US, end_us=start_us + 5 * MINUTE_US)
    found = list(read_settled(logs, outcomes))
    assert [one.decision.seq for one in found] == list(range(21, 51))
    assert outcomes.first == 21, "what was settled before the time is not read at all"


def test_what_is_settled_while_it_is_read_is_left_for_later() -> None:
    loop, logs, clock = make_small_log(40)
    outcomes = find_outcome_range(logs, start_us=0, end_us=2**53)
    fill(logs, loop, clock, turns=20)
    assert len(list(read_settled(logs, outcomes))) == 40


def test_outcomes_that_are_not_learned_are_skipped() -> None:
    loop = make_loop()
    logs = MemoryStores(clock_us=Clock()).open(loop)
    logs.events.append([make_decision("a"), make_decision("b")])
    unlearned = replace(make_outcome(1), learnable=False)
    logs.outcomes.record(Settlement(outcomes=(unlearned, make_outcome(2)), unmatched=(), cursor=Cursor(2, 0)))
    (settled,) = read_settled(logs, find_outcome_range(logs, start_us=0, end_us=2**53))
    assert (settled.seq, settled.decision.seq) == (2, 2)


def test_rewards_outside_of_the_unit_widen_the_range() -> None:
    loop = make_loop()
    logs = MemoryStores(clock_us=Clock()).open(loop)
    logs.events.append([make_decision("a"), make_decision("b")])
    rewarded = (make_outcome(1, reward=-2.0), make_outcome(2, reward=5.0))
    logs.outcomes.record(Settlement(outcomes=rewarded, unmatched=(), cursor=Cursor(2, 0)))
    outcomes = find_outcome_range(logs, start_us=0, end_us=2**53)
    assert outcomes.bounds == Bounds(-2.0, 5.0)
    _, unit_logs, _ = make_small_log(10)
    assert find_outcome_range(unit_logs, start_us=0, end_us=2**53).bounds == Bounds(0.0, 1.0)


def test_bins_cover_the_log_and_are_not_too_many() -> None:
    _, logs, _ = make_small_log(2_000, uniform=True)
    outcomes = find_outcome_range(logs, start_us=0, end_us=2**53)
    assert outcomes.bin_us == 120_000_000
    short = find_outcome_range(logs, start_us=0, end_us=logs.events.decisions(after=100, limit=1)[0].at_us)
    assert short.bin_us == 5_000_000


def test_an_empty_log_has_an_empty_range() -> None:
    logs = MemoryStores(clock_us=Clock()).open(make_loop())
    outcomes = find_outcome_range(logs, start_us=0, end_us=2**53)
    assert (outcomes.outcomes, list(read_settled(logs, outcomes))) == (0, [])
