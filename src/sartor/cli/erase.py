"""``sartor erase``: take back what was decided for somebody, with a receipt that can be checked."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from sartor.cli import printing
from sartor.cli.lifecycle import named_values
from sartor.cli.options import DEFAULTS, AsJson, Data, LoopName
from sartor.errors import InvalidReceipt, StoreUnavailable

if TYPE_CHECKING:
    from sartor.management.erasure_criteria import ErasureCriteria
    from sartor.management.erasure_receipts import ErasureReceiptRecord
    from sartor.stores.audited import AuditedStores

Where = Annotated[
    list[str] | None,
    typer.Option(
        "--where",
        envvar="SARTOR_WHERE",
        help="A feature and its value; given again, all must hold.",
        metavar="PATH=VALUE",
    ),
]
EventIds = Annotated[
    list[str] | None,
    typer.Option("--event-id", envvar="SARTOR_EVENT_ID", help="An event; may be given again.", metavar="ID"),
]
Write = Annotated[
    Path | None,
    typer.Option("--receipt", envvar="SARTOR_RECEIPT", help="Write the receipt here.", metavar="FILE"),
]
Check = Annotated[
    Path | None,
    typer.Option(
        "--check",
        envvar="SARTOR_CHECK",
        help="Erase nothing: check that what this receipt says is so. Exit code 1: it is not.",
        metavar="FILE",
    ),
]


def erase(
    name: LoopName,
    where: Where = None,
    event_ids: EventIds = None,
    receipt: Write = None,
    check: Check = None,
    data: Data = DEFAULTS.data,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", envvar="SARTOR_YES", help="Don't ask.", show_default=False)
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Erase decisions by features or event ids, for example: sartor erase default --where user.id=42.

    Their features and event ids, and those of their rewards and outcomes, are gone from the log when this
    returns. The model is learned again without them at once; those that had learned them are removed when the
    new one serves. Decisions that are not settled yet are left, and counted: repeat it for them.
    """
    from sartor.management.erasure_criteria import ErasureCriteria
    from sartor.runtime import compose

    criteria = ErasureCriteria(where=named_values(where), event_ids=tuple(event_ids or ()))
    with compose.open_instance(data) as stores:
        if check is not None:
            _check(stores, check, criteria if where or event_ids else None, as_json=as_json)
            return
        criteria.check()
        if not yes:
            typer.confirm(f"Erase this from the loop {name!r} for good?", abort=True, err=True)
        _erase(stores, name, criteria, receipt, as_json=as_json)


def _erase(
    stores: "AuditedStores", name: str, criteria: "ErasureCriteria", path: Path | None, *, as_json: bool
) -> None:
    from sartor.management import erasure

    done = erasure.erase_with_receipt(stores, name, criteria)
    text = msgspec.json.format(msgspec.json.encode(done), indent=2)
    if path is not None:
        try:
            path.write_bytes(text + b"\n")
        except OSError as error:
            raise StoreUnavailable(f"{path} can't be written: {error.strerror}.") from error
    printing.result(done, _sentence(done), as_json=as_json)


def _sentence(done: "ErasureReceiptRecord") -> str:
    said = f"{len(done.decisions)} decisions of the loop {done.loop!r} are erased (receipt {done.receipt_id})."
    if done.still_open:
        said += f" {len(done.still_open)} are not settled yet and were left: repeat it later."
    return said


def _check(stores: "AuditedStores", path: Path, criteria: "ErasureCriteria | None", *, as_json: bool) -> None:
    from sartor.management import erasure, erasure_receipts

    try:
        text = path.read_bytes()
    except OSError as error:
        raise InvalidReceipt(f"{path} can't be read: {error.strerror}.") from error
    found = erasure.check_receipt(stores, erasure_receipts.parse_receipt(stores, text), criteria=criteria)
    sentence = " ".join((*found.problems, *found.notes)) or "All that the receipt says is so."
    printing.result(found, sentence, as_json=as_json)
    if found.problems:
        raise typer.Exit(1)
