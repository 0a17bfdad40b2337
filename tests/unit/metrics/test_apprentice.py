"""What is counted of Apprentice mode: its own decisions only, all of them and the last thousand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from sartor.errors import Corrupt
from sartor.metrics.apprentice import (
    APPRENTICE_MATCH,
    RECENT,
    ApprenticeMatch,
    ApprenticeMatchFold,
    ApprenticeUpdater,
    MatchSums,
    read_apprentice_match,
    read_checkpoint,
)
from sartor.records import Cursor, LoggedDecision, Mode, Outcome, Settlement
from sartor.testing.builders import make_decision, make_loop, make_outcome
from sartor.testing.fakes import Disk
from sartor.testing.stores import MemoryBlobStore, MemoryStores


def event(seq: int, *, chosen: int = 0, reward: float = 1.0, mode: Mode = "Apprentice") -> "Event":
    decision = replace(make_decision(f"e{seq}", chosen=chosen), mode=mode)
    return seq, make_outcome(seq, reward=reward), LoggedDecision(seq, 1_000 + seq, decision)


Event = tuple[int, Outcome, LoggedDecision | None]


def fold_all(*events: Event) -> ApprenticeMatchFold:
    fold = ApprenticeMatchFold()
    for one in events:
        fold.add(*one)
    return fold


def metrics(*events: Event) -> ApprenticeMatch:
    found = fold_all(*events).metrics()
    assert found is not None
    return found


def test_a_decision_is_imitated_where_the_model_chose_the_baseline() -> None:
    found = metrics(event(1), event(2, chosen=1, reward=0.5), event(3, reward=0.25))
    assert found == ApprenticeMatch(
        start_us=1_001,
        last_us=1_003,
        total=MatchSums(events=3, imitated=2, rewards=1.75, imitated_rewards=1.25),
        recent=MatchSums(events=3, imitated=2, rewards=1.75, imitated_rewards=1.25),
    )
    assert found.total.baseline_average == pytest.approx(1.75 / 3)
    assert found.total.model_average == pytest.approx(1.25 / 3)
    assert found.total.ratio == pytest.approx(1.25 / 1.75)


def test_the_baseline_is_the_first_action_that_is_not_excluded() -> None:
    seq, outcome, logged = event(1, chosen=1)
    assert logged is not None
    excluding = replace(logged, decision=replace(logged.decision, excluded=(0,)))
    assert metrics((seq, outcome, excluding)).total.imitated == 1


def test_other_modes_and_what_was_never_activated_do_not_count() -> None:
    never = replace(make_outcome(3), learnable=False)
    fold = fold_all(
        event(1, mode="Online"), event(2, mode="LoggingOnly"), (3, never, event(3)[2]), (4, never, None)
    )
    assert fold.metrics() is None
    assert fold.last == 4


def test_without_rewards_there_is_no_ratio() -> None:
    assert metrics(event(1, reward=0.0)).total.ratio is None
    assert (MatchSums().ratio, MatchSums().baseline_average, MatchSums().model_average) == (None, 0.0, 0.0)


def test_the_last_thousand_are_shown_by_themselves_in_constant_memory() -> None:
    early = [event(seq, chosen=1) for seq in range(1, 501)]
    fold = fold_all(*early, *[event(seq, reward=0.5) for seq in range(501, 501 + RECENT)])
    found = fold.metrics()
    assert found is not None
    assert found.recent == MatchSums(events=RECENT, imitated=RECENT, rewards=500.0, imitated_rewards=500.0)
    assert found.total == MatchSums(events=1_500, imitated=1_000, rewards=1_000.0, imitated_rewards=500.0)
    assert len(fold.recent) == RECENT


events = st.lists(
    st.builds(
        lambda chosen, reward, mode: (chosen, reward, mode),
        st.integers(0, 2),
        st.floats(-1, 1),
        st.sampled_from(["Apprentice", "Online", "LoggingOnly"]),
    ),
    max_size=12,
)


@given(events, st.integers(0, 12))
def test_going_on_from_a_checkpoint_is_the_same_as_going_on(
    facts: list[tuple[int, float, Mode]], cut: int
) -> None:
    stream = [event(seq, chosen=c, reward=r, mode=m) for seq, (c, r, m) in enumerate(facts, 1)]
    whole = fold_all(*stream)
    resumed = ApprenticeMatchFold.from_state(fold_all(*stream[:cut]).state())
    for one in stream[cut:]:
        resumed.add(*one)
    assert resumed == whole


def test_a_checkpoint_is_read_and_anything_else_is_corrupt() -> None:
    blobs = MemoryBlobStore(disk=Disk())
    assert read_checkpoint(blobs) is None
    blobs.put(APPRENTICE_MATCH.name, fold_all(event(1)).state())
    assert read_checkpoint(blobs) == metrics(event(1))
    blobs.put(APPRENTICE_MATCH.name, b"not a checkpoint")
    with pytest.raises(Corrupt, match="Apprentice"):
        read_checkpoint(blobs)


class UnreadableBlobs(MemoryBlobStore):
    """A blob store with a bug, for as long as a test wants it."""

    is_broken = True

    def get(self, name: str, /) -> bytes | None:
        if self.is_broken:
            raise ZeroDivisionError("a bug")
        return super().get(name)


def test_an_unforeseen_error_is_logged_once_and_stops_no_learning(caplog: pytest.LogCaptureFixture) -> None:
    logs = MemoryStores().open(make_loop())
    blobs = UnreadableBlobs(disk=Disk())
    logs.blobs = blobs
    logs.events.append([replace(make_decision("e1"), mode="Apprentice")])
    logs.outcomes.record(Settlement(outcomes=(make_outcome(1, "e1"),), unmatched=(), cursor=Cursor()))
    updater = ApprenticeUpdater(logs, loop_name="default")
    assert [updater.try_step(), updater.try_step()] == [0, 0]
    assert [record.getMessage() for record in caplog.records] == [
        "The match with the baseline in Apprentice mode of the loop 'default' is not updated: "
        "ZeroDivisionError: a bug"
    ]
    blobs.is_broken = False
    assert updater.try_step() == 1
    updater.close()
    assert logs.blobs.names() == ["apprentice"]
    found = read_apprentice_match(logs)
    assert found is not None
    assert found.total.events == 1


def test_a_checkpoint_of_a_longer_log_is_not_believed() -> None:
    logs = MemoryStores().open(make_loop())
    logs.blobs.put("apprentice", fold_all(event(5)).state())
    assert read_apprentice_match(logs) is None
    logs.events.append([replace(make_decision("e1"), mode="Apprentice")])
    logs.outcomes.record(Settlement(outcomes=(make_outcome(1, "e1"),), unmatched=(), cursor=Cursor()))
    found = read_apprentice_match(logs)
    assert found is not None
    assert found.total.events == 1
