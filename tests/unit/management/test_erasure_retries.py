"""An erasure that had to wait for open decisions says until when, and is completed by the service."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from sartor.errors import StoreUnavailable
from sartor.log.settler import Settler
from sartor.management import erasure, erasure_receipts, loops
from sartor.management.erasure_criteria import ErasureCriteria
from sartor.management.erasure_receipts import ErasureReceiptRecord
from sartor.ports import Loop, LoopStores
from sartor.records import Observation
from sartor.runtime.for_each_loop import LoopVisits
from sartor.runtime.kept_stores import KeptLoopStores
from sartor.stores.audited import AuditedStores, audited
from sartor.stores.blobs import FileBlobStore
from sartor.stores.stores import open_stores
from sartor.testing.builders import make_decision
from sartor.testing.fakes import Clock
from sartor.times import format_timestamp, parse_time_us

IDS = tuple(f"event-{number}" for number in range(30))
ALL = ErasureCriteria(event_ids=IDS)
WAIT_S = 600
HOLD_S = 120


class Shop:
    """A folder with a loop, a clock that is moved by hand, and what the processes do at that time."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.folder, self.clock = folder, clock
        self.stores = audited(open_stores(folder, clock_us=clock), "ada")
        if not self.stores.catalog.loops():
            loops.create_loop(self.stores, "shop")
        self.loop: Loop = loops.find_loop(self.stores, "shop")
        self.logs: LoopStores = self.stores.open(self.loop)

    def decide(self, *names: str, rewarded: bool = True) -> None:
        self.logs.events.append([make_decision(name) for name in names])
        if rewarded:
            self.logs.events.append([Observation(event_id=name, reward=1.0) for name in names])

    def settle(self) -> None:
        settler = Settler(self.logs.events, self.logs.outcomes)
        while settler.step(self.loop.settings, settings_version=1):
            pass

    def restart(self) -> "Shop":
        self.logs.close()
        self.stores.close()
        return Shop(self.folder, self.clock)

    def work(self, stores: AuditedStores | None = None, visits: LoopVisits | None = None) -> None:
        """A round of the work process."""
        stores = stores or self.stores
        kept = KeptLoopStores(stores)
        visits = visits or LoopVisits("erasure_not_retried", stores.catalog)
        erasure.retry_everywhere(stores.wrapped, kept, stores.catalog.loops(), visits=visits)
        kept.close()

    def receipts(self) -> list[ErasureReceiptRecord]:
        return erasure.list_incomplete(self.stores, self.loop)

    def names(self) -> set[str]:
        log = self.logs.events
        return {head.event_id for head in log.heads(after=0, limit=99)} | {
            one.observation.event_id for one in log.observations(after=0, limit=99)
        }


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    clock = Clock()
    monkeypatch.setattr(erasure, "now_us", clock)
    made = Shop(tmp_path, clock)
    yield made
    made.logs.close()
    made.stores.close()


def after_s(shop: Shop, seconds: float) -> str:
    return format_timestamp(shop.clock.now_us + round(seconds * 1_000_000))


def test_open_decisions_are_erased_when_their_windows_have_ended(shop: Shop) -> None:
    shop.decide(*IDS[:10])
    shop.settle()
    shop.decide(*IDS[10:], rewarded=False)
    receipt = erasure.erase_with_receipt(shop.stores, "shop", ALL)
    assert (len(receipt.decisions), len(receipt.still_open)) == (10, 20)
    assert receipt.retry_after == after_s(shop, WAIT_S + 1)
    assert shop.receipts() == [receipt]
    shop.clock.advance(WAIT_S)
    shop.settle()
    shop.work()
    assert shop.receipts() == [receipt], "a moment too early"
    shop.clock.advance(1)
    shop.work()
    (complete,) = shop.receipts()
    assert complete.receipt_id == receipt.receipt_id
    assert complete.decisions == tuple(range(1, 31))
    assert (complete.still_open, complete.retry_after) == ((), msgspec.UNSET)
    assert erasure_receipts.parse_receipt(shop.stores, msgspec.json.encode(complete)) == complete
    assert shop.names() == {""}
    for one in (receipt, complete):
        assert erasure.check_receipt(shop.stores, one, criteria=ALL).problems == ()


def test_one_of_thirty_whose_late_observation_is_held_up(shop: Shop) -> None:
    shop.decide(*IDS)
    shop.settle()
    shop.logs.events.append([Observation(event_id="nobody-asked", reward=1.0)])
    shop.clock.advance(1)
    shop.logs.events.append([Observation(event_id="event-7", reward=0.5)])
    shop.settle()
    receipt = erasure.erase_with_receipt(shop.stores, "shop", ALL)
    assert (len(receipt.decisions), receipt.still_open) == (29, (8,))
    assert receipt.retry_after == after_s(shop, HOLD_S), "two minutes after the dangling reward, and a second"
    shop.clock.advance(HOLD_S)
    shop.settle()
    shop.work()
    assert shop.receipts()[0].still_open == ()
    assert shop.names() == {"", "nobody-asked"}
    found = erasure.check_receipt(shop.stores, receipt, criteria=ALL)
    assert (found.erased, found.problems) == (True, ())


