"""Served loops are found by either key, and by nothing else."""

import pytest

from sartor.access.authentication import find_key
from sartor.access.served_loops import LoopTable, ServedLoop, UnservedLoop
from sartor.errors import LoopUnavailable, Unauthorized
from sartor.log.writer import Writer
from sartor.ports import Engine
from sartor.testing.builders import make_loop
from sartor.testing.events import MemoryEvents
from sartor.testing.fakes import Clock, Disk


class NoModel:
    engine: Engine | None = None
    model_id = "N/A"
    arguments: str | None = None


def served_loop(name: str) -> ServedLoop:
    events = MemoryEvents(clock_us=Clock(), disk=Disk())
    return ServedLoop(loop=make_loop(name), writer=Writer(events, limit=1), live=NoModel())


def test_both_keys_of_each_loop() -> None:
    first, second = served_loop("first"), served_loop("second")
    loop_table = LoopTable([second, first])
    for one in (first, second):
        assert loop_table.find(one.loop.key1.encode()) is one
        assert loop_table.find(one.loop.key2.encode()) is one
    assert loop_table.all() == [first, second]


@pytest.mark.parametrize("key", [b"", b"key-1", b"key-1-of-id-of-first ", b"\xff" * 1000])
def test_other_keys(key: bytes) -> None:
    with pytest.raises(Unauthorized, match="Ocp-Apim-Subscription-Key"):
        LoopTable([served_loop("first")]).find(key)


def test_replacing_takes_effect_at_once() -> None:
    old, new = served_loop("old"), served_loop("new")
    loop_table = LoopTable([old])
    loop_table.replace([new])
    assert loop_table.find(new.loop.key1.encode()) is new
    with pytest.raises(Unauthorized):
        loop_table.find(old.loop.key1.encode())


def test_where_a_key_may_be() -> None:
    header = (b"ocp-apim-subscription-key", b"in the header")
    assert find_key([(b"host", b"x"), header], b"subscription-key=in+the+query") == b"in the header"
    assert find_key([], b"a=b&Subscription-Key=in+the+query") == b"in the query"
    assert find_key([], b"subscription-key=") == b""
    assert find_key([], b"") == b""


def test_a_loop_that_is_not_served_is_known_by_its_keys_and_name() -> None:
    loop_table = LoopTable()
    unserved = UnservedLoop("broken", "id", ("key one", "key two"), "The disk is broken.")
    loop_table.put(unserved)
    for key in (b"key one", b"key two"):
        assert loop_table.look_up(key) is unserved
        with pytest.raises(
            LoopUnavailable, match=r"The loop 'broken' can't be served now: The disk is broken\."
        ):
            loop_table.find(key)
    assert loop_table.find_by_name("broken") is unserved
    assert loop_table.all() == []


def test_one_entry_is_replaced_and_removed_beside_others() -> None:
    first, second = served_loop("first"), served_loop("second")
    loop_table = LoopTable([first, second])
    renamed = UnservedLoop("third", first.loop.loop_id, ("new key",), "It is broken.")
    loop_table.put(renamed)
    assert loop_table.look_up(b"new key") is renamed
    assert loop_table.find_by_name("third") is renamed
    assert loop_table.find_by_name("first") is None
    with pytest.raises(Unauthorized):
        loop_table.look_up(first.loop.key1.encode())
    assert loop_table.find(second.loop.key2.encode()) is second
    loop_table.remove(first.loop.loop_id)
    loop_table.remove(first.loop.loop_id)
    with pytest.raises(Unauthorized):
        loop_table.look_up(b"new key")
    assert loop_table.all() == [second]


def test_a_loop_that_took_the_name_of_another_stays_when_that_is_removed() -> None:
    old, new = UnservedLoop("name", "1", ("old",), "x"), UnservedLoop("name", "2", ("new",), "x")
    loop_table = LoopTable()
    loop_table.put(old)
    loop_table.put(new)
    loop_table.remove("1")
    assert loop_table.find_by_name("name") is new
    assert loop_table.look_up(b"new") is new


def test_a_loop_that_is_not_open_yet_is_opened_by_who_asks_for_it() -> None:
    opened = served_loop("loop")
    loop_table = LoopTable()

    def open_now() -> ServedLoop:
        loop_table.put(opened)
        return opened

    loop_table.put(UnservedLoop("loop", opened.loop_id, ("key",), "it is being opened.", None, open_now))
    assert loop_table.find(b"key") is opened
    loop_table.put(UnservedLoop("loop", opened.loop_id, ("key",), "it is being opened.", None, open_now))
    assert loop_table.find_by_name("loop") is opened
