"""The mirrors of all loops: side by side, and told about."""

import threading
import time
from collections.abc import Callable

from msgspec.structs import replace

from sartor.errors import PlaceUnavailable
from sartor.ports import Loop
from sartor.settings import changed
from sartor.transfer import mirror
from sartor.transfer.locations import Place
from sartor.transfer.mirror_threads import Mirrors
from tests.unit.transfer.copying import TARGET, Copying, There, read


def mirrored(copying: Copying, *, enabled: bool = True) -> Loop:
    changes = {"logMirrorEnabled": enabled, "logMirrorSasUri": TARGET}
    return replace(copying.loop, settings=changed(copying.loop.settings, changes))


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.002)


def _copied(of: Mirrors, loop: Loop, copying: Copying) -> bool:
    of.round([loop])
    return copying.there.numbers() == [1]


def mirrors(copying: Copying, place: Callable[[str], Place], *, pause_s: float = 0.0) -> Mirrors:
    return Mirrors(copying.stores, place, read, pause_s=pause_s)


def test_only_who_wants_it_is_copied() -> None:
    copying = Copying()
    copying.settle(2)
    of = mirrors(copying, lambda _: copying.there)
    of.round([mirrored(copying, enabled=False)])
    assert copying.there.content == {}
    of.round([mirrored(copying)])
    until(lambda: copying.there.numbers() == [1, 2])


def test_it_rests_between_two_rounds() -> None:
    copying = Copying()
    copying.settle()
    of, loop = mirrors(copying, lambda _: copying.there, pause_s=60), mirrored(copying)
    of.round([loop])
    until(lambda: copying.there.puts == 1)
    until(lambda: "mirror of default" not in {thread.name for thread in threading.enumerate()})
    copying.settle()
    of.round([loop])
    assert "mirror of default" not in {thread.name for thread in threading.enumerate()}
    assert copying.there.puts == 1


def test_a_target_that_hangs_holds_up_nobody() -> None:
    hanging, other = Copying(), Copying()
    other.loop = mirrored(other)
    released = threading.Event()

    class Hanging(There):
        def put(self, path: str, content: bytes, /) -> None:
            assert released.wait(10)
            super().put(path, content)

    hanging.there = Hanging()
    hanging.settle()
    other.settle()
    of_hanging = mirrors(hanging, lambda _: hanging.there)
    of_hanging.round([mirrored(hanging)])
    of_hanging.round([mirrored(hanging)])
    mirrors(other, lambda _: other.there).round([other.loop])
    until(lambda: other.there.numbers() == [1])
    assert hanging.there.content == {}
    released.set()
    until(lambda: hanging.there.numbers() == [1])
    assert hanging.there.puts == 1


def test_a_failure_can_be_seen_and_passes() -> None:
    copying = Copying()
    copying.settle()
    copying.there.fails = "before put"
    of, loop = mirrors(copying, lambda _: copying.there), mirrored(copying)
    of.round([loop])
    until(lambda: mirror.progress(copying.shelf, TARGET).problem == "There can't be used.")
    until(lambda: _copied(of, loop, copying))
    until(lambda: mirror.progress(copying.shelf, TARGET).problem == "")


def test_a_place_that_can_not_be_is_a_failure_too() -> None:
    copying = Copying()

    def nowhere(url: str) -> Place:
        raise PlaceUnavailable(f"No such kind of place: {url}.")

    mirrors(copying, nowhere).round([mirrored(copying)])
    until(lambda: mirror.progress(copying.shelf, TARGET).problem.startswith("No such kind"))


def test_an_unforeseen_failure_ends_no_other_round() -> None:
    copying = Copying()
    copying.settle()
    calls: list[str] = []

    def broken_once(url: str) -> Place:
        calls.append(url)
        if len(calls) == 1:
            raise RuntimeError("unforeseen")
        return copying.there

    of, loop = mirrors(copying, broken_once), mirrored(copying)
    until(lambda: _copied(of, loop, copying))
