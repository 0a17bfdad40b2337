"""What every outcome log promises."""

import pytest
from msgspec.structs import replace

from sartor.errors import Corrupt, StoreUnavailable
from sartor.ports import Loop, OutcomeCounts, OutcomeLog, Stores
from sartor.records import Cursor, JoinedObservation, Outcome, Settlement, UnmatchedObservation
from sartor.testing.builders import make_outcome
from tests.contract.conftest import FullDisk


def settlement(
    *outcomes: Outcome, unmatched: tuple[UnmatchedObservation, ...] = (), cursor: Cursor | None = None
) -> Settlement:
    return Settlement(outcomes=outcomes, unmatched=unmatched, cursor=cursor or Cursor())


def test_an_empty_log_holds_nothing(outcomes: OutcomeLog) -> None:
    assert outcomes.counts().cursor == Cursor()
    assert not outcomes.outcomes(after=0, limit=10)
    assert not outcomes.outcomes_of("event")
    assert outcomes.counts() == OutcomeCounts(outcomes=0, last_outcome=0, learnable=0, late=0, dangling=0)


def test_what_was_recorded_comes_back_as_it_was(outcomes: OutcomeLog) -> None:
    outcome = Outcome(
        decision_seq=3,
        event_id="événement",
        reward=-0.1,
        learnable=False,
        joined=(JoinedObservation(1, 5, None), JoinedObservation(2, 6, -0.1)),
        settled_at_us=7,
        settings_version=2,
    )
    outcomes.record(settlement(outcome, cursor=Cursor(3, 2)))
    (logged,) = outcomes.outcomes(after=0, limit=10)
    assert (logged.seq, logged.outcome) == (1, outcome)
    assert outcomes.counts().cursor == Cursor(3, 2)


def test_outcomes_are_numbered_in_the_order_of_recording(outcomes: OutcomeLog) -> None:
    outcomes.record(settlement(make_outcome(2), make_outcome(1)))
    outcomes.record(settlement(make_outcome(5)))
    numbers = [(o.seq, o.outcome.decision_seq) for o in outcomes.outcomes(after=0, limit=10)]
    assert numbers == [(1, 2), (2, 1), (3, 5)]


def test_reading_goes_on_after_a_number_and_stops_at_the_limit(outcomes: OutcomeLog) -> None:
    outcomes.record(settlement(*(make_outcome(number) for number in range(1, 6))))
    assert [logged.seq for logged in outcomes.outcomes(after=1, limit=2)] == [2, 3]
    assert not outcomes.outcomes(after=5, limit=2)


def test_the_outcomes_of_an_event_are_those_of_all_its_decisions(outcomes: OutcomeLog) -> None:
    outcomes.record(settlement(make_outcome(1, "a"), make_outcome(2, "b"), make_outcome(3, "a")))
    assert [logged.outcome.decision_seq for logged in outcomes.outcomes_of("a")] == [1, 3]
    assert not outcomes.outcomes_of("c")


def test_an_event_was_settled_up_to_a_number(outcomes: OutcomeLog) -> None:
    outcomes.record(settlement(make_outcome(7, "a"), make_outcome(2, "b"), make_outcome(5, "a")))
    assert not outcomes.has_outcome("a", until=4)
    assert outcomes.has_outcome("a", until=5)
    assert outcomes.has_outcome("b", until=9)
    assert not outcomes.has_outcome("c", until=9)


def test_the_outcome_of_a_decision_is_found_by_its_number(outcomes: OutcomeLog) -> None:
    outcomes.record(settlement(make_outcome(7, "a"), make_outcome(2, "a")))
    found = outcomes.find_outcome(2)
    assert found is not None
    assert (found.seq, found.outcome.decision_seq) == (2, 2)
    assert outcomes.find_outcome(1) is None


def test_counts_add_up_over_settlements(outcomes: OutcomeLog) -> None:
    unlearnable = replace(make_outcome(2), learnable=False)
    outcomes.record(settlement(make_outcome(1), unlearnable, unmatched=(UnmatchedObservation(1, "late"),)))
    outcomes.record(
        settlement(
            make_outcome(3),
            unmatched=(
                UnmatchedObservation(2, "dangling"),
                UnmatchedObservation(3, "late"),
                UnmatchedObservation(4, "late"),
            ),
        )
    )
    assert outcomes.counts() == OutcomeCounts(outcomes=3, last_outcome=3, learnable=2, late=3, dangling=1)


