"""Erasing on real stores and a real engine: the log, the models, the receipt; what is open, what is pinned."""

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from sartor.errors import InvalidReceipt, InvalidRequest, LoopLocked, StoreUnavailable
from sartor.management import erasure, erasure_receipts, lifecycle, loops
from sartor.management.erasure_criteria import ErasureCriteria
from sartor.ports import EngineFactory, Loop, LoopStores
from sartor.records import Observation
from sartor.runtime import compose
from sartor.runtime.for_each_loop import LoopVisits
from sartor.runtime.kept_stores import KeptLoopStores
from sartor.stores.audited import AuditedStores
from sartor.verification.doctor import check_loop
from tests.unit import instance

ADA = ErasureCriteria(where={"user": "ada lovelace"})


@pytest.fixture
def factory() -> EngineFactory:
    return compose.engine_factory()


@pytest.fixture
def stores(tmp_path: Path, factory: EngineFactory) -> Iterator[AuditedStores]:
    """A loop that decided for Ada every fourth time, and learned it."""
    with compose.open_instance(str(tmp_path / "data"), must_exist=False) as made:
        loop = loops.create_loop(made, "shop")
        with loops.open_loop(made, loop) as logs:
            play(loop, logs, factory, first=0)
            instance.learn(loop, logs, factory, ahead_s=0)
            play(loop, logs, factory, first=20)
            instance.learn(loop, logs, factory, ahead_s=600)
        yield made


def play(loop: Loop, logs: LoopStores, factory: EngineFactory, *, first: int, rewarded: bool = True) -> None:
    for number in range(first, first + 20):
        decision = instance.decide_event(f"event-{number}", loop, logs, factory)
        user = b'[{"user":"%b"}]' % (b"ada lovelace" if number % 4 == 0 else b"grace")
        logs.events.append([replace(decision, context=user)])
        if rewarded:
            logs.events.append([Observation(event_id=decision.event_id, reward=1.0)])


@pytest.fixture
def logs(stores: AuditedStores) -> Iterator[LoopStores]:
    with loops.open_loop(stores, loops.find_loop(stores, "shop")) as opened:
        yield opened


def model_ids(logs: LoopStores) -> set[str]:
    return {note.model_id for note in logs.notes.all()}


def test_nothing_is_left_in_the_log_nor_in_a_model(
    stores: AuditedStores, logs: LoopStores, factory: EngineFactory
) -> None:
    before = model_ids(logs)
    receipt = erasure.erase_with_receipt(stores, "shop", ADA)
    assert receipt.decisions == tuple(range(1, 41, 4))
    assert receipt.still_open == ()
    assert list(ADA.find(logs.events)) == []
    for number in receipt.decisions:
        assert not logs.outcomes.outcomes_of(f"event-{number - 1}")
    observed = {one.observation.event_id for one in logs.events.observations(after=0, limit=99)}
    assert observed == {""} | {f"event-{number}" for number in range(40) if number % 4}
    assert logs.outcomes.counts().learnable == 30

    found = erasure.check_receipt(stores, receipt, criteria=ADA)
    assert (found.erased, found.forgotten) == (True, False), "the old models still know"
    assert not erasure.forget_models(logs)
    loop = loops.find_loop(stores, "shop")
    instance.learn(loop, logs, factory, ahead_s=1200)
    live = logs.models.live()
    assert live is not None
    assert (live.learned, live.revision) == (30, receipt.revision)
    assert erasure.forget_models(logs)
    assert model_ids(logs) == {live.model_id}
    assert not model_ids(logs) & before
    found = erasure.check_receipt(stores, receipt, criteria=ADA)
    assert (found.erased, found.forgotten, found.problems) == (True, True, ())
    report = check_loop(loop, logs, factory, replay=True)
    assert report.problems == ()


def test_by_event_id(stores: AuditedStores, logs: LoopStores) -> None:
    receipt = erasure.erase_with_receipt(
        stores, "shop", ErasureCriteria(event_ids=("event-3", "no-such-event"))
    )
    assert receipt.decisions == (4,)


def test_an_open_decision_is_left_and_listed(
    stores: AuditedStores, logs: LoopStores, factory: EngineFactory
) -> None:
    loop = loops.find_loop(stores, "shop")
    play(loop, logs, factory, first=40, rewarded=False)
    receipt = erasure.erase_with_receipt(stores, "shop", ADA)
    assert receipt.still_open == (41, 45, 49, 53, 57)
    found = erasure.check_receipt(stores, receipt)
    assert not found.erased
    assert "41, 45, 49, 53, 57" in found.problems[0]


