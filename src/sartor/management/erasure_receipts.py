"""The receipt of an erasure: what was erased, without what it was, sealed so that a forged one shows."""

import hmac
import secrets
from collections.abc import Sequence
from hashlib import sha256

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from sartor.errors import InvalidReceipt
from sartor.management.erasure_criteria import ErasureCriteria
from sartor.ports import Stores

_SECRET = "receipts"


class ErasureReceiptRecord(Struct, frozen=True, kw_only=True, rename="camel"):
    """An erasure in one loop. It holds none of the erased values.

    Attributes:
        receipt_id: its own id.
        loop: the name of the loop.
        loop_id: its id.
        by: who asked.
        at: when, ISO 8601.
        criteria: a keyed digest of what was asked for; the same words give the same digest.
        decisions: the numbers of the decisions that were blanked.
        still_open: those that were meant, but not settled yet: they are left, and it must be asked again.
        revision: of the outcome log after it; models of an earlier one had learned what was erased.
        seal: what the instance says to all of the above.
    """

    receipt_id: str
    loop: str
    loop_id: str
    by: str
    at: str
    criteria: str
    decisions: tuple[int, ...]
    still_open: tuple[int, ...]
    revision: int
    seal: str = ""


def sign_receipt(stores: Stores, receipt: ErasureReceiptRecord, /) -> ErasureReceiptRecord:
    """The receipt with the seal of this instance."""
    return replace(receipt, seal=_mac(stores, _words(receipt)))


def parse_receipt(stores: Stores, text: bytes, /) -> ErasureReceiptRecord:
    """A receipt that this instance wrote.

    Raises:
        InvalidReceipt: it did not, or the receipt was changed since.
    """
    try:
        receipt = msgspec.json.decode(text, type=ErasureReceiptRecord)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidReceipt(f"This is no receipt: {error}.") from error
    if not hmac.compare_digest(receipt.seal, _mac(stores, _words(receipt))):
        raise InvalidReceipt
    return receipt


def keyed_digest(stores: Stores, criteria: ErasureCriteria, /) -> str:
    """The keyed digest of what is meant; who has no key can't try values on it."""
    canonical = (sorted(criteria.where.items()), sorted(criteria.event_ids))
    return _mac(stores, b"criteria" + msgspec.json.encode(canonical))


def format_ranges(numbers: Sequence[int], /) -> str:
    """Numbers for people: ``1-3, 7``."""
    parts: list[list[int]] = []
    for number in sorted(numbers):
        if parts and number == parts[-1][1] + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ", ".join(f"{first}" if first == last else f"{first}-{last}" for first, last in parts)


def _words(receipt: ErasureReceiptRecord) -> bytes:
    return b"receipt" + msgspec.json.encode(replace(receipt, seal=""))


def _mac(stores: Stores, words: bytes) -> str:
    key = stores.secret(_SECRET, lambda: secrets.token_bytes(32))
    return hmac.new(key, words, sha256).hexdigest()
