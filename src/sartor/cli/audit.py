"""``sartor audit``: who changed what, and whether the audit log is complete."""

from collections.abc import Sequence
from typing import Annotated

import typer

from sartor.cli import formatting
from sartor.cli.options import DEFAULTS, AsJson, Data
from sartor.records import LoggedAuditEntry
from sartor.times import format_timestamp

_LONGEST = 160

OneLoop = Annotated[
    str | None,
    typer.Option("--loop", envvar="SARTOR_LOOP", help="Only changes of this loop.", metavar="NAME"),
]
Last = Annotated[
    int, typer.Option("--last", envvar="SARTOR_LAST", help="How many of the newest changes.", min=1)
]
Verify = Annotated[
    bool,
    typer.Option(
        "--verify",
        envvar="SARTOR_VERIFY",
        help="Check that no entry was changed, removed or inserted; exit code 1 if one was.",
        show_default=False,
    ),
]
Expect = Annotated[
    str | None,
    typer.Option(
        "--expect",
        envvar="SARTOR_EXPECT",
        help="With --verify: a digest noted earlier; the log must still contain it.",
        metavar="DIGEST",
    ),
]


def audit(
    loop: OneLoop = None,
    last: Last = 50,
    verify: Verify = False,
    expect: Expect = None,
    data: Data = DEFAULTS.data,
    as_json: AsJson = False,
) -> None:
    """Print the audit log: who changed which loop, when and how; oldest first. It never contains keys.

    --json prints everything. Each entry has a digest of itself and all entries before it. Keep the last one
    elsewhere, and --verify --expect shows later that no entry was removed.
    """
    from sartor.management import audit_log
    from sartor.runtime import compose

    with compose.open_instance(data) as stores:
        if verify:
            verification = audit_log.verify_audit(stores.audit, expect=expect)
            formatting.print_result(verification, verification.sentence, as_json=as_json)
            if not verification.whole:
                raise typer.Exit(1)
            return
        entries = audit_log.read_newest(stores, last, loop=loop)
    _print_entries(entries, as_json=as_json)


def _print_entries(entries: Sequence[LoggedAuditEntry], *, as_json: bool) -> None:
    from sartor.api.control import wire

    if as_json:
        formatting.print_json([wire.to_activity_line(logged) for logged in entries])
    elif entries:
        rows = [
            (
                logged.seq,
                format_timestamp(logged.at_us),
                logged.entry.by,
                logged.entry.action,
                logged.entry.loop,
                _shorten(f"{logged.entry.before.decode()} -> {logged.entry.after.decode()}"),
            )
            for logged in entries
        ]
        formatting.print_table(("#", "WHEN", "WHO", "WHAT", "LOOP", "BEFORE -> AFTER"), rows)
    else:
        formatting.print_text("Nothing has been changed yet.")


def _shorten(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
