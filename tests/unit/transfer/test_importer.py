"""Imports of saved logs: counted, each decision once, whatever interrupts them."""

import gzip
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from sartor.errors import StoreUnavailable
from sartor.log.settler import Settler
from sartor.ports import History
from sartor.records import Action, ImportedDecision, LoggedDecision, Observation, Outcome
from sartor.settings import LoopSettings
from sartor.testing.builders import make_action, make_decision, make_loop
from sartor.testing.fakes import Clock
from sartor.testing.stores import MemoryStores
from sartor.transfer.importer import Importer, ImportSummary, OwnDecisions, find_logs
from sartor.transfer.open_location import open_location
from tests.unit.transfer import saved


class ImportedFolder:
    """A loop, and a folder that is imported into it."""

    def __init__(self, folder: Path) -> None:
        self.logs = MemoryStores().open(make_loop())
        self.folder = folder
        self.history: History = self.logs.history

    def keep(self, name: str, content: bytes) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def run_import(
        self, *, alone: bool = True, several_slots: bool = False, progress: list[int] | None = None
    ) -> ImportSummary:
        importer = Importer(self.history, several_slots=several_slots, alone=alone)
        importer.import_logs(
            find_logs(open_location(str(self.folder))),
            on_progress=(progress if progress is not None else []).append,
        )
        return importer.summary

    def ids(self) -> list[str]:
        return [one.decision.event_id for one in self.logs.events.decisions(after=0, limit=100_000)]


@pytest.fixture
def folder(tmp_path: Path) -> ImportedFolder:
    return ImportedFolder(tmp_path)


def old(*numbers: int) -> list[str]:
    return [f"old-{number}" for number in numbers]


def test_logs_are_taken_in_the_order_in_which_they_were_written(folder: ImportedFolder) -> None:
    folder.keep("20220901000000/data/2022/09/02_0000000000.json", saved.log(5, 2))
    folder.keep("20220901000000/data/2022/09/01_0000000001.json", saved.log(3, 2))
    folder.keep("20220901000000/data/2022/09/01_0000000000.json", saved.log(1, 2))
    folder.keep("20220801000000/data/2022/08/31_0000000000.json", saved.log(0, 1))
    summary = folder.run_import()
    assert folder.ids() == old(*range(7))
    assert (summary.files, summary.lines, summary.taken) == (4, 7, {"single-slot": 7})
    assert summary.is_clean


def test_a_second_time_takes_nothing(folder: ImportedFolder) -> None:
    folder.keep("log", saved.log(0, 5))
    folder.run_import()
    folder.keep("log", saved.log(0, 7))
    summary = folder.run_import()
    assert (summary.total_taken, summary.skipped["repeated"].lines) == (2, 5)
    assert folder.ids() == old(*range(7))


def test_copies_of_a_log_count_once(folder: ImportedFolder) -> None:
    folder.keep("a", saved.log(0, 3))
    folder.keep("b", saved.log(1, 3))
    assert folder.run_import().total_taken == 4
    assert folder.ids() == old(0, 1, 2, 3)


def test_two_decisions_that_share_id_and_time_stay_two(folder: ImportedFolder) -> None:
    folder.keep("log", saved.line(1) + b"\n" + saved.line(1) + b"\n")
    assert [folder.run_import().total_taken for _ in range(2)] == [2, 0]


