"""Saved logs into a history: counted, once, and whatever interrupts it."""

import gzip
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from sartor.errors import StoreUnavailable
from sartor.ports import History
from sartor.records import Action, ImportedDecision
from sartor.testing.builders import make_action, make_loop
from sartor.testing.stores import MemoryStores
from sartor.transfer.importer import Importer, ImportSummary, find_logs
from sartor.transfer.open_location import open_location
from tests.unit.transfer import saved


class World:
    """A loop, and a folder that is imported into it."""

    def __init__(self, folder: Path) -> None:
        self.logs = MemoryStores().open(make_loop())
        self.folder = folder
        self.history: History = self.logs.history

    def keep(self, name: str, content: bytes) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def take(
        self, *, alone: bool = True, several_slots: bool = False, told: list[int] | None = None
    ) -> ImportSummary:
        importer = Importer(self.history, several_slots=several_slots, alone=alone)
        importer.take(
            find_logs(open_location(str(self.folder))), tell=(told if told is not None else []).append
        )
        return importer.tally

    def ids(self) -> list[str]:
        return [one.decision.event_id for one in self.logs.events.decisions(after=0, limit=100_000)]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def old(*numbers: int) -> list[str]:
    return [f"old-{number}" for number in numbers]


def test_logs_are_taken_in_the_order_in_which_they_were_written(world: World) -> None:
    world.keep("20220901000000/data/2022/09/02_0000000000.json", saved.log(5, 2))
    world.keep("20220901000000/data/2022/09/01_0000000001.json", saved.log(3, 2))
    world.keep("20220901000000/data/2022/09/01_0000000000.json", saved.log(1, 2))
    world.keep("20220801000000/data/2022/08/31_0000000000.json", saved.log(0, 1))
    tally = world.take()
    assert world.ids() == old(*range(7))
    assert (tally.files, tally.lines, tally.taken) == (4, 7, {"single-slot": 7})
    assert tally.is_clean


def test_a_second_time_takes_nothing(world: World) -> None:
    world.keep("log", saved.log(0, 5))
    world.take()
    world.keep("log", saved.log(0, 7))
    tally = world.take()
    assert (tally.taken_in_all, tally.skipped["repeated"].lines) == (2, 5)
    assert world.ids() == old(*range(7))


def test_copies_of_a_log_count_once(world: World) -> None:
    world.keep("a", saved.log(0, 3))
    world.keep("b", saved.log(1, 3))
    assert world.take().taken_in_all == 4
    assert world.ids() == old(0, 1, 2, 3)


def test_two_decisions_that_share_id_and_time_stay_two(world: World) -> None:
    world.keep("log", saved.line(1) + b"\n" + saved.line(1) + b"\n")
    assert [world.take().taken_in_all for _ in range(2)] == [2, 0]


def test_what_is_no_decision_is_counted_by_kind(world: World) -> None:
    world.keep(
        "log",
        b"\n".join(
            (
                b"\xef\xbb\xbf" + saved.line(0),
                b"",
                b'[{"checkpoint":1}]',
                b'{"RewardValue":1,"EventId":"e","EnqueuedTimeUtc":"t"}',
                saved.line(1).replace(b'"p":', b'"q":'),
                saved.line(2)[:-5],
                saved.line(3).replace(b'"a":[', b'"a":[1,'),
                saved.slots_line(4),
                saved.line(5),
            )
        ),
    )
    tally = world.take()
    assert world.ids() == old(0, 5)
    assert {kind: skipped.lines for kind, skipped in tally.skipped.items()} == dict.fromkeys(
        ("blank", "checkpoint", "dangling", "no probabilities", "corrupt", "invalid", "other slots"), 1
    )
    assert tally.skipped["no probabilities"].first == f"{world.folder}/log:5"
    assert tally.skipped["invalid"].first.startswith(f"{world.folder}/log:7: a does not name each")
    assert not tally.is_clean


