"""The bodies of the control plane."""

from datetime import date
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from sartor.management.erasure_receipts import ErasureReceiptRecord
from sartor.management.reward_corrections import RewardCorrection
from sartor.management.usage import UsageByDay
from sartor.numbers import LARGEST_REWARD
from sartor.ports import Loop
from sartor.records import LoggedAuditEntry
from sartor.settings import Lock, LoopTerms, Tier
from sartor.times import format_timestamp

Name = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=63,
        description="Small letters, digits, - and _.",
        extra_json_schema={"pattern": "^[a-z0-9][a-z0-9_-]*$"},
    ),
]


class LoopResource(Struct, frozen=True, kw_only=True, rename="camel"):
    """A loop as a resource, without its keys."""

    name: str
    loop_id: str
    created_at: Annotated[str, Meta(description="ISO 8601, UTC.")]
    version: Annotated[int, Meta(description="Grows with every change.")]
    endpoint: Annotated[str, Meta(description="The path that addresses it, for clients with tokens.")]
    terms: LoopTerms


class NewLoop(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A loop to be made."""

    name: Name
    tier: Tier = "S0"
    tags: dict[str, str] = {}


class TermsChange(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Terms to be changed; what is left out stays. ``tags`` and ``allowedNetworks`` are replaced as a whole."""

    tier: Tier | msgspec.UnsetType = msgspec.UNSET
    tags: dict[str, str] | msgspec.UnsetType = msgspec.UNSET
    lock: Lock | msgspec.UnsetType = msgspec.UNSET
    allowed_networks: list[str] | msgspec.UnsetType = msgspec.UNSET
    ranks_per_second: int | msgspec.UnsetType | None = msgspec.UNSET
    ranks_per_month: int | msgspec.UnsetType | None = msgspec.UNSET


class LoopKeys(Struct, frozen=True):
    """The two keys of a loop; either works."""

    key1: str
    key2: str


class DeletedLoop(Struct, frozen=True, kw_only=True, rename="camel"):
    """A loop that was deleted and can be brought back."""

    name: str
    loop_id: str
    recoverable_until: Annotated[str, Meta(description="ISO 8601, UTC.")]


class Recovery(Struct, frozen=True, kw_only=True, rename="camel"):
    """Under which name a loop comes back; by default its own."""

    name: Name | None = None


class UsageDay(Struct, frozen=True, kw_only=True):
    """What was asked of a loop on one day (UTC)."""

    loop: str
    day: date
    ranks: Annotated[int, Meta(description="The transactions that the retired service billed.")]
    rewards: int


class ActivityLine(Struct, frozen=True, kw_only=True, rename="camel"):
    """Who did what, when, and what it changed."""

    number: int
    at: Annotated[str, Meta(description="ISO 8601, UTC.")]
    by: str
    action: str
    loop: str
    loop_id: str
    before: Annotated[msgspec.Raw, Meta(description="What it took away; null: nothing.")]
    after: Annotated[msgspec.Raw, Meta(description="What it put there; null: nothing.")]
    digest: Annotated[str, Meta(description="Of this line and all before it, in hex.")]


class Correction(Struct, frozen=True, kw_only=True, rename="camel"):
    """The right reward of a settled event."""

    value: Annotated[
        Annotated[float, Meta(ge=-LARGEST_REWARD, le=LARGEST_REWARD)] | None,
        Meta(description="null: take it back."),
    ]
    slot_id: str | None = None


class CorrectionResult(Struct, frozen=True, kw_only=True, rename="camel"):
    """What a correction did: at once in the log, in the model when its ``revision`` is learned."""

    event_id: str
    slot_id: str | None
    before: tuple[float, ...]
    after: tuple[float, ...]
    revision: int


class ErasureRequest(Struct, frozen=True, kw_only=True, rename="camel"):
    """What to erase: decisions whose features have all these values, or with these event ids."""

    where: Annotated[dict[str, str], Meta(description="Paths of features, such as user.id, and values.")] = {}
    event_ids: tuple[str, ...] = ()


class ErasureReceipt(Struct, frozen=True, kw_only=True, rename="camel"):
    """What was erased, without what it was; ``sartor erase --check`` says whether it is so."""

    receipt_id: str
    loop: str
    loop_id: str
    by: str
    at: str
    criteria: Annotated[str, Meta(description="A keyed digest of what was asked.")]
    decisions: tuple[int, ...]
    still_open: Annotated[
        tuple[int, ...], Meta(description="Not settled yet, and left; the service tries them again.")
    ]
    revision: int
    retry_after: Annotated[
        str | msgspec.UnsetType, Meta(description="When they are tried again (ISO 8601, UTC), if any is open.")
    ] = msgspec.UNSET
    seal: str


def to_activity_line(logged: LoggedAuditEntry, /) -> ActivityLine:
    """Convert a line of the audit log."""
    entry = logged.entry
    return ActivityLine(
        number=logged.seq,
        at=format_timestamp(logged.at_us),
        by=entry.by,
        action=entry.action,
        loop=entry.loop,
        loop_id=entry.loop_id,
        before=msgspec.Raw(entry.before),
        after=msgspec.Raw(entry.after),
        digest=logged.digest.hex(),
    )


def to_loop_resource(loop: Loop, /) -> LoopResource:
    """Convert a loop to its resource."""
    return LoopResource(
        name=loop.name,
        loop_id=loop.loop_id,
        created_at=format_timestamp(loop.created_at_us),
        version=loop.version,
        endpoint=f"/loops/{loop.name}",
        terms=loop.terms,
    )


def to_loop_keys(loop: Loop, /) -> LoopKeys:
    """Take the two keys out of a loop."""
    return LoopKeys(loop.key1, loop.key2)


def to_deleted_loop(loop: Loop, /) -> DeletedLoop:
    """Convert a loop that was deleted."""
    return DeletedLoop(
        name=loop.name, loop_id=loop.loop_id, recoverable_until=format_timestamp(loop.recoverable_until_us)
    )


def to_usage_day(day: UsageByDay, /) -> UsageDay:
    """Convert the usage of a loop on one day."""
    return UsageDay(loop=day.loop, day=day.day, ranks=day.ranks, rewards=day.rewards)


def to_correction_result(correction: RewardCorrection, /) -> CorrectionResult:
    """Convert what a correction of a reward did."""
    return CorrectionResult(
        event_id=correction.event_id,
        slot_id=correction.slot_id,
        before=correction.before,
        after=correction.after,
        revision=correction.revision,
    )


def to_erasure_receipt(receipt: ErasureReceiptRecord, /) -> ErasureReceipt:
    """Convert the receipt of an erasure."""
    return ErasureReceipt(**{field: getattr(receipt, field) for field in receipt.__struct_fields__})
