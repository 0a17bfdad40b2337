"""Desks are found by either key, and by nothing else."""

import pytest

from sartor.access.authentication import presented
from sartor.access.served_loops import Desk, Desks
from sartor.errors import Unauthorized
from sartor.log.writer import Writer
from sartor.ports import Engine
from sartor.testing.builders import make_loop
from sartor.testing.clock import Clock
from sartor.testing.disk import Disk
from sartor.testing.events import MemoryEvents


class NoModel:
    engine: Engine | None = None
    model_id = "N/A"
    arguments: str | None = None


def desk(name: str) -> Desk:
    events = MemoryEvents(clock_us=Clock(), disk=Disk())
    return Desk(loop=make_loop(name), writer=Writer(events, limit=1), live=NoModel())


def test_both_keys_of_each_loop() -> None:
    first, second = desk("first"), desk("second")
    desks = Desks([second, first])
    for one in (first, second):
        assert desks.find(one.loop.key1.encode()) is one
        assert desks.find(one.loop.key2.encode()) is one
    assert desks.all() == [first, second]


@pytest.mark.parametrize("key", [b"", b"key-1", b"key-1-of-id-of-first ", b"\xff" * 1000])
def test_other_keys(key: bytes) -> None:
    with pytest.raises(Unauthorized, match="Ocp-Apim-Subscription-Key"):
        Desks([desk("first")]).find(key)


def test_replacing_takes_effect_at_once() -> None:
    old, new = desk("old"), desk("new")
    desks = Desks([old])
    desks.replace([new])
    assert desks.find(new.loop.key1.encode()) is new
    with pytest.raises(Unauthorized):
        desks.find(old.loop.key1.encode())


def test_where_a_key_may_be() -> None:
    header = (b"ocp-apim-subscription-key", b"in the header")
    assert presented([(b"host", b"x"), header], b"subscription-key=in+the+query") == b"in the header"
    assert presented([], b"a=b&Subscription-Key=in+the+query") == b"in the query"
    assert presented([], b"subscription-key=") == b""
    assert presented([], b"") == b""
