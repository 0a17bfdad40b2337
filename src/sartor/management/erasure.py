"""Erases decisions with their observations and outcomes, and the models that learned them.

The values are gone from the log when ``erase`` returns. The trainer learns the log again without them; models
that had learned them are removed once the new one serves, by ``forget_models`` or by the work process.
"""

import secrets
from collections.abc import Sequence

from msgspec import UNSET, Struct

from sartor.errors import ModelInUse, ModelNotFound
from sartor.management import erasure_receipts, erasure_retries, loops
from sartor.management.erasure_criteria import ErasureCriteria
from sartor.management.erasure_receipts import ErasureReceiptRecord
from sartor.ports import Loop, LoopStores, Stores
from sartor.records import LoggedDecision, Model
from sartor.runtime.for_each_loop import LoopVisits, for_each_loop
from sartor.runtime.kept_stores import KeptLoopStores
from sartor.stores.audited import AuditedStores, audited, refuse_locked
from sartor.times import format_timestamp, now_us

_REVISION = "erased-revision"
_EVALUATIONS = "evaluation-"
_BLANK = b"[]"


class ReceiptCheck(Struct, frozen=True, kw_only=True, rename="camel"):
    """The result of the check of a receipt.

    ``erased``: nothing of the decisions is in the log. ``forgotten``: nor in any model whose bytes are kept and
    that was learned from the log. ``notes``: what can't be checked.
    """

    erased: bool
    forgotten: bool
    problems: tuple[str, ...]
    notes: tuple[str, ...] = ()


def erase_with_receipt(stores: AuditedStores, name: str, criteria: ErasureCriteria, /) -> ErasureReceiptRecord:
    """Erase the decisions that meet the criteria, with their observations and outcomes.

    Those that were still open are tried again by the work process. Without a match it lists no decisions.

    Raises:
        LoopNotFound: there is no such loop.
        LoopLocked: it is locked against changes.
        InvalidRequest: the criteria are empty.
        StoreUnavailable: not all is done; repeat it.
    """
    loop = loops.find_loop(stores, name)
    receipt = erase_decisions(stores, loop, criteria)
    note_erasure(stores, loop, receipt)
    return receipt


def erase_decisions(stores: AuditedStores, loop: Loop, criteria: ErasureCriteria, /) -> ErasureReceiptRecord:
    """The long part of ``erase_with_receipt``; it reads the whole log and does not use the catalog."""
    criteria.check()
    refuse_locked(loop)
    with loops.open_loop(stores, loop) as logs:
        selected = list(criteria.find(logs.events))
        open_ = set(stores.erase(loop, decisions=selected))
        erased = tuple(number for number in selected if number not in open_)
        receipt = _create_receipt(stores, loop, logs, criteria, erased, sorted(open_))
        if open_:
            erasure_retries.keep_receipt(logs, receipt)
        if erased:
            _delete_derived(logs, receipt.revision)
            forget_models(logs)
    return receipt


def list_incomplete(stores: Stores, loop: Loop, /) -> list[ErasureReceiptRecord]:
    """Returns the receipts of erasures that had to wait for open decisions, oldest first.

    One that is complete by now is listed as well, with nothing still open; the last hundred are kept.
    """
    with loops.open_loop(stores, loop) as logs:
        return erasure_retries.list_receipts(logs)


def retry_erasures(stores: Stores, loop: Loop, logs: LoopStores, /, *, at_us: int) -> None:
    """Try the erasures of a loop again that are due; their receipts are renewed under the same ids.

    Raises:
        StoreUnavailable: not all is done; the next call goes on.
    """
    for receipt in erasure_retries.find_due(logs, now_us=at_us):
        open_ = stores.erase(loop, decisions=receipt.still_open)
        revision = logs.outcomes.counts().revision
        retry_us = erasure_retries.find_retry_us(loop, logs, open_, now_us=at_us)
        new = erasure_retries.add_erased(receipt, open_=open_, revision=revision, retry_us=retry_us)
        new = erasure_receipts.sign_receipt(stores, new)
        if len(open_) < len(receipt.still_open):
            _delete_derived(logs, revision)
            note_erasure(audited(stores, receipt.by), loop, new)
        erasure_retries.keep_receipt(logs, new)
        erasure_retries.remove_old(logs)


def note_erasure(stores: AuditedStores, loop: Loop, receipt: ErasureReceiptRecord, /) -> None:
    """Write the audit entry of an erasure."""
    stores.note("erase", loop, after=_to_audit_entry(receipt))


def _create_receipt(
    stores: AuditedStores,
    loop: Loop,
    logs: LoopStores,
    criteria: ErasureCriteria,
    erased: Sequence[int],
    open_: Sequence[int],
) -> ErasureReceiptRecord:
    made = ErasureReceiptRecord(
        receipt_id=secrets.token_hex(8),
        loop=loop.name,
        loop_id=loop.loop_id,
        by=stores.by,
        at=format_timestamp(now_us()),
        criteria=erasure_receipts.keyed_digest(stores, criteria),
        decisions=tuple(erased),
        still_open=tuple(open_),
        revision=logs.outcomes.counts().revision,
        retry_after=_find_retry(loop, logs, open_) if open_ else UNSET,
    )
    return erasure_receipts.sign_receipt(stores, made)


def _find_retry(loop: Loop, logs: LoopStores, open_: Sequence[int]) -> str:
    return format_timestamp(erasure_retries.find_retry_us(loop, logs, open_, now_us=now_us()))


def _to_audit_entry(receipt: ErasureReceiptRecord) -> dict[str, object]:
    return {
        "receiptId": receipt.receipt_id,
        "criteria": receipt.criteria,
        "decisions": len(receipt.decisions),
        "stillOpen": len(receipt.still_open),
        "revision": receipt.revision,
    }


