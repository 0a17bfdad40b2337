"""The mirrors of all loops: side by side, and what they log."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from msgspec.structs import replace

from sartor.errors import LocationUnavailable, StoreUnavailable
from sartor.ports import Loop
from sartor.settings import with_changes
from sartor.transfer import mirror, mirror_threads
from sartor.transfer.locations import FileLocation
from sartor.transfer.mirror_threads import MirrorThreads
from tests.unit.transfer.copying import TARGET, Copying, MemoryLocation, read


def mirrored(copying: Copying, *, enabled: bool = True) -> Loop:
    changes = {"logMirrorEnabled": enabled, "logMirrorSasUri": TARGET}
    return replace(copying.loop, settings=with_changes(copying.loop.settings, changes))


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.002)


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    """What a mirror still logs belongs to the test that started it."""
    yield
    until(lambda: not any("mirror of" in thread.name for thread in threading.enumerate()))


def _copied(of: MirrorThreads, loop: Loop, copying: Copying) -> bool:
    of.run_once([loop])
    return copying.target.numbers() == [1]


def mirrors(copying: Copying, locate: Callable[[Loop], FileLocation], *, pause_s: float = 0.0) -> MirrorThreads:
    return MirrorThreads(copying.stores, locate, read, pause_s=pause_s)


def test_only_loops_with_a_mirror_are_copied() -> None:
    copying = Copying()
    copying.settle(2)
    of = mirrors(copying, lambda _: copying.target)
    of.run_once([mirrored(copying, enabled=False)])
    assert copying.target.content == {}
    of.run_once([mirrored(copying)])
    until(lambda: copying.target.numbers() == [1, 2])


def test_it_pauses_between_two_rounds() -> None:
    copying = Copying()
    copying.settle()
    of, loop = mirrors(copying, lambda _: copying.target, pause_s=60), mirrored(copying)
    of.run_once([loop])
    until(lambda: copying.target.puts == 1)
    until(lambda: "mirror of default" not in {thread.name for thread in threading.enumerate()})
    copying.settle()
    of.run_once([loop])
    assert "mirror of default" not in {thread.name for thread in threading.enumerate()}
    assert copying.target.puts == 1


def test_a_target_that_hangs_delays_no_other() -> None:
    hanging, other = Copying(), Copying()
    other.loop = mirrored(other)
    released = threading.Event()

    class Hanging(MemoryLocation):
        def put(self, path: str, content: bytes, /) -> None:
            assert released.wait(10)
            super().put(path, content)

    hanging.target = Hanging()
    hanging.settle()
    other.settle()
    of_hanging = mirrors(hanging, lambda _: hanging.target)
    of_hanging.run_once([mirrored(hanging)])
    of_hanging.run_once([mirrored(hanging)])
    mirrors(other, lambda _: other.target).run_once([other.loop])
    until(lambda: other.target.numbers() == [1])
    assert hanging.target.content == {}
    released.set()
    until(lambda: hanging.target.numbers() == [1])
    assert hanging.target.puts == 1


def test_a_failure_can_be_seen_and_passes() -> None:
    copying = Copying()
    copying.settle()
    copying.target.fails = "before put"
    of, loop = mirrors(copying, lambda _: copying.target), mirrored(copying)
    of.run_once([loop])
    until(lambda: mirror.read_progress(copying.blobs, TARGET).problem == "The target can't be used.")
    until(lambda: _copied(of, loop, copying))
    until(lambda: mirror.read_progress(copying.blobs, TARGET).problem == "")


def test_a_location_that_can_not_exist_is_a_failure_too() -> None:
    copying = Copying()

    def nowhere(loop: Loop) -> FileLocation:
        raise LocationUnavailable(f"No such kind of location: {loop.settings.log_mirror_sas_uri}.")

    mirrors(copying, nowhere).run_once([mirrored(copying)])
    until(lambda: mirror.read_progress(copying.blobs, TARGET).problem.startswith("No such kind"))


def test_an_unforeseen_failure_ends_no_other_round() -> None:
    copying = Copying()
    copying.settle()
    calls: list[str] = []

    def broken_once(loop: Loop) -> FileLocation:
        calls.append(loop.name)
        if len(calls) == 1:
            raise RuntimeError("unforeseen")
        return copying.target

    of, loop = mirrors(copying, broken_once), mirrored(copying)
    until(lambda: _copied(of, loop, copying))


def test_a_bounded_number_copies_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirror_threads, "MOST_AT_ONCE", 3)
    copying, released, begun = Copying(), threading.Event(), []
    many = [replace(mirrored(copying), name=f"loop-{number}", loop_id=f"id-{number}") for number in range(8)]

    def hang(loop: Loop) -> FileLocation:
        begun.append(loop.name)
        assert released.wait(10)
        raise LocationUnavailable("It hangs.")

    of = mirrors(copying, hang, pause_s=60)
    for _ in range(5):
        of.run_once(many)
    until(lambda: len(begun) == 3)
    of.run_once(many)
    assert len(begun) == 3
    released.set()

    def run_all() -> bool:
        of.run_once(many)
        return len(begun) == 8

    until(run_all)
    assert sorted(begun) == [loop.name for loop in many]  # each had its turn, once


def test_a_loop_that_is_deleted_while_it_is_copied_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    copying = Copying()
    broken = threading.Event()

    def locate(_: Loop) -> FileLocation:
        broken.set()
        raise StoreUnavailable("The folder is gone.")

    # What is copied is in no catalog, as after a deletion.
    of, loop = mirrors(copying, locate, pause_s=60.0), mirrored(copying)
    of.run_once([loop])
    until(lambda: broken.is_set() and not any("mirror of" in one.name for one in threading.enumerate()))
    assert [visits.failures for visits in of.visits] == [{}, {}]
    assert [record for record in caplog.records if record.name.startswith("sartor")] == []


def test_what_failed_for_a_loop_is_forgotten_with_it() -> None:
    copying = Copying()
    loop = mirrored(copying)
    copying.stores.catalog.create(loop)

    def locate(_: Loop) -> FileLocation:
        raise StoreUnavailable("The disk is full.")

    of = mirrors(copying, locate, pause_s=60.0)
    of.run_once([loop])
    until(lambda: of.visits[1].failures == {loop.loop_id: "The disk is full."})
    of.run_once([])
    assert of.visits[1].failures == {}
