"""A loop as a resource: terms, tags, deletion and the way back."""

import pytest

from sartor.errors import InvalidSetting, LoopExists, LoopNotFound
from sartor.management import audit_log, lifecycle, loops
from sartor.settings import LoopTerms
from sartor.stores.audited import AuditedStores, audited
from sartor.testing.fakes import Clock
from sartor.testing.stores import MemoryStores


@pytest.fixture
def stores() -> AuditedStores:
    return audited(MemoryStores(), "ada")


def test_a_loop_is_made_on_terms(stores: AuditedStores) -> None:
    loop = lifecycle.create_on_terms(stores, "shop", terms={"tier": "F0", "tags": {"team": "news"}})
    assert loop.terms == LoopTerms(tier="F0", tags={"team": "news"})
    assert (loop.terms.quota_per_second, loop.terms.quota_per_month) == (20, 50_000)
    assert lifecycle.create_on_terms(stores, "other").terms == LoopTerms()


@pytest.mark.parametrize(
    ("second", "month", "meant"), [(None, None, (20, 50_000)), (0, 7, (0, 7)), (3, 0, (3, 0))]
)
def test_a_quota_of_its_own_goes_before_the_tiers(
    second: int | None, month: int | None, meant: tuple[int, int]
) -> None:
    terms = LoopTerms(tier="F0", ranks_per_second=second, ranks_per_month=month)
    assert (terms.quota_per_second, terms.quota_per_month) == meant


@pytest.mark.parametrize(
    "terms",
    [
        pytest.param({"tier": "F1"}, id="no such tier"),
        pytest.param({"size": 3}, id="no such term"),
        pytest.param({"lock": "always"}, id="no such lock"),
        pytest.param({"ranksPerSecond": -1}, id="below zero"),
        pytest.param({"allowedNetworks": ["10.0.0.1/8"]}, id="host bits"),
        pytest.param({"allowedNetworks": ["everywhere"]}, id="no network"),
        pytest.param({"tags": {"": "x"}}, id="a tag without a name"),
        pytest.param({"tags": {"x": "y" * 257}}, id="a long tag"),
        pytest.param({"tags": {str(number): "" for number in range(51)}}, id="51 tags"),
    ],
)
def test_terms_that_are_none(stores: AuditedStores, terms: dict[str, object]) -> None:
    lifecycle.create_on_terms(stores, "shop")
    with pytest.raises(InvalidSetting):
        lifecycle.create_on_terms(stores, "new", terms=terms)
    with pytest.raises(InvalidSetting):
        lifecycle.set_terms(stores, "shop", terms)
    assert [loop.name for loop in stores.catalog.loops()] == ["shop"]
    assert loops.find_loop(stores, "shop").terms == LoopTerms()


def test_tags_are_added_replaced_and_removed(stores: AuditedStores) -> None:
    lifecycle.create_on_terms(stores, "shop", terms={"tags": {"a": "1", "b": "2"}})
    assert lifecycle.set_tags(stores, "shop", {"a": None, "b": "3", "c": ""}).terms.tags == {"b": "3", "c": ""}


def test_deleted_brought_back_under_another_name_and_removed(stores: AuditedStores) -> None:
    first = lifecycle.create_on_terms(stores, "shop")
    lifecycle.delete(stores, "shop")
    second = lifecycle.create_on_terms(stores, "shop")
    assert [loop.loop_id for loop in lifecycle.list_deleted(stores)] == [first.loop_id]
    with pytest.raises(LoopExists):
        lifecycle.recover(stores, "shop")
    back = lifecycle.recover(stores, first.loop_id, rename="old-shop")
    assert (back.loop_id, back.key1, back.name) == (first.loop_id, first.key1, "old-shop")
    lifecycle.delete(stores, "old-shop")
    assert lifecycle.purge(stores, "old-shop").loop_id == first.loop_id
    assert list(stores.purge()) == [first.loop_id]
    assert [loop.loop_id for loop in stores.catalog.loops()] == [second.loop_id]
    with pytest.raises(LoopNotFound):
        lifecycle.recover(stores, "old-shop")


def test_of_two_that_had_the_name_the_later_one_comes_back(stores: AuditedStores) -> None:
    lifecycle.create_on_terms(stores, "shop")
    lifecycle.delete(stores, "shop")
    later = lifecycle.create_on_terms(stores, "shop")
    lifecycle.delete(stores, "shop")
    assert lifecycle.recover(stores, "shop").loop_id == later.loop_id


def test_seven_days_to_think_again() -> None:
    clock = Clock()
    stores = audited(MemoryStores(clock_us=clock), "ada")
    lifecycle.create_on_terms(stores, "shop")
    gone = lifecycle.delete(stores, "shop")
    clock.now_us = gone.recoverable_until_us - 1
    assert list(stores.purge()) == []
    clock.advance(1)
    assert list(stores.purge()) == [gone.loop_id]


def test_the_record_of_a_loop_outlives_it(stores: AuditedStores) -> None:
    lifecycle.create_on_terms(stores, "other")
    lifecycle.create_on_terms(stores, "shop")
    lifecycle.delete(stores, "shop")
    lifecycle.purge(stores, "shop")
    stores.purge()
    found = audit_log.read_newest(stores, 99, loop="shop")
    assert [line.entry.action for line in found] == ["create", "delete", "purge"]
    assert [line.entry.action for line in audit_log.read_newest(stores, 1, loop="shop")] == ["purge"]
    assert len(audit_log.read_newest(stores, 99)) == 4


def test_a_whole_record_and_one_that_lost_its_end(stores: AuditedStores) -> None:
    lifecycle.create_on_terms(stores, "shop")
    noted = audit_log.verify_audit(stores.audit)
    assert (noted.whole, noted.lines) == (True, 1)
    lifecycle.delete(stores, "shop")
    assert audit_log.verify_audit(stores.audit, expect=noted.digest).whole
    assert not audit_log.verify_audit(audited(MemoryStores(), "eve").audit, expect=noted.digest).whole
