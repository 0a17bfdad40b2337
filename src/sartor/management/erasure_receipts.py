"""Receipts of erasures: which decisions were erased, without their values, signed so that forgery shows."""

import hmac
import secrets
from collections.abc import Sequence
from hashlib import sha256

import msgspec
from msgspec import UNSET, Struct, UnsetType
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
        by: the caller.
        at: when, ISO 8601.
        criteria: a keyed digest of the criteria; the same criteria give the same digest.
        decisions: the numbers of the decisions that were blanked.
        still_open: those that met the criteria but were not settled yet; the service tries them again.
        revision: of the outcome log afterwards; models of an earlier one had learned what was erased.
        retry_after: when they are tried again, ISO 8601; UNSET where none is open.
        seal: an HMAC of all of the above with a secret of the instance.
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
    retry_after: str | UnsetType = UNSET
    seal: str = ""


def sign_receipt(stores: Stores, receipt: ErasureReceiptRecord, /) -> ErasureReceiptRecord:
    """Returns the receipt with the seal of this instance."""
    return replace(receipt, seal=_sign(stores, _to_signed_bytes(receipt)))


def parse_receipt(stores: Stores, text: bytes, /) -> ErasureReceiptRecord:
    """Decode a receipt and check its seal.

    Raises:
        InvalidReceipt: this instance did not write it, or it was changed since.
    """
    try:
        receipt = msgspec.json.decode(text, type=ErasureReceiptRecord)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidReceipt(f"This is no receipt: {error}.") from error
    if not hmac.compare_digest(receipt.seal, _sign(stores, _to_signed_bytes(receipt))):
        raise InvalidReceipt
    return receipt


def keyed_digest(stores: Stores, criteria: ErasureCriteria, /) -> str:
    """Returns a keyed digest of the criteria; without the key nobody can test values against it."""
    canonical = (sorted(criteria.where.items()), sorted(criteria.event_ids))
    return _sign(stores, b"criteria" + msgspec.json.encode(canonical))


def format_ranges(numbers: Sequence[int], /) -> str:
    """Formats numbers as ranges: ``1-3, 7``."""
    parts: list[list[int]] = []
    for number in sorted(numbers):
        if parts and number == parts[-1][1] + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ", ".join(f"{first}" if first == last else f"{first}-{last}" for first, last in parts)


def _to_signed_bytes(receipt: ErasureReceiptRecord) -> bytes:
    return b"receipt" + msgspec.json.encode(replace(receipt, seal=""))


def _sign(stores: Stores, content: bytes) -> str:
    key = stores.secret(_SECRET, lambda: secrets.token_bytes(32))
    return hmac.new(key, content, sha256).hexdigest()
