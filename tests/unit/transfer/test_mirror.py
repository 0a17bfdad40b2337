"""The mirror: each outcome exactly once, in the layout of the retired service, whatever fails meanwhile."""

from collections.abc import Sequence
from itertools import product

import pytest
from msgspec.structs import replace

from sartor.errors import LocationUnavailable, StoreUnavailable
from sartor.records import LoggedDecision, LoggedOutcome
from sartor.transfer import export, mirror
from tests.unit.transfer.copying import TARGET, Copying

DAY_S = 86_400
FIRST = "20231114221320/data/2023/11/14_0000000000.json"


@pytest.fixture
def copying() -> Copying:
    return Copying()


@pytest.fixture
def small_blobs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A blob holds three outcomes."""
    monkeypatch.setattr(mirror, "LARGEST_BLOB", 30)


def test_the_log_is_copied_in_lines(copying: Copying) -> None:
    copying.settle(3)
    copying.copy()
    assert copying.target.content == {FIRST: b"00000001\n00000002\n00000003\n"}
    known = mirror.read_progress(copying.blobs, TARGET)
    assert (known.last, known.problem, known.missed) == (3, "", 0)


def test_a_blob_grows_until_it_is_full(copying: Copying, small_blobs: None) -> None:
    for _ in range(7):
        copying.settle()
        copying.copy()
    assert [path[-15:-5] for path in copying.target.content] == ["0000000000", "0000000001", "0000000002"]
    assert copying.target.numbers() == list(range(1, 8))


def test_what_was_copied_is_not_put_again(copying: Copying) -> None:
    copying.settle(2)
    copying.copy()
    copying.copy()
    assert copying.target.puts == 1


def test_each_day_has_its_own_blobs(copying: Copying, small_blobs: None) -> None:
    copying.settle(4)
    copying.copy()
    copying.clock.advance(DAY_S)
    copying.settle(4)
    copying.copy()
    assert [path.partition("/data/")[2] for path in copying.target.content] == [
        "2023/11/14_0000000000.json",
        "2023/11/14_0000000001.json",
        "2023/11/15_0000000000.json",
        "2023/11/15_0000000001.json",
    ]
    assert copying.target.numbers() == list(range(1, 9))


def test_a_changed_configuration_begins_a_folder(copying: Copying) -> None:
    copying.settle(2)
    copying.copy()
    copying.loop = replace(copying.loop, edited_at_us=copying.clock.advance(60))
    copying.settle(2)
    copying.copy()
    second = FIRST.replace("20231114221320", "20231114221420")
    assert copying.target.content == {FIRST: b"00000001\n00000002\n", second: b"00000003\n00000004\n"}


def test_another_target_begins_with_the_first_outcome(copying: Copying) -> None:
    copying.settle(2)
    copying.copy()
    copying.target.label = "elsewhere"
    copying.target.content.clear()
    copying.copy()
    assert copying.target.numbers() == [1, 2]


@pytest.mark.parametrize(
    ("first", "second"),
    list(product(["before put", "after put", "blobs 0", "blobs 1", ""], repeat=2)),
)
def test_nothing_is_lost_or_doubled(copying: Copying, small_blobs: None, first: str, second: str) -> None:
    copying.settle(2)
    copying.copy()
    for failure in (first, second):
        copying.settle(2)
        _fail(copying, failure)
        copying.loop = replace(copying.loop, edited_at_us=copying.clock.advance(1))
    copying.settle()
    copying.copy()
    assert copying.target.numbers() == list(range(1, 8))


def _fail(copying: Copying, failure: str) -> None:
    if failure.startswith("blobs"):
        copying.blobs.puts_to_fail = int(failure.removeprefix("blobs "))
    else:
        copying.target.fails = failure
    try:
        copying.copy()
    except (LocationUnavailable, StoreUnavailable):
        assert failure
    else:
        assert not failure


def test_a_blob_whose_beginning_is_gone_is_left_as_it_is(copying: Copying) -> None:
    copying.settle(3)
    copying.copy()
    copying.settle()
    copying.forget()
    copying.settle(2)
    copying.copy()
    assert copying.target.content[FIRST] == b"00000001\n00000002\n00000003\n"
    assert copying.target.numbers() == [1, 2, 3, 4, 5, 6]
    assert mirror.read_progress(copying.blobs, TARGET).missed == 0


def test_a_blob_whose_beginning_goes_while_it_is_read_is_left_as_it_is(copying: Copying) -> None:
    copying.settle(3)
    copying.copy()
    copying.settle()
    copying.before_read = [copying.forget]
    copying.copy()
    copying.copy()
    assert copying.target.content[FIRST] == b"00000001\n00000002\n00000003\n"
    assert copying.target.numbers() == [1, 2, 3, 4]


def test_a_plan_whose_beginning_goes_while_it_is_read_is_given_up(copying: Copying) -> None:
    copying.settle(2)
    copying.target.fails = "after put"
    with pytest.raises(LocationUnavailable):
        copying.copy()
    copying.before_read = [copying.forget]
    copying.copy()
    assert copying.target.content[FIRST] == b"00000001\n00000002\n"


def test_what_was_removed_before_it_was_copied_is_counted(copying: Copying) -> None:
    copying.settle(2)
    copying.copy()
    copying.settle(3)
    copying.forget()
    copying.settle()
    copying.copy()
    assert copying.target.numbers() == [1, 2, 5, 6]
    assert mirror.read_progress(copying.blobs, TARGET).missed == 2


def test_a_plan_whose_outcomes_are_gone_is_given_up(copying: Copying) -> None:
    copying.settle(2)
    copying.target.fails = "before put"
    with pytest.raises(LocationUnavailable):
        copying.copy()
    copying.settle(2)
    copying.forget()
    copying.copy()
    assert copying.target.numbers() == [4]
    assert mirror.read_progress(copying.blobs, TARGET).missed == 3


def test_a_failure_is_noted_until_it_is_over(copying: Copying) -> None:
    copying.settle()
    mirror.note_failure(copying.blobs, TARGET, "No.")
    since_us = mirror.read_progress(copying.blobs, TARGET).failing_since_us
    mirror.note_failure(copying.blobs, TARGET, "Still no.")
    known = mirror.read_progress(copying.blobs, TARGET)
    assert (known.problem, known.failing_since_us) == ("Still no.", since_us)
    assert since_us > 0
    copying.copy()
    known = mirror.read_progress(copying.blobs, TARGET)
    assert (known.problem, known.failing_since_us, known.last) == ("", 0, 1)
    mirror.note_failure(copying.blobs, TARGET, "No.")
    mirror.note_recovery(copying.blobs, TARGET)
    assert mirror.read_progress(copying.blobs, TARGET).problem == ""


def test_large_outcomes_are_read_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A decision may have a megabyte: a thousand of them are not in memory at once."""
    copying = Copying()
    copying.settle(40)
    most = 0
    decisions, outcomes = copying.logs.events.decisions, copying.logs.outcomes.outcomes

    def read_decisions(*, after: int, limit: int) -> Sequence[LoggedDecision]:
        nonlocal most
        found = decisions(after=after, limit=limit)
        most = max(most, len(found))
        return found

    def read_outcomes(*, after: int, limit: int) -> Sequence[LoggedOutcome]:
        nonlocal most
        found = outcomes(after=after, limit=limit)
        most = max(most, len(found))
        return found

    monkeypatch.setattr(copying.logs.events, "decisions", read_decisions)
    monkeypatch.setattr(copying.logs.outcomes, "outcomes", read_outcomes)
    to_copy = mirror.Mirror(copying.loop, copying.logs, copying.target, export.read_joined_log)
    while to_copy.step():
        pass
    assert b"".join(copying.target.content.values()).count(b"\n") == 40
    assert 0 < most <= 8