def test_it_is_tried_again_after_a_restart_and_until_all_is_settled(shop: Shop) -> None:
    shop.decide("event-1", "event-2", rewarded=False)
    receipt = erasure.erase_with_receipt(shop.stores, "shop", ALL)
    again = shop.restart()
    again.clock.advance(WAIT_S + 1)
    again.work()
    (pending,) = again.receipts()
    assert pending.still_open == receipt.still_open, "the learn process has not settled them yet"
    assert isinstance(pending.retry_after, str)
    assert parse_time_us(pending.retry_after) > again.clock.now_us
    problems = erasure.check_receipt(again.stores, receipt).problems
    assert problems == (f"Still open then, to be erased: 1-2; tried again after {pending.retry_after}.",)
    third = again.restart()
    third.settle()
    third.clock.advance(60)
    third.work()
    assert third.receipts()[0].still_open == ()
    assert third.names() == {""}
    third.logs.close()
    third.stores.close()


def test_each_try_that_erased_something_is_in_the_audit_log_under_the_same_name(shop: Shop) -> None:
    shop.decide("event-1", rewarded=False)
    erasure.erase_with_receipt(shop.stores, "shop", ALL)
    shop.clock.advance(WAIT_S + 1)
    shop.work()
    shop.settle()
    shop.clock.advance(60)
    shop.work()
    entries = [one.entry for one in shop.stores.audit.last(10)]
    erasures = [(entry.by, msgspec.json.decode(entry.after)) for entry in entries if entry.action == "erase"]
    assert [(by, after["decisions"], after["stillOpen"]) for by, after in erasures] == [
        ("ada", 1, 0),
        ("ada", 0, 1),
    ]


def test_what_was_complete_at_once_is_not_listed(shop: Shop) -> None:
    shop.decide("event-1")
    shop.settle()
    assert erasure.erase_with_receipt(shop.stores, "shop", ALL).retry_after is msgspec.UNSET
    assert shop.receipts() == []


class Broken(AuditedStores):
    """Stores that can't open the loop that comes first."""

    def open(self, loop: Loop, /) -> LoopStores:
        if loop.name == "a-broken":
            raise StoreUnavailable("The folder can't be opened.")
        return super().open(loop)


def test_a_broken_loop_that_comes_first_keeps_no_other_waiting(shop: Shop) -> None:
    loops.create_loop(shop.stores, "a-broken", loop_id="0" * 32)
    shop.decide("event-1", rewarded=False)
    erasure.erase_with_receipt(shop.stores, "shop", ALL)
    shop.clock.advance(WAIT_S + 1)
    shop.settle()
    visits = LoopVisits("erasure_not_retried", shop.stores.catalog)
    shop.work(Broken(shop.stores.wrapped, "a test"), visits)
    assert shop.receipts()[0].still_open == ()
    assert visits.failures == {"0" * 32: "The folder can't be opened."}


def test_only_so_many_complete_receipts_are_kept(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sartor.management.erasure_retries._KEPT", 2)
    for number in range(4):
        shop.decide(f"event-{number}", rewarded=False)
        erasure.erase_with_receipt(shop.stores, "shop", ErasureCriteria(event_ids=(f"event-{number}",)))
        shop.clock.advance(1)
    shop.clock.advance(WAIT_S + 9)
    shop.settle()
    shop.work()
    assert [one.decisions for one in shop.receipts()] == [(3,), (4,)]


def test_what_is_complete_is_not_read_again_and_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("event-1", "event-2"):
        shop.decide(name, rewarded=False)
        erasure.erase_with_receipt(shop.stores, "shop", ErasureCriteria(event_ids=(name,)))
    shop.clock.advance(WAIT_S + 9)
    shop.settle()
    read: list[str] = []
    get = FileBlobStore.get

    def note_and_get(self: FileBlobStore, name: str, /) -> bytes | None:
        read.append(name)
        return get(self, name)

    monkeypatch.setattr(FileBlobStore, "get", note_and_get)
    shop.work()
    assert read
    read.clear()
    shop.work()
    assert read == []
    assert [one.still_open for one in shop.receipts()] == [(), ()]


def test_the_seal_of_an_old_receipt_still_holds(shop: Shop) -> None:
    shop.decide("event-1")
    shop.settle()
    receipt = erasure.erase_with_receipt(shop.stores, "shop", ALL)
    assert b"retryAfter" not in msgspec.json.encode(receipt), "the signed bytes are those from before"
