"""Each kind of damage is found; what can be made again is made again; nothing that was damaged is deleted."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from sartor.errors import StoreUnavailable
from sartor.learn.trainer import Trainer
from sartor.log.settler import Settler
from sartor.management import lifecycle, loops
from sartor.management.repairs import Repair, repair_all_loops
from sartor.ports import Loop
from sartor.problems import Damage
from sartor.records import Observation
from sartor.runtime import compose
from sartor.stores.audited import AuditedStores
from sartor.stores.repair import LoopRepair
from sartor.testing.builders import make_decision, make_job
from sartor.verification.doctor import check_all_loops

EVENTS = 30


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three loops, of which the second was used and has learned."""
    with compose.open_instance(str(tmp_path), must_exist=False) as stores:
        for name in ("a", "b", "c"):
            loops.create_loop(stores, name)
        loop = loops.change_settings(stores, "b", {"rewardWaitTime": "PT1S", "modelExportFrequency": "PT1S"})
        with closing(stores.open(loop)) as logs:
            for number in range(EVENTS):
                event = make_decision(f"e{number}")
                logs.events.append([event, Observation(event_id=f"e{number}", reward=1.0)])
            logs.jobs.put(make_job("job"))
        learn(stores, loop, until=EVENTS)
    return tmp_path