def test_what_is_no_decision_is_counted_by_kind(folder: ImportedFolder) -> None:
    folder.keep(
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
    summary = folder.run_import()
    assert folder.ids() == old(0, 5)
    assert {kind: skipped.lines for kind, skipped in summary.skipped.items()} == dict.fromkeys(
        ("blank", "checkpoint", "dangling", "no probabilities", "corrupt", "invalid", "other slots"), 1
    )
    assert summary.skipped["no probabilities"].first == f"{folder.folder}/log:5"
    assert summary.skipped["invalid"].first.startswith(f"{folder.folder}/log:7: a does not name each")
    assert not summary.is_clean


@pytest.mark.parametrize("kind", ["blank", "checkpoint", "dangling", "repeated"])
def test_what_holds_no_decision_is_no_refusal(kind: str) -> None:
    summary = ImportSummary(taken={}, skipped={}, passed=[], damaged=[])
    summary.add_skipped(kind, where="log:1")
    assert summary.is_clean


def test_a_loop_of_several_slots_takes_the_other_kind(folder: ImportedFolder) -> None:
    folder.keep("log", saved.line(0) + b"\n" + saved.slots_line(1))
    summary = folder.run_import(several_slots=True)
    assert summary.taken == {"multi-slot": 1}
    assert summary.skipped["other slots"].lines == 1
    assert folder.ids() == old(1)


def test_more_features_than_a_request_may_have(folder: ImportedFolder) -> None:
    large = Action("large", b"[{%b}]" % b",".join(b'"f%d":1' % n for n in range(5_001)))
    folder.keep("log", saved.line(0, actions=(large, make_action(1))) + b"\n" + saved.line(1))
    summary = folder.run_import()
    assert (summary.total_taken, summary.skipped["too large"].lines) == (1, 1)


def test_files_that_are_no_logs_are_passed_over(folder: ImportedFolder) -> None:
    folder.keep("model.vw", b"...")
    folder.keep("log", saved.log(0, 1))
    summary = folder.run_import()
    (passed,) = summary.passed
    assert (passed.file, passed.reason) == (f"{folder.folder}/model.vw", "a model; give it with --model")


def test_a_damaged_file_gives_what_can_be_read_and_others_follow(folder: ImportedFolder) -> None:
    folder.keep("a.gz", gzip.compress(saved.log(0, 2_000))[:-50])
    folder.keep("b", saved.log(5_000, 1))
    summary = folder.run_import()
    assert [one.file for one in summary.damaged] == [f"{folder.folder}/a.gz"]
    assert "old-0" in folder.ids()
    assert folder.ids()[-1] == "old-5000"
    assert not summary.is_clean


def test_nothing_is_written_without_a_history(folder: ImportedFolder) -> None:
    folder.keep("log", saved.log(0, 3))
    importer = Importer(None, several_slots=False, alone=True)
    importer.import_logs(find_logs(open_location(str(folder.folder))))
    assert importer.summary.total_taken == 3
    assert folder.ids() == []


def test_it_reports_progress(folder: ImportedFolder) -> None:
    folder.keep("a", saved.log(0, 1_500))
    folder.keep("b", saved.log(1_500, 10))
    progress: list[int] = []
    folder.run_import(progress=progress)
    sizes = [(folder.folder / name).stat().st_size for name in "ab"]
    assert progress[-1] == sum(sizes)
    assert sizes[0] in progress
    assert progress == sorted(progress)


@pytest.mark.parametrize("alone", [True, False])
def test_an_interruption_neither_loses_nor_duplicates(folder: ImportedFolder, alone: bool) -> None:
    folder.keep("log", saved.log(0, 400))
    history = folder.history

    class Failing:
        """A history that commits the half of a batch and fails, twice."""

        calls = 0

        def import_decisions(self, lines: Sequence[ImportedDecision], /, *, source: int) -> Sequence[bool]:
            self.calls += 1
            if self.calls <= 2:
                history.import_decisions(lines[: len(lines) // 2], source=source)
                raise StoreUnavailable
            return history.import_decisions(lines, source=source)

    folder.history = Failing()
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            folder.run_import(alone=alone)
    folder.history = history
    folder.run_import(alone=alone)
    assert sorted(folder.ids()) == sorted(old(*range(400)))


def test_beside_a_service_little_is_written_at_once(folder: ImportedFolder) -> None:
    folder.keep("log", saved.log(0, 400))
    history, sizes = folder.history, list[int]()

    class Slow:
        def import_decisions(self, lines: Sequence[ImportedDecision], /, *, source: int) -> Sequence[bool]:
            sizes.append(len(lines))
            time.sleep(0.009)
            return history.import_decisions(lines, source=source)

    folder.history = Slow()
    folder.run_import(alone=False)
    assert sizes[0] == 100
    assert sizes[3] == 20
    sizes.clear()
    folder.keep("log", saved.log(400, 2_100))
    folder.run_import(alone=True)
    assert sizes == [2_000, 100]


def test_lines_that_share_their_id_with_many_decisions_of_the_loop_cost_one_look_up() -> None:
    clock = Clock()
    logs = MemoryStores(clock_us=clock).open(make_loop())
    begin_us = clock.now_us
    for _ in range(20):
        logs.events.append([make_decision("same"), Observation(event_id="same", reward=1.0)])
        clock.advance(1)
    clock.advance(700)
    Settler(logs.events, logs.outcomes).step(LoopSettings(), settings_version=1)
    counted = Counted(logs.events.decisions)
    logs.events.decisions = counted  # type: ignore[method-assign]
    own = OwnDecisions(logs, since_us=begin_us)
    is_own = [own.contains(line_at(begin_us + number * 500_000)) for number in range(100)]
    assert is_own == [number % 2 == 0 and number < 40 for number in range(100)]
    assert counted.calls == logs.outcomes.counts().outcomes


class Counted:
    """Counts how often decisions are read."""

    def __init__(self, read: Callable[..., Sequence[LoggedDecision]]) -> None:
        self._read = read
        self.calls = 0

    def __call__(self, *, after: int, limit: int) -> Sequence[LoggedDecision]:
        self.calls += 1
        return self._read(after=after, limit=limit)


def line_at(made_at_us: int) -> ImportedDecision:
    outcome = Outcome(
        decision_seq=0,
        event_id="same",
        reward=1.0,
        learnable=True,
        joined=(),
        settled_at_us=0,
        settings_version=0,
    )
    return ImportedDecision(decision=make_decision("same"), made_at_us=made_at_us, outcome=outcome)


@pytest.mark.parametrize("reward", ["1.7e308", "-1e51", "1e400", "9" * 400])
@pytest.mark.parametrize("several_slots", [False, True])
def test_a_reward_out_of_range_is_named_and_the_others_are_taken(
    folder: ImportedFolder, reward: str, several_slots: bool
) -> None:
    lines = [(saved.slots_line if several_slots else saved.line)(number) for number in range(3)]
    cost = re.compile(rb'"_(original_)?label_cost":[^,}]+')
    lines[1] = cost.sub(lambda found: found[0].split(b":")[0] + b":" + reward.encode(), lines[1])
    folder.keep("log", b"\n".join(lines) + b"\n")
    summary = folder.run_import(several_slots=several_slots)
    assert summary.total_taken == 2
    assert not summary.is_clean
    (skipped,) = summary.skipped.values()
    assert skipped.lines == 1
    assert "log:2" in skipped.first
    if reward in ("1.7e308", "-1e51"):
        assert list(summary.skipped) == ["reward"]
        assert "between -1e+50 and 1e+50" in skipped.first
