"""Erasures that are not complete yet, because decisions were still open: kept, listed, and tried again.

Each is kept in the blob store of its loop as its receipt, which holds no erased value: it is there after a
restart. The work process tries it again when its ``retry_after`` has come, until nothing is open.
"""

from collections.abc import Callable, Sequence

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from sartor.log.settle import BEFORE_US, wait_us
from sartor.management.erasure_receipts import ErasureReceiptRecord
from sartor.ports import Loop, LoopStores
from sartor.times import SECOND_US, format_timestamp, parse_time_us

_PREFIX = "erasure-"
_COMPLETE = "erasure-complete-"
"""Names of those that are complete: the look for what is due, every few seconds, reads none of them."""

_KEPT = 100
"""How many complete receipts are kept of those that were incomplete at first."""

_GRACE_US = SECOND_US
"""How long settling may take after it is due."""

_decode = msgspec.json.Decoder(ErasureReceiptRecord).decode


def find_retry_us(loop: Loop, logs: LoopStores, open_: Sequence[int], /, *, now_us: int) -> int:
    """Returns when decisions that could not be erased can be: their windows have ended then.

    One that is settled can't be erased while a late observation of it waits to be read in its order: for two
    minutes at most behind one that may still meet its decision.
    """
    cursor = logs.outcomes.counts().cursor
    waiting = logs.events.observations(after=cursor.observations, limit=1)
    found = [one.at_us + BEFORE_US for one in waiting]
    for number in (one for one in open_ if logs.outcomes.find_outcome(one) is None):
        found += [head.at_us + wait_us(loop.settings) for head in logs.events.heads(after=number - 1, limit=1)]
    return max([now_us, *found]) + _GRACE_US


def keep_receipt(logs: LoopStores, receipt: ErasureReceiptRecord, /) -> None:
    """Keep the receipt of an erasure that is not complete, or has become so."""
    content = msgspec.json.encode(receipt)
    if receipt.still_open:
        logs.blobs.put(_PREFIX + receipt.receipt_id, content)
        return
    logs.blobs.put(_COMPLETE + receipt.receipt_id, content)
    # Afterwards: in between it is there twice, and another try erases nothing more.
    logs.blobs.delete(_PREFIX + receipt.receipt_id)


def list_receipts(logs: LoopStores, /) -> list[ErasureReceiptRecord]:
    """Returns the receipts that are incomplete, or were at first, in the order of their times."""
    return _read_receipts(logs, lambda name: name.startswith(_PREFIX))


def find_due(logs: LoopStores, /, *, now_us: int) -> list[ErasureReceiptRecord]:
    """Returns the incomplete receipts whose time to try again has come."""
    return [
        receipt for receipt in _read_receipts(logs, _is_incomplete) if _to_us(receipt.retry_after) <= now_us
    ]


def find_latest(logs: LoopStores, receipt_id: str, /) -> ErasureReceiptRecord | None:
    """Returns the receipt with this id as it is now; None: it was complete from the beginning."""
    content = logs.blobs.get(_COMPLETE + receipt_id) or logs.blobs.get(_PREFIX + receipt_id)
    return None if content is None else _decode(content)


def remove_old(logs: LoopStores, /) -> None:
    """Remove the oldest complete receipts above a number."""
    for receipt in _read_receipts(logs, lambda name: name.startswith(_COMPLETE))[:-_KEPT]:
        logs.blobs.delete(_COMPLETE + receipt.receipt_id)


def add_erased(
    receipt: ErasureReceiptRecord, /, *, open_: Sequence[int], revision: int, retry_us: int
) -> ErasureReceiptRecord:
    """Returns the receipt after another try, to be signed anew.

    Args:
        receipt: as it was.
        open_: which decisions are open still.
        revision: of the outcome log now.
        retry_us: when to try those again.
    """
    erased = set(receipt.decisions) | (set(receipt.still_open) - set(open_))
    return replace(
        receipt,
        decisions=tuple(sorted(erased)),
        still_open=tuple(open_),
        revision=revision,
        retry_after=format_timestamp(retry_us) if open_ else UNSET,
    )


def _read_receipts(logs: LoopStores, is_wanted: Callable[[str], bool]) -> list[ErasureReceiptRecord]:
    """The receipts with such names, in the order of their times."""
    contents = [logs.blobs.get(name) for name in logs.blobs.names() if is_wanted(name)]
    found = [_decode(one) for one in contents if one is not None]
    return sorted(found, key=lambda receipt: (receipt.at, receipt.receipt_id))


def _is_incomplete(name: str) -> bool:
    return name.startswith(_PREFIX) and not name.startswith(_COMPLETE)


def _to_us(text: str | UnsetType) -> int:
    return 0 if isinstance(text, UnsetType) else parse_time_us(text)
