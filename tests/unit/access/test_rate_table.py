"""A limit for each of any number of names, in a fixed amount of memory."""

import random
import secrets

import pytest

from sartor.access.rate_table import RateTable


class Time:
    now_s = 1e6

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def time() -> Time:
    return Time()


def takes(table: RateTable, name: bytes, times: int) -> int:
    """How many of so many tries in a row are within the limit."""
    return sum(table.wait_s(name) == 0 and table.take(name) == 0 for _ in range(times))


def test_some_at_once_and_then_so_many_a_second(time: Time) -> None:
    table = RateTable(burst=20, per_s=2, clock_s=time)
    assert takes(table, b"a", 100) == 20
    assert table.wait_s(b"a") == pytest.approx(0.5)
    time.now_s += 3
    assert takes(table, b"a", 100) == 6
    time.now_s += 1_000
    assert takes(table, b"a", 100) == 20, "what was not used is not saved up beyond that"


def test_names_do_not_share_a_limit(time: Time, monkeypatch: pytest.MonkeyPatch) -> None:
    # With one secret in a hundred three names meet in both rows, so this is one of the others.
    monkeypatch.setattr(secrets, "token_bytes", bytes)
    table = RateTable(burst=1, per_s=1, clock_s=time)
    names = [b"%d" % number for number in range(500)]
    assert sum(takes(table, name, 5) for name in names) >= 498, "but for two that meet in both rows"


def test_who_waits_knows_how_long(time: Time) -> None:
    table = RateTable(burst=1, per_s=10, clock_s=time)
    assert [table.take(b"a") for _ in range(4)] == pytest.approx([0, 0.1, 0.2, 0.3])
    table.give_back(b"a")
    assert table.take(b"a") == pytest.approx(0.3)
    assert table.take(b"a", cost=5) == pytest.approx(0.4)
    assert table.take(b"a") == pytest.approx(0.9)


def test_nobody_escapes_by_a_crowd_of_others(time: Time) -> None:
    """However many names come in between: a name never gets more than its limit."""
    table = RateTable(burst=3, per_s=1e-9, clock_s=time)
    assert takes(table, b"first", 10) == 3
    for number in random.Random(5).sample(range(10**9), 50_000):
        table.take(b"%d" % number)
    assert takes(table, b"first", 10) == 0
