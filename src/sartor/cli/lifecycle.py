"""The commands of ``sartor loop`` about a loop as a resource: tags, locks, quotas, networks, deletion."""

from typing import Annotated

import msgspec
import typer

from sartor.cli import printing
from sartor.cli.options import DEFAULTS, AsJson, Data, LoopName
from sartor.dsjson.observations import format_timestamp
from sartor.errors import InvalidSetting
from sartor.ports import Loop
from sartor.settings import Lock, Tier

TierFlag = Annotated[
    Tier, typer.Option("--tier", envvar="SARTOR_TIER", help="Which quotas it has; only F0 has any.")
]
TagFlags = Annotated[
    list[str] | None,
    typer.Option("--tag", envvar="SARTOR_TAG", help="A tag; may be given again.", metavar="NAME=VALUE"),
]
Tags = Annotated[
    list[str] | None,
    typer.Argument(help="Tags to put there; NAME= removes one.", metavar="NAME=VALUE ...", show_default=False),
]
Networks = Annotated[
    list[str] | None,
    typer.Argument(
        help="Networks in CIDR notation, such as 10.0.0.0/8.", metavar="CIDR ...", show_default=False
    ),
]
Everywhere = Annotated[
    bool,
    typer.Option("--everywhere", envvar="SARTOR_EVERYWHERE", help="Allow all networks.", show_default=False),
]
_SAY_QUOTA = "A number, 'none' for no limit, or 'tier' for what the tier has."
PerSecond = Annotated[
    str | None, typer.Option("--ranks-per-second", envvar="SARTOR_RANKS_PER_SECOND", help=_SAY_QUOTA)
]
PerMonth = Annotated[
    str | None, typer.Option("--ranks-per-month", envvar="SARTOR_RANKS_PER_MONTH", help=_SAY_QUOTA)
]
Against = Annotated[
    Lock, typer.Option("--against", envvar="SARTOR_AGAINST", help="'delete', or 'change' for both.")
]


def named_values(texts: list[str] | None, /) -> dict[str, str]:
    """``NAME=VALUE`` texts as a mapping.

    Raises:
        InvalidSetting: one has no equals sign, or no name.
    """
    found: dict[str, str] = {}
    for text in texts or ():
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise InvalidSetting(f"{text!r} is not a tag: write it as NAME=VALUE.")
        found[name] = value
    return found


def tags(name: LoopName, changes: Tags = None, data: Data = DEFAULTS.data, as_json: AsJson = False) -> None:
    """Show the tags of a loop, or change some, for example: sartor loop tags default team=news stage=."""
    from sartor.management import lifecycle, loops
    from sartor.runtime import compose

    with compose.open_instance(data) as stores:
        if changes:
            new = {tag: value or None for tag, value in named_values(changes).items()}
            loop = lifecycle.set_tags(stores, name, new)
        else:
            loop = loops.find_loop(stores, name)
    printing.pairs(loop.terms.tags, as_json=as_json)


def lock(
    name: LoopName, against: Against = "delete", data: Data = DEFAULTS.data, as_json: AsJson = False
) -> None:
    """Lock a loop against deletion, or against every change. Ranks, rewards and learning go on."""
    _locked(name, against, data, as_json=as_json)


def unlock(name: LoopName, data: Data = DEFAULTS.data, as_json: AsJson = False) -> None:
    """Take the lock of a loop away."""
    _locked(name, "none", data, as_json=as_json)


def _locked(name: str, against: Lock, data: str, *, as_json: bool) -> None:
    from sartor.management import lifecycle
    from sartor.runtime import compose

    with compose.open_instance(data) as stores:
        loop = lifecycle.lock(stores, name, against=against)
    how = {"none": "not locked", "delete": "locked against deletion", "change": "locked against every change"}
    printing.result(_terms(loop), f"The loop {name!r} is {how[loop.terms.lock]}.", as_json=as_json)


def networks(
    name: LoopName,
    allowed: Networks = None,
    everywhere: Everywhere = False,
    data: Data = DEFAULTS.data,
    as_json: AsJson = False,
) -> None:
    """Show from where a loop may be called, or replace the list. Others are answered 403."""
    from sartor.management import lifecycle, loops
    from sartor.runtime import compose

    if everywhere and allowed:
        raise typer.BadParameter("Give either networks or --everywhere.")
    with compose.open_instance(data) as stores:
        if everywhere or allowed:
            loop = lifecycle.set_terms(stores, name, {"allowedNetworks": allowed or []})
        else:
            loop = loops.find_loop(stores, name)
    listed = ", ".join(loop.terms.allowed_networks) or "everywhere"
    printing.result({"allowedNetworks": loop.terms.allowed_networks}, listed, as_json=as_json)


