"""``sartor clock``."""

from pathlib import Path

from sartor.management import loops
from sartor.runtime import compose
from sartor.stores.stores import open_stores
from sartor.testing.builders import make_decision
from sartor.times import DAY_US, now_us
from tests.unit.cli.conftest import Sartor


def test_a_clock_that_agrees_with_the_log_is_trusted(sartor: Sartor, empty: Path) -> None:
    sartor("loop", "create", "news")
    shown = sartor("clock")
    assert shown.code == 0
    assert "Data is removed by it." in shown.out


def test_a_clock_that_moved_ahead_is_trusted_once_it_is_confirmed(sartor: Sartor, empty: Path) -> None:
    stores = open_stores(empty, clock_us=lambda: now_us() - 100 * DAY_US)
    logs = stores.open(loops.create_loop(stores, "news"))
    logs.events.append([make_decision("then")])
    logs.close()
    stores.close()
    shown = sartor("clock")
    assert shown.code == 1
    assert "moved ahead by 99 days" in shown.out
    assert sartor("audit", "--last", "1", "--json").json[0]["action"] == "clock set"
    unhealthy = sartor("doctor", "--json")
    assert unhealthy.code == 1
    assert "moved ahead by 99 days" in unhealthy.json["problems"][0]
    assert "PROBLEM: The clock moved" in sartor("doctor").out
    confirmed = sartor("clock", "--confirm", "--json")
    assert (confirmed.code, confirmed.json["trusted"], confirmed.json["problem"]) == (0, True, None)
    assert confirmed.json["time"] == confirmed.json["trustedTime"]
    assert sartor("clock").code == 0
    with compose.open_instance(str(empty)) as opened:
        assert [one.entry.action for one in opened.audit.last(2)] == ["confirm clock", "clock set"]