@pytest.mark.parametrize("kind", ["blank", "checkpoint", "dangling", "repeated"])
def test_what_tells_of_no_decision_is_no_refusal(kind: str) -> None:
    tally = ImportSummary(taken={}, skipped={}, passed=[], damaged=[])
    tally.skip(kind, where="log:1")
    assert tally.is_clean


def test_a_loop_of_several_slots_takes_the_other_kind(world: World) -> None:
    world.keep("log", saved.line(0) + b"\n" + saved.slots_line(1))
    tally = world.take(several_slots=True)
    assert tally.taken == {"multi-slot": 1}
    assert tally.skipped["other slots"].lines == 1
    assert world.ids() == old(1)


def test_more_features_than_a_request_may_have(world: World) -> None:
    large = Action("large", b"[{%b}]" % b",".join(b'"f%d":1' % n for n in range(5_001)))
    world.keep("log", saved.line(0, actions=(large, make_action(1))) + b"\n" + saved.line(1))
    tally = world.take()
    assert (tally.taken_in_all, tally.skipped["too large"].lines) == (1, 1)


def test_files_that_are_no_logs_are_passed_over(world: World) -> None:
    world.keep("model.vw", b"...")
    world.keep("log", saved.log(0, 1))
    tally = world.take()
    (passed,) = tally.passed
    assert (passed.file, passed.reason) == (f"{world.folder}/model.vw", "a model; give it with --model")


def test_a_damaged_file_gives_what_can_be_read_and_others_follow(world: World) -> None:
    world.keep("a.gz", gzip.compress(saved.log(0, 2_000))[:-50])
    world.keep("b", saved.log(5_000, 1))
    tally = world.take()
    assert [one.file for one in tally.damaged] == [f"{world.folder}/a.gz"]
    assert "old-0" in world.ids()
    assert world.ids()[-1] == "old-5000"
    assert not tally.is_clean


def test_nothing_is_written_without_a_history(world: World) -> None:
    world.keep("log", saved.log(0, 3))
    importer = Importer(None, several_slots=False, alone=True)
    importer.take(find_logs(open_location(str(world.folder))))
    assert importer.tally.taken_in_all == 3
    assert world.ids() == []


def test_it_tells_how_far_it_is(world: World) -> None:
    world.keep("a", saved.log(0, 1_500))
    world.keep("b", saved.log(1_500, 10))
    told: list[int] = []
    world.take(told=told)
    sizes = [(world.folder / name).stat().st_size for name in "ab"]
    assert told[-1] == sum(sizes)
    assert sizes[0] in told
    assert told == sorted(told)


@pytest.mark.parametrize("alone", [True, False])
def test_an_interruption_neither_loses_nor_doubles(world: World, alone: bool) -> None:
    world.keep("log", saved.log(0, 400))
    history = world.history

    class Failing:
        """A history that commits the half of a batch and fails, twice."""

        calls = 0

        def import_decisions(self, lines: Sequence[ImportedDecision], /, *, source: int) -> Sequence[bool]:
            self.calls += 1
            if self.calls <= 2:
                history.import_decisions(lines[: len(lines) // 2], source=source)
                raise StoreUnavailable
            return history.import_decisions(lines, source=source)

    world.history = Failing()
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            world.take(alone=alone)
    world.history = history
    world.take(alone=alone)
    assert sorted(world.ids()) == sorted(old(*range(400)))


def test_beside_a_service_little_is_written_at_once(world: World) -> None:
    world.keep("log", saved.log(0, 400))
    history, sizes = world.history, list[int]()

    class Slow:
        def import_decisions(self, lines: Sequence[ImportedDecision], /, *, source: int) -> Sequence[bool]:
            sizes.append(len(lines))
            time.sleep(0.009)
            return history.import_decisions(lines, source=source)

    world.history = Slow()
    world.take(alone=False)
    assert sizes[0] == 100
    assert sizes[3] == 20
    sizes.clear()
    world.keep("log", saved.log(400, 2_100))
    world.take(alone=True)
    assert sizes == [2_000, 100]