@pytest.mark.parametrize(
    "again",
    [
        pytest.param(settlement(make_outcome(9), make_outcome(1)), id="a decision settled before"),
        pytest.param(settlement(make_outcome(9), make_outcome(9)), id="a decision settled twice at once"),
        pytest.param(
            settlement(make_outcome(9), unmatched=(UnmatchedObservation(1, "late"),)),
            id="an observation astray before",
        ),
    ],
)
def test_nothing_is_settled_twice(outcomes: OutcomeLog, again: Settlement) -> None:
    outcomes.record(
        settlement(make_outcome(1), unmatched=(UnmatchedObservation(1, "late"),), cursor=Cursor(1, 1))
    )
    before = outcomes.counts()
    with pytest.raises(Corrupt):
        outcomes.record(replace(again, cursor=Cursor(9, 9)))
    assert outcomes.counts() == before
    assert outcomes.counts().cursor == Cursor(1, 1)
    assert len(outcomes.outcomes(after=0, limit=10)) == 1


def test_amending_replaces_outcomes_where_they_are(outcomes: OutcomeLog) -> None:
    outcomes.record(settlement(make_outcome(1, "a"), make_outcome(2, "b"), make_outcome(3, "c")))
    amended = replace(make_outcome(2, "new"), reward=-0.5, learnable=False, settings_version=9)
    assert outcomes.amend([amended]) == 1
    logged = outcomes.outcomes(after=0, limit=10)
    assert [(one.seq, one.outcome.event_id) for one in logged] == [(1, "a"), (2, "new"), (3, "c")]
    assert logged[1].outcome == amended
    assert not outcomes.outcomes_of("b")
    assert [one.seq for one in outcomes.outcomes_of("new")] == [2]
    counts = outcomes.counts()
    assert (counts.outcomes, counts.learnable, counts.revision) == (3, 2, 1)


def test_what_was_erased_or_corrected_is_not_amended_as_if_it_were_not(outcomes: OutcomeLog) -> None:
    erased = replace(make_outcome(1, ""), event_id="", learnable=False)
    corrected = replace(make_outcome(2), reward=0.25, corrected=True)
    outcomes.record(settlement(make_outcome(1), make_outcome(2)))
    outcomes.amend([erased, corrected])
    outcomes.amend([make_outcome(1), make_outcome(2)])
    assert [one.outcome for one in outcomes.outcomes(after=0, limit=10)] == [erased, corrected]
    again = replace(corrected, reward=0.5)
    outcomes.amend([again])
    assert outcomes.outcomes(after=1, limit=1)[0].outcome == again
    assert outcomes.counts().learnable == 1


def test_every_amendment_raises_the_revision_and_keeps_the_counts(outcomes: OutcomeLog) -> None:
    outcomes.record(settlement(make_outcome(1), make_outcome(2), cursor=Cursor(2, 0)))
    gone = [replace(make_outcome(number), learnable=False) for number in (1, 2)]
    assert outcomes.amend(gone) == 1
    assert outcomes.amend([make_outcome(1)]) == 2
    assert outcomes.amend([make_outcome(1)]) == outcomes.counts().revision == 3
    assert outcomes.counts().learnable == 1
    assert outcomes.counts().cursor == Cursor(2, 0)


def test_amending_keeps_the_time_of_settling(outcomes: OutcomeLog) -> None:
    outcome = make_outcome(1)
    outcomes.record(settlement(outcome))
    outcomes.amend([replace(outcome, settled_at_us=outcome.settled_at_us + 5, reward=0.5)])
    (logged,) = outcomes.outcomes(after=0, limit=1)
    assert logged.outcome == replace(outcome, reward=0.5)


def test_what_was_never_settled_can_not_be_amended(outcomes: OutcomeLog) -> None:
    outcomes.record(settlement(make_outcome(1)))
    with pytest.raises(Corrupt, match="Decision 2 has no outcome"):
        outcomes.amend([make_outcome(1, "changed"), make_outcome(2)])
    assert outcomes.counts().revision == 0
    assert len(outcomes.outcomes_of("event-1")) == 1


def test_two_openings_of_a_loop_see_one_log(stores: Stores, loop: Loop, outcomes: OutcomeLog) -> None:
    other = stores.open(loop)
    outcomes.record(settlement(make_outcome(1), cursor=Cursor(1, 0)))
    assert other.outcomes.counts().cursor == Cursor(1, 0)
    assert len(other.outcomes.outcomes_of("event-1")) == 1
    other.close()


def test_a_full_disk_takes_nothing_and_the_log_goes_on_when_there_is_room(
    outcomes: OutcomeLog, full_disk: FullDisk
) -> None:
    outcomes.record(settlement(make_outcome(1), cursor=Cursor(1, 0)))
    with full_disk(), pytest.raises(StoreUnavailable):
        outcomes.record(
            settlement(make_outcome(2), unmatched=(UnmatchedObservation(1, "late"),), cursor=Cursor(2, 1))
        )
    assert outcomes.counts().cursor == Cursor(1, 0)
    assert outcomes.counts().late == 0
    outcomes.record(settlement(make_outcome(2), cursor=Cursor(2, 1)))
    assert [logged.seq for logged in outcomes.outcomes(after=0, limit=10)] == [1, 2]