def learn(stores: AuditedStores, loop: Loop, *, until: int) -> None:
    """Settle and learn as the learn process does, until that many outcomes are learned."""
    with closing(stores.open(loop)) as logs:
        settler = Settler(logs.events, logs.outcomes)
        trainer = Trainer(logs.events, logs.outcomes, logs.models, compose.engine_factory())
        limit_s = time.monotonic() + 60
        while (live := logs.models.live()) is None or live.last_outcome < until:
            assert time.monotonic() < limit_s
            settler.step(loop.settings, settings_version=loop.version)
            trainer.step(loop, now_us=time.time_ns() // 1000, limit=1000)
            time.sleep(0.02)
        trainer.close()


def file(folder: Path, name: str) -> Path:
    return folder / "loops" / "b" / name


def live_model(folder: Path) -> Path:
    return max(file(folder, "models").glob("*.vw"), key=lambda path: path.stat().st_mtime_ns)


@pytest.fixture
def stores(folder: Path) -> Iterator[AuditedStores]:
    with compose.open_instance(str(folder)) as opened:
        yield opened


def find(stores: AuditedStores) -> dict[str, tuple[bool, tuple[str, ...], tuple[str, ...]]]:
    reports = check_all_loops(stores, compose.engine_factory(), replay=False)
    return {report.loop: (report.healthy, report.problems, report.repairs) for report in reports}


def repair(stores: AuditedStores, accept: Callable[[Damage], bool] = lambda _: True) -> list[Repair]:
    return list(repair_all_loops(stores, accept))


def test_a_sound_folder_has_nothing_to_repair(stores: AuditedStores) -> None:
    assert find(stores) == dict.fromkeys(("a", "b", "c"), (True, (), ()))
    assert repair(stores) == []


def noise(path: Path) -> None:
    path.write_bytes(b"noise" * 1000)


def noise_in_the_middle(path: Path) -> None:
    with path.open("r+b") as opened:
        opened.seek(path.stat().st_size // 2 // 4096 * 4096)
        opened.write(b"\xa5" * 4096)


def remove(path: Path) -> None:
    path.unlink()


def empty(path: Path) -> None:
    path.write_bytes(b"")


def half(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def of_another_loop(path: Path) -> None:
    shutil.copy(path.parent.parent / "c" / path.name, path)


def folder_instead(path: Path) -> None:
    path.unlink()
    path.mkdir()


DATABASE_BREAKS = [noise, noise_in_the_middle, remove, empty, half, of_another_loop, folder_instead]


@pytest.mark.parametrize("break_it", DATABASE_BREAKS)
def test_damaged_outcomes_are_settled_and_learned_anew(
    folder: Path, stores: AuditedStores, break_it: Callable[[Path], None]
) -> None:
    break_it(file(folder, "outcomes.sqlite"))
    found = find(stores)
    assert not found["b"][0]
    assert found["b"][2][0].startswith("Settle all decisions of the log anew")
    assert found["a"] == found["c"] == (True, (), ())
    (done,) = repair(stores)
    assert (done.loop, done.left) == ("b", "")
    loop = loops.find_loop(stores, "b")
    learn(stores, loop, until=EVENTS)
    with closing(stores.open(loop)) as logs:
        counts = logs.outcomes.counts()
        assert (counts.outcomes, counts.learnable) == (EVENTS, EVENTS)
    assert find(stores)["b"] == (True, (), ())
    if break_it is not remove:
        assert list(file(folder, "damaged").glob("*/outcomes.sqlite"))
    assert list(file(folder, "damaged").glob("*/models/*.vw")), "models are data, and kept"
    entry = stores.audit.last(1)[0].entry
    assert (entry.action, entry.loop) == ("repair", "b")


@pytest.mark.parametrize("break_it", DATABASE_BREAKS)
def test_damaged_events_can_not_be_made_from_anything_else(
    folder: Path, stores: AuditedStores, break_it: Callable[[Path], None]
) -> None:
    path = file(folder, "events.sqlite")
    break_it(path)
    healthy, problems, repairs = find(stores)["b"]
    assert (healthy, repairs) == (False, ())
    assert any("can't be made again from anything else. Restore the loop" in problem for problem in problems)
    before = path.read_bytes() if path.is_file() else None
    assert [(one.loop, one.done) for one in repair(stores)] == [("b", "")]
    assert (path.read_bytes() if path.is_file() else None) == before
    assert find(stores)["a"][0]


@pytest.mark.parametrize("break_it", [noise, remove, empty, of_another_loop, folder_instead])
def test_a_damaged_queue_begins_empty(
    folder: Path, stores: AuditedStores, break_it: Callable[[Path], None]
) -> None:
    with closing(stores.open(loops.find_loop(stores, "c"))) as logs:
        logs.jobs.put(make_job("of another"))
    break_it(file(folder, "jobs.sqlite"))
    assert not find(stores)["b"][0]
    (done,) = repair(stores)
    assert done.done.startswith("The queue begins empty")
    with closing(stores.open(loops.find_loop(stores, "b"))) as logs:
        assert list(logs.jobs.jobs()) == []
        logs.jobs.put(make_job("new"))
    assert find(stores)["b"] == (True, (), ())


@pytest.mark.parametrize("content", [b"", b"short", None])
def test_a_latest_time_that_is_gone_is_taken_from_the_log_and_said_once(
    folder: Path, stores: AuditedStores, content: bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    path = file(folder, "latest-time")
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    for number in range(2):
        with closing(stores.open(loops.find_loop(stores, "b"))) as logs:
            logs.events.append([make_decision(f"later {number}")])
            times = [logged.at_us for logged in logs.events.decisions(after=0, limit=99)]
            assert times == sorted(times)
    assert [record.message for record in caplog.records] == [
        "b/latest-time was missing or no time; it was taken from the log."
    ]


@pytest.mark.parametrize("content", [b"\xff" * 8, b"much too long"])
def test_the_latest_time_is_taken_from_the_log(folder: Path, stores: AuditedStores, content: bytes) -> None:
    path = file(folder, "latest-time")
    path.write_bytes(content)
    assert find(stores)["b"][2] == ("Take the latest time from the log.",)
    (done,) = repair(stores)
    assert done.done == "The latest time was taken from the log."
    with closing(stores.open(loops.find_loop(stores, "b"))) as logs:
        logs.events.append([make_decision("later")])
        times = [logged.at_us for logged in logs.events.decisions(after=0, limit=99)]
    assert times == sorted(times)
    assert find(stores)["b"][0]


@pytest.mark.parametrize("break_it", [noise, remove, empty, half, folder_instead])
def test_a_live_model_without_its_bytes_is_learned_again(
    folder: Path, stores: AuditedStores, break_it: Callable[[Path], None]
) -> None:
    lost = live_model(folder)
    break_it(lost)
    healthy, _, repairs = find(stores)["b"]
    assert not healthy
    assert "until the outcomes are learned again" in repairs[0]
    (done,) = repair(stores)
    assert lost.stem in done.done
    loop = loops.find_loop(stores, "b")
    with closing(stores.open(loop)) as logs:
        live = logs.models.live()
        assert live is None or logs.models.blob(live.model_id)
    learn(stores, loop, until=EVENTS)
    assert find(stores)["b"] == (True, (), ())


def test_drafts_of_killed_processes_are_removed_once_they_are_old(folder: Path, stores: AuditedStores) -> None:
    old, new = file(folder, ".jobs.sqlite-1234"), file(folder, ".events.sqlite-5678")
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (1, 1))
    (done,) = repair(stores)
    assert done.done == "Removed 1 drafts."
    assert (old.exists(), new.exists()) == (False, True)


@pytest.mark.parametrize("is_file", [False, True])
def test_a_folder_that_is_gone_is_named(folder: Path, stores: AuditedStores, is_file: bool) -> None:
    shutil.rmtree(folder / "loops" / "b")
    if is_file:
        (folder / "loops" / "b").write_bytes(b"")
    healthy, problems, repairs = find(stores)["b"]
    assert (healthy, repairs) == (False, ())
    assert any("Restore the loop from a backup" in problem for problem in problems)
    assert [one.done for one in repair(stores)] == [""]


def test_what_is_refused_is_left_as_it_is(folder: Path, stores: AuditedStores) -> None:
    noise(file(folder, "jobs.sqlite"))
    (left,) = repair(stores, lambda _: False)
    assert left.left == "It was left as it is."
    assert file(folder, "jobs.sqlite").read_bytes().startswith(b"noise")


def test_two_loops_are_repaired_where_the_first_can_not_be(folder: Path, stores: AuditedStores) -> None:
    (folder / "loops" / "a" / "events.sqlite").write_bytes(b"noise" * 1000)
    noise(file(folder, "jobs.sqlite"))
    assert [(one.loop, bool(one.done)) for one in repair(stores)] == [("a", False), ("b", True)]


def test_outcomes_of_a_locked_loop_are_not_mended_by_halves(folder: Path, stores: AuditedStores) -> None:
    """They would be numbered anew while the loop still begins to learn at a number of before."""
    stores.catalog.update(replace(loops.find_loop(stores, "b"), first_outcome=EVENTS + 1))
    lifecycle.set_terms(stores, "b", {"lock": "change"})
    noise(file(folder, "outcomes.sqlite"))
    (left,) = repair(stores)
    assert (left.done, "sartor loop unlock b" in left.left) == ("", True)
    assert file(folder, "outcomes.sqlite").read_bytes().startswith(b"noise")
    lifecycle.set_terms(stores, "b", {"lock": "none"})
    (done,) = repair(stores)
    assert (done.left, loops.find_loop(stores, "b").first_outcome) == ("", 1)


def test_a_loop_that_can_not_be_looked_at_keeps_no_other_from_its_repair(
    folder: Path, stores: AuditedStores, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = LoopRepair.find

    def look_at_all_but_the_first(self: LoopRepair) -> list[Damage]:
        if self._loop.name == "a":
            raise OSError(5, "Input/output error")
        return look(self)

    monkeypatch.setattr(LoopRepair, "find", look_at_all_but_the_first)
    noise(file(folder, "jobs.sqlite"))
    assert [(one.loop, one.left, bool(one.done)) for one in repair(stores)] == [
        ("a", "It can't be looked at.", False),
        ("b", "", True),
    ]


def test_what_has_no_remedy_is_not_mended(stores: AuditedStores) -> None:
    loop = loops.find_loop(stores, "b")
    damage = Damage(loop_id=loop.loop_id, loop="b", kind="events", message="The events are damaged.")
    with pytest.raises(StoreUnavailable, match=r"The events are damaged\. Nothing was changed\."):
        stores.wrapped.mend(loop, damage)  # type: ignore[attr-defined]