def quota(
    name: LoopName,
    tier: Annotated[Tier | None, typer.Option("--tier", envvar="SARTOR_TIER", help="F0, S0 or E0.")] = None,
    per_second: PerSecond = None,
    per_month: PerMonth = None,
    data: Data = DEFAULTS.data,
    as_json: AsJson = False,
) -> None:
    """Show how much a loop may rank, or change it. What is over it is answered 429 with Retry-After."""
    from sartor.management import lifecycle, loops
    from sartor.runtime import compose

    changes: dict[str, object] = {} if tier is None else {"tier": tier}
    for term, text in (("ranksPerSecond", per_second), ("ranksPerMonth", per_month)):
        if text is not None:
            changes[term] = _quota(text)
    with compose.open_instance(data) as stores:
        loop = lifecycle.set_terms(stores, name, changes) if changes else loops.find_loop(stores, name)
    terms = loop.terms
    shown: dict[str, object] = {
        "tier": terms.tier,
        "ranksPerSecond": terms.quota_per_second or None,
        "ranksPerMonth": terms.quota_per_month or None,
    }
    if not as_json:
        shown = {term: "no limit" if value is None else value for term, value in shown.items()}
    printing.pairs(shown, as_json=as_json)


def _quota(text: str) -> int | None:
    if text == "tier":
        return None
    if text == "none":
        return 0
    if not text.isdigit() or int(text) == 0:
        raise InvalidSetting(f"{text!r} is not a quota: give a number above 0, 'none' or 'tier'.")
    return int(text)


def deleted(data: Data = DEFAULTS.data, as_json: AsJson = False) -> None:
    """List the deleted loops that can still be brought back."""
    from sartor.management import lifecycle
    from sartor.runtime import compose

    with compose.open_instance(data) as stores:
        found = lifecycle.list_deleted(stores)
    if as_json:
        printing.json([gone(loop) for loop in found])
    elif found:
        rows = [(loop.name, loop.loop_id, format_timestamp(loop.recoverable_until_us)) for loop in found]
        printing.table(("LOOP", "ID", "RECOVERABLE UNTIL"), rows)
    else:
        printing.say("There is no deleted loop.")


def gone(loop: Loop, /) -> dict[str, object]:
    """A deleted loop for programs."""
    return {
        "deleted": loop.name,
        "loopId": loop.loop_id,
        "recoverableUntil": format_timestamp(loop.recoverable_until_us),
    }


def recover(
    name: Annotated[str, typer.Argument(help="The name or the id of a deleted loop.", metavar="NAME")],
    rename: Annotated[
        str | None,
        typer.Option("--as", envvar="SARTOR_AS", help="Another name, if its own is taken.", metavar="NAME"),
    ] = None,
    data: Data = DEFAULTS.data,
    as_json: AsJson = False,
) -> None:
    """Bring a deleted loop back, with its keys, its log and its models."""
    from sartor.management import lifecycle
    from sartor.runtime import compose

    with compose.open_instance(data) as stores:
        loop = lifecycle.recover(stores, name, rename=rename)
    value = {"name": loop.name, "loopId": loop.loop_id}
    printing.result(value, f"The loop {loop.name!r} is back.", as_json=as_json)


def purge(
    name: Annotated[str, typer.Argument(help="The name or the id of a deleted loop.", metavar="NAME")],
    data: Data = DEFAULTS.data,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", envvar="SARTOR_YES", help="Don't ask.", show_default=False)
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Remove a deleted loop with its log and its models, for good. A running service does it within seconds."""
    from sartor.management import lifecycle
    from sartor.runtime import compose

    with compose.open_instance(data) as stores:
        loop = lifecycle.find_deleted(stores, name)
        if not yes:
            typer.confirm(f"Remove the deleted loop {loop.name!r} for good?", abort=True, err=True)
        lifecycle.purge(stores, loop.loop_id)
    value = {"purged": loop.name, "loopId": loop.loop_id}
    printing.result(value, f"The loop {loop.name!r} is gone for good.", as_json=as_json)


def _terms(loop: Loop) -> object:
    return msgspec.to_builtins(loop.terms)


COMMANDS = (tags, lock, unlock, networks, quota, deleted, recover, purge)
