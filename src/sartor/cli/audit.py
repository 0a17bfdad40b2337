"""``sartor audit``: who changed what, and whether that record is whole."""

from collections.abc import Sequence
from typing import Annotated

import typer

from sartor.cli import printing
from sartor.cli.options import DEFAULTS, AsJson, Data
from sartor.dsjson.observations import format_timestamp
from sartor.records import LoggedActivity

_SHOWN = 160

OneLoop = Annotated[
    str | None,
    typer.Option("--loop", envvar="SARTOR_LOOP", help="Only what was done to this loop.", metavar="NAME"),
]
Last = Annotated[int, typer.Option("--last", envvar="SARTOR_LAST", help="How many of the newest deeds.", min=1)]
Verify = Annotated[
    bool,
    typer.Option(
        "--verify",
        envvar="SARTOR_VERIFY",
        help="Check that no line was changed, removed or put in between; exit code 1 if one was.",
        show_default=False,
    ),
]
Expect = Annotated[
    str | None,
    typer.Option(
        "--expect",
        envvar="SARTOR_EXPECT",
        help="With --verify: a digest that was noted before; the record must still contain it.",
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
    """Print who did what to which loop, when, and what it changed; oldest first. Keys are never in it.

    --json has all of it. Each line carries a digest of itself and all before it. Note the last one elsewhere,
    and --verify --expect shows later that nothing was taken from the record.
    """
    from sartor.management import audit_log
    from sartor.runtime import compose

    with compose.open_instance(data) as stores:
        if verify:
            checked = audit_log.verify_audit(stores.audit, expect=expect)
            printing.result(checked, checked.sentence, as_json=as_json)
            if not checked.whole:
                raise typer.Exit(1)
            return
        found = audit_log.read_newest(stores, last, loop=loop)
    _show(found, as_json=as_json)


def _show(found: Sequence[LoggedActivity], *, as_json: bool) -> None:
    from sartor.api.control import wire

    if as_json:
        printing.json([wire.to_activity_line(one) for one in found])
    elif found:
        rows = [
            (
                line.seq,
                format_timestamp(line.at_us),
                line.activity.by,
                line.activity.action,
                line.activity.loop,
                _short(f"{line.activity.before.decode()} -> {line.activity.after.decode()}"),
            )
            for line in found
        ]
        printing.table(("#", "WHEN", "WHO", "WHAT", "LOOP", "BEFORE -> AFTER"), rows)
    else:
        printing.say("Nothing was changed yet.")


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