def _delete_derived(logs: LoopStores, revision: int) -> None:
    for name in logs.blobs.names():
        if name.startswith(_EVALUATIONS):
            logs.blobs.delete(name)
    logs.blobs.put(_REVISION, b"%d" % revision)


def forget_models(logs: LoopStores, /) -> bool:
    """Remove the models that had learned what was erased, as soon as one that has not is live.

    Returns:
        Whether none is left; False: the trainer has not caught up, or an old model is pinned.
    """
    stored = logs.blobs.get(_REVISION)
    if stored is None:
        return True
    revision, live = int(stored), logs.models.live()
    if live is not None and _had_learned(live, revision):
        return False
    for model in _find_tainted(logs, revision):
        try:
            logs.notes.remove(model.model_id)
        except ModelNotFound:
            continue
        except ModelInUse:
            return False
    logs.blobs.delete(_REVISION)
    return True


def forget_everywhere(kept: KeptLoopStores, every: Sequence[Loop], /, *, visits: LoopVisits) -> None:
    """Call ``forget_models`` in every loop; one that fails is logged and keeps no other from its turn.

    Args:
        kept: the stores of the loops, from call to call.
        every: the loops in service.
        visits: which of them failed.
    """

    def forget(loop: Loop) -> None:
        kept.call(loop, forget_models)

    kept.keep_only(every)
    for_each_loop(every, forget, visits=visits)


def retry_everywhere(
    stores: Stores, kept: KeptLoopStores, every: Sequence[Loop], /, *, visits: LoopVisits
) -> None:
    """Call ``retry_erasures`` in every loop; one that fails is logged and keeps no other from its turn.

    Args:
        stores: the instance's stores.
        kept: the stores of the loops, from call to call.
        every: the loops in service.
        visits: which of them failed.
    """

    def retry(loop: Loop) -> None:
        kept.call(loop, lambda logs: retry_erasures(stores, loop, logs, at_us=now_us()))

    kept.keep_only(every)
    for_each_loop(every, retry, visits=visits)


def check_receipt(
    stores: AuditedStores, receipt: ErasureReceiptRecord, /, *, criteria: ErasureCriteria | None = None
) -> ReceiptCheck:
    """Check whether an erasure is complete.

    Args:
        stores: those of the caller.
        receipt: one that ``erasure_receipts.parse_receipt`` accepted.
        criteria: those of the erasure; with them the whole log is searched once more.

    Raises:
        LoopNotFound: the loop was deleted, with everything in it.
    """
    loop = loops.find_loop(stores, receipt.loop)
    problems: list[str] = []
    with loops.open_loop(stores, loop) as logs:
        problems += _find_unerased(logs, receipt)
        problems += _find_still_open(logs, receipt)
        if criteria is not None:
            problems += _find_matches(stores, logs, receipt, criteria)
        notes = _find_unknown(logs)
        tainted = (
            [model.model_id for model in _find_tainted(logs, receipt.revision)] if receipt.decisions else []
        )
    erased = not problems
    if tainted:
        problems.append(f"Models that had learned what was erased: {', '.join(tainted)}.")
    return ReceiptCheck(erased=erased, forgotten=not tainted, problems=tuple(problems), notes=notes)


def _find_unerased(logs: LoopStores, receipt: ErasureReceiptRecord) -> list[str]:
    left = _list_unerased(logs, receipt.decisions)
    return [f"Decisions that are not blank: {erasure_receipts.format_ranges(left)}."] if left else []


def _find_still_open(logs: LoopStores, receipt: ErasureReceiptRecord) -> list[str]:
    left = _list_unerased(logs, receipt.still_open)
    if not left:
        return []
    latest = erasure_retries.find_latest(logs, receipt.receipt_id) or receipt
    when = f"; tried again after {latest.retry_after}" if latest.retry_after else ""
    return [f"Still open then, to be erased: {erasure_receipts.format_ranges(left)}{when}."]


def _list_unerased(logs: LoopStores, numbers: Sequence[int]) -> list[int]:
    return [
        number
        for number in numbers
        for logged in logs.events.decisions(after=number - 1, limit=1)
        if logged.seq == number and not _is_blank(logged)
    ]


def _find_unknown(logs: LoopStores) -> tuple[str, ...]:
    live = logs.models.live()
    if live is None or live.base_id is None:
        return ()
    return (
        f"The live model went on from model {live.base_id}, which was imported, or kept when the log was "
        "emptied. What that had learned before is not in the log; a reset of the model forgets it.",
    )


def _is_blank(logged: LoggedDecision) -> bool:
    decision = logged.decision
    blobs = [decision.context, *(action.features for action in decision.actions)]
    return not decision.event_id and all(blob == _BLANK for blob in blobs)


def _find_matches(
    stores: AuditedStores, logs: LoopStores, receipt: ErasureReceiptRecord, criteria: ErasureCriteria
) -> list[str]:
    if erasure_receipts.keyed_digest(stores, criteria) != receipt.criteria:
        return ["The receipt is for other criteria than these."]
    found = list(criteria.find(logs.events))
    return [f"Decisions that meet the criteria: {erasure_receipts.format_ranges(found)}."] if found else []


def _find_tainted(logs: LoopStores, revision: int) -> list[Model]:
    """The models whose bytes are kept and which learned a revision of the log before this one."""
    kept = {note.model_id for note in logs.notes.all()}
    return [one for one in logs.models.history() if one.model_id in kept and _had_learned(one, revision)]


def _had_learned(model: Model, revision: int) -> bool:
    return model.revision < revision and model.learned > 0