def test_a_receipt_holds_no_value_and_can_not_be_forged(stores: AuditedStores) -> None:
    receipt = erasure.erase_with_receipt(stores, "shop", ADA)
    text = msgspec.json.encode(receipt)
    assert b"lovelace" not in text
    assert b"event-" not in text
    assert erasure_receipts.parse_receipt(stores, text) == receipt
    for field, value in (("decisions", [1]), ("loop", "other"), ("revision", 0), ("seal", "00")):
        with pytest.raises(InvalidReceipt):
            erasure_receipts.parse_receipt(stores, json.dumps(json.loads(text) | {field: value}).encode())
    with pytest.raises(InvalidReceipt):
        erasure_receipts.parse_receipt(stores, b"{}")


def test_a_receipt_is_for_what_was_asked(stores: AuditedStores) -> None:
    receipt = erasure.erase_with_receipt(stores, "shop", ADA)
    again = erasure.check_receipt(stores, receipt, criteria=ErasureCriteria(where={"user": "grace"}))
    assert not again.erased
    assert "other criteria" in again.problems[0]


def test_a_check_notices_what_is_there_again(
    stores: AuditedStores, logs: LoopStores, factory: EngineFactory
) -> None:
    receipt = erasure.erase_with_receipt(stores, "shop", ADA)
    play(loops.find_loop(stores, "shop"), logs, factory, first=100)
    found = erasure.check_receipt(stores, receipt, criteria=ADA)
    assert not found.erased
    assert "meet the criteria" in found.problems[0]


def test_models_of_evaluations_go_and_other_contents_stay(stores: AuditedStores, logs: LoopStores) -> None:
    logs.blobs.put("evaluation-abc-0", b"learned")
    logs.blobs.put("scorecard", b"numbers")
    erasure.erase_with_receipt(stores, "shop", ADA)
    assert logs.blobs.get("evaluation-abc-0") is None
    assert logs.blobs.get("scorecard") == b"numbers"


def test_without_a_match_nothing_changes(stores: AuditedStores, logs: LoopStores) -> None:
    before = logs.outcomes.counts()
    receipt = erasure.erase_with_receipt(stores, "shop", ErasureCriteria(where={"user": "nobody"}))
    assert (receipt.decisions, logs.outcomes.counts()) == ((), before)
    assert erasure.check_receipt(stores, receipt).forgotten


def test_its_audit_entry_holds_no_value(stores: AuditedStores) -> None:
    receipt = erasure.erase_with_receipt(stores, "shop", ADA)
    logged = stores.audit.last(1)[0].entry
    entry = json.loads(logged.after)
    assert (logged.action, entry["receiptId"], entry["decisions"]) == ("erase", receipt.receipt_id, 10)
    assert b"lovelace" not in logged.after


def test_a_locked_loop_is_not_erased(stores: AuditedStores, logs: LoopStores) -> None:
    lifecycle.lock(stores, "shop", against="change")
    with pytest.raises(LoopLocked):
        erasure.erase_with_receipt(stores, "shop", ADA)
    assert len(list(ADA.find(logs.events))) == 10


def test_nothing_is_not_everything(stores: AuditedStores) -> None:
    with pytest.raises(InvalidRequest):
        erasure.erase_with_receipt(stores, "shop", ErasureCriteria())


@pytest.mark.parametrize(
    ("numbers", "text"), [((), ""), ((3,), "3"), ((1, 2, 3, 7, 9, 10), "1-3, 7, 9-10"), ((2, 1), "1-2")]
)
def test_numbers_are_formatted_as_ranges(numbers: tuple[int, ...], text: str) -> None:
    assert erasure_receipts.format_ranges(numbers) == text


class Broken(AuditedStores):
    """Stores that can't open one loop."""

    def open(self, loop: Loop, /) -> LoopStores:
        if loop.name == "a-broken":
            raise StoreUnavailable("The folder can't be opened.")
        return super().open(loop)


def test_a_loop_that_can_not_be_opened_keeps_no_other_from_forgetting(
    stores: AuditedStores, logs: LoopStores, factory: EngineFactory
) -> None:
    before = model_ids(logs)
    erasure.erase_with_receipt(stores, "shop", ADA)
    instance.learn(loops.find_loop(stores, "shop"), logs, factory, ahead_s=1200)
    loops.create_loop(stores, "a-broken", loop_id="0" * 32)
    visits = LoopVisits("models_not_forgotten", stores.catalog)
    for _ in range(2):
        kept = KeptLoopStores(Broken(stores.wrapped, "a test"))
        erasure.forget_everywhere(kept, stores.catalog.loops(), visits=visits)
    assert not before & model_ids(logs)
    assert visits.failures == {"0" * 32: "The folder can't be opened."}
