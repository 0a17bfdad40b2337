"""``sartor erase``: erases the data of a person from a loop, with a receipt that can be checked."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from sartor.cli import formatting
from sartor.cli.options import DEFAULTS, AsJson, Data, LoopName, Yes, parse_named_values
from sartor.errors import InvalidReceipt

if TYPE_CHECKING:
    from sartor.management.erasure_criteria import ErasureCriteria
    from sartor.management.erasure_receipts import ErasureReceiptRecord
    from sartor.stores.audited import AuditedStores

Where = Annotated[
    list[str] | None,
    typer.Option(
        "--where",
        envvar="SARTOR_WHERE",
        help="A feature and its value; can be repeated: all must match.",
        metavar="PATH=VALUE",
    ),
]
EventIds = Annotated[
    list[str] | None,
    typer.Option("--event-id", envvar="SARTOR_EVENT_ID", help="An event; can be repeated.", metavar="ID"),
]
Write = Annotated[
    Path | None,
    typer.Option("--receipt", envvar="SARTOR_RECEIPT", help="Write the receipt to this file.", metavar="FILE"),
]
Check = Annotated[
    Path | None,
    typer.Option(
        "--check",
        envvar="SARTOR_CHECK",
        help="Erase nothing: check that this receipt is still true. Exit code 1: it is not.",
        metavar="FILE",
    ),
]
Listed = Annotated[
    bool,
    typer.Option(
        "--list",
        envvar="SARTOR_LIST",
        help="Erase nothing: list the erasures that had to wait for open decisions.",
        show_default=False,
    ),
]


def erase(
    name: LoopName,
    where: Where = None,
    event_ids: EventIds = None,
    receipt: Write = None,
    check: Check = None,
    list_: Listed = False,
    data: Data = DEFAULTS.data,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Erase decisions by features or event ids, for example: sartor erase default --where user.id=42.

    Their features and event ids, and those of their rewards and outcomes, are gone from the log when this
    returns. The model is relearned without them at once; models that had learned them are removed when the new
    one serves. Decisions that are not settled yet are kept, and counted; a running service erases them as soon
    as they are, and --list shows how far it is.
    """
    from sartor.management.erasure_criteria import ErasureCriteria
    from sartor.runtime import compose

    criteria = ErasureCriteria(where=parse_named_values(where), event_ids=tuple(event_ids or ()))
    with compose.open_instance(data) as stores:
        if list_:
            _print_list(stores, name, as_json=as_json)
            return
        if check is not None:
            _check(stores, check, criteria if where or event_ids else None, as_json=as_json)
            return
        criteria.check()
        if not yes:
            typer.confirm(f"Erase this from the loop {name!r} permanently?", abort=True, err=True)
        _erase(stores, name, criteria, receipt, as_json=as_json)


def _erase(
    stores: "AuditedStores", name: str, criteria: "ErasureCriteria", path: Path | None, *, as_json: bool
) -> None:
    from sartor.management import erasure

    record = erasure.erase_with_receipt(stores, name, criteria)
    if path is not None:
        text = msgspec.json.format(msgspec.json.encode(record), indent=2)
        formatting.write_file(path, text + b"\n")
    formatting.print_result(record, _describe(record), as_json=as_json)


def _print_list(stores: "AuditedStores", name: str, *, as_json: bool) -> None:
    from sartor.management import erasure, loops

    found = erasure.list_incomplete(stores, loops.find_loop(stores, name))
    if as_json:
        formatting.print_json(found)
        return
    rows = [
        (one.receipt_id, one.at, len(one.decisions), len(one.still_open), one.retry_after or "complete")
        for one in found
    ]
    formatting.print_table(("RECEIPT", "AT", "ERASED", "STILL OPEN", "TRIED AGAIN AFTER"), rows)


def _describe(record: "ErasureReceiptRecord") -> str:
    erased, kept = len(record.decisions), len(record.still_open)
    text = f"{erased} decisions of the loop {record.loop!r} are erased (receipt {record.receipt_id})."
    if not kept:
        return text
    return (
        f"{text} {kept} are not settled yet and were kept: a running service erases them after "
        f"{record.retry_after}; without one, repeat the command then."
    )


def _check(stores: "AuditedStores", path: Path, criteria: "ErasureCriteria | None", *, as_json: bool) -> None:
    from sartor.management import erasure, erasure_receipts

    try:
        text = path.read_bytes()
    except OSError as error:
        raise InvalidReceipt(f"{path} can't be read: {error.strerror}.") from error
    checked = erasure.check_receipt(stores, erasure_receipts.parse_receipt(stores, text), criteria=criteria)
    sentence = " ".join((*checked.problems, *checked.notes)) or "The receipt is true."
    formatting.print_result(checked, sentence, as_json=as_json)
    if checked.problems:
        raise typer.Exit(1)
