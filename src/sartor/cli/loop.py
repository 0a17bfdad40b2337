"""``sartor loop``: create loops, list them, change them, choose the model that serves."""

from collections.abc import Callable, Mapping
from typing import Annotated

import msgspec
import typer

from sartor.cli import formatting, lifecycle
from sartor.cli.options import DEFAULTS, AsJson, Data, LoopName, parse_named_values
from sartor.errors import InvalidSetting
from sartor.numbers import parse_whole
from sartor.settings import LARGEST_QUOTA, Lock, Tier

app = typer.Typer(
    help="Create, list, show and change loops. A loop is one personalization problem: it has its own keys, "
    "settings, log and models. A running service follows within a second.",
    no_args_is_help=True,
)

ModelId = Annotated[str, typer.Argument(help="A model id from 'sartor loop models'.", metavar="MODEL")]
Arguments = Annotated[
    str | None,
    typer.Argument(
        help="New learning settings, in quotes, for example '--cb_explore_adf --squarecb -q ::'.",
        metavar="[ARGUMENTS]",
        show_default=False,
    ),
]
LoopId = Annotated[
    str | None,
    typer.Option(
        "--id",
        envvar="SARTOR_LOOP_ID",
        help="The loop id, which seeds the draws: two loops with the same id draw the same actions. By default "
        "a new one.",
        metavar="ID",
        show_default=False,
    ),
]
Changes = Annotated[
    list[str], typer.Argument(help="Settings and their new values.", metavar="SETTING=VALUE ...")
]
TierFlag = Annotated[
    Tier, typer.Option("--tier", envvar="SARTOR_TIER", help="The pricing tier; only F0 has quotas.")
]
TagFlags = Annotated[
    list[str] | None,
    typer.Option("--tag", envvar="SARTOR_TAG", help="A tag; can be repeated.", metavar="NAME=VALUE"),
]
Tags = Annotated[
    list[str] | None,
    typer.Argument(help="Tags to set; NAME= removes one.", metavar="NAME=VALUE ...", show_default=False),
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
_QUOTA_HELP = "A number, 'none' for no limit, or 'tier' for the quota of the tier."
PerSecond = Annotated[
    str | None, typer.Option("--ranks-per-second", envvar="SARTOR_RANKS_PER_SECOND", help=_QUOTA_HELP)
]
PerMonth = Annotated[
    str | None, typer.Option("--ranks-per-month", envvar="SARTOR_RANKS_PER_MONTH", help=_QUOTA_HELP)
]
Against = Annotated[
    Lock, typer.Option("--against", envvar="SARTOR_AGAINST", help="'delete', or 'change' for both.")
]


def create(
    name: LoopName,
    tier: TierFlag = "S0",
    tags: TagFlags = None,
    loop_id: LoopId = None,
    data: Data = DEFAULTS.data,
    as_json: AsJson = False,
) -> None:
    """Create a loop, and print its endpoint and its keys."""
    from sartor.management import lifecycle
    from sartor.runtime import compose

    terms = {"tier": tier, "tags": parse_named_values(tags)}
    with compose.open_instance(data, must_exist=False) as stores:
        loop = lifecycle.create_on_terms(stores, name, terms=terms, loop_id=loop_id)
        formatting.print_keys(loop, data, as_json=as_json)


def list_(data: Data = DEFAULTS.data, as_json: AsJson = False) -> None:
    """List the loops."""
    from sartor.runtime import compose

    with compose.open_instance(data) as stores:
        formatting.print_loops(stores.catalog.loops(), as_json=as_json)


def show(name: LoopName, data: Data = DEFAULTS.data, as_json: AsJson = False) -> None:
    """Show a loop: its settings, its policy, the size of its log and the model that serves."""
    from sartor.management import loops
    from sartor.runtime import compose

    with compose.open_instance(data) as stores:
        loop = loops.find_loop(stores, name)
        with loops.open_loop(stores, loop) as logs:
            formatting.print_loop(loop, logs, as_json=as_json)


def keys(name: LoopName, data: Data = DEFAULTS.data, as_json: AsJson = False) -> None:
    """Print the endpoint and the two keys of a loop; either key works."""
    from sartor.management import loops
    from sartor.runtime import compose

    with compose.open_instance(data) as stores:
        formatting.print_keys(loops.find_loop(stores, name), data, as_json=as_json)


def rotate_key(
    name: LoopName,
    which: Annotated[
        int, typer.Option("--key", envvar="SARTOR_KEY_NUMBER", min=1, max=2, help="Which key to replace.")
    ] = 1,
    data: Data = DEFAULTS.data,
    as_json: AsJson = False,
) -> None:
    """Replace one of the two keys of a loop. The old one stops working within a second."""
    from sartor.management import loops
    from sartor.runtime import compose

    with compose.open_instance(data) as stores:
        loop = loops.rotate_key(stores, name, second=which == 2)
        formatting.print_keys(loop, data, as_json=as_json)


def set_(name: LoopName, changes: Changes, data: Data = DEFAULTS.data, as_json: AsJson = False) -> None:
    """Change settings, for example: sartor loop set default rewardWaitTime=PT10S learnWhen=reward.

    'sartor loop show NAME' lists them with their values. Durations are written PT10S, PT5M, PT1H, P1D.
    """
    from sartor.management import loops
    from sartor.runtime import compose

    with compose.open_instance(data) as stores:
        loop = loops.change_settings(stores, name, dict(map(_parse_change, changes)))
        formatting.print_settings(loop, as_json=as_json)


def _parse_change(text: str) -> tuple[str, object]:
    name, equals, value = text.partition("=")
    if not equals:
        raise InvalidSetting(f"{text!r} is not a change: write it as SETTING=VALUE.")
    return name, value


def policy(
    name: LoopName,
    arguments: Arguments = None,
    reset: Annotated[
        bool,
        typer.Option("--reset", envvar="SARTOR_RESET", help="Restore the default.", show_default=False),
    ] = False,
    data: Data = DEFAULTS.data,
    as_json: AsJson = False,
) -> None:
    """Show the learning settings of a loop as they serve, or replace them (--sartor, or Vowpal Wabbit's).

    The number after --epsilon and the setting explorationPercentage are one: whichever is set last counts.

    After a change the loop relearns the last days of its log (modelRetrainDays); until then the old model
    serves.
    """
    from sartor.management import loops
    from sartor.runtime import compose

    if reset and arguments is not None:
        raise typer.BadParameter("Specify either new learning settings or --reset.")
    change = reset or arguments is not None
    with compose.open_instance(data) as stores:
        loop = loops.set_policy(stores, name, arguments) if change else loops.find_loop(stores, name)
    formatting.print_policy(loop, as_json=as_json)


def models(name: LoopName, data: Data = DEFAULTS.data, as_json: AsJson = False) -> None:
    """List the models of a loop, newest first: how many outcomes each learned, and which one serves."""
    from sartor.management import loops
    from sartor.runtime import compose

    with compose.open_instance(data) as stores, loops.open_loop(stores, loops.find_loop(stores, name)) as logs:
        formatting.print_models(logs.models, as_json=as_json)


def promote(name: LoopName, model: ModelId, data: Data = DEFAULTS.data, as_json: AsJson = False) -> None:
    """Make a model of the history the live one, and keep it live.

    Training continues, but new models go live again only after: sartor loop set NAME modelAutoPublish=true.
    """
    from sartor.management import loops
    from sartor.runtime import compose

    with compose.open_instance(data) as stores:
        formatting.print_live_model(loops.promote_model(stores, name, model), name, as_json=as_json)


def rollback(name: LoopName, data: Data = DEFAULTS.data, as_json: AsJson = False) -> None:
    """Go back to the model before the live one, and keep it live.

    Training continues, but new models go live again only after: sartor loop set NAME modelAutoPublish=true.
    """
    from sartor.management import loops
    from sartor.runtime import compose

    with compose.open_instance(data) as stores:
        formatting.print_live_model(loops.roll_back(stores, name), name, as_json=as_json)


def tags(name: LoopName, changes: Tags = None, data: Data = DEFAULTS.data, as_json: AsJson = False) -> None:
    """Show the tags of a loop, or change some, for example: sartor loop tags default team=news stage=."""
    from sartor.management import lifecycle, loops
    from sartor.runtime import compose

    with compose.open_instance(data) as stores:
        if changes:
            new = {tag: value or None for tag, value in parse_named_values(changes).items()}
            loop = lifecycle.set_tags(stores, name, new)
        else:
            loop = loops.find_loop(stores, name)
    formatting.print_pairs(loop.terms.tags, as_json=as_json)


def lock(
    name: LoopName, against: Against = "delete", data: Data = DEFAULTS.data, as_json: AsJson = False
) -> None:
    """Lock a loop against deletion, or against every change. Ranks, rewards and learning continue."""
    _set_lock(name, against, data, as_json=as_json)


def unlock(name: LoopName, data: Data = DEFAULTS.data, as_json: AsJson = False) -> None:
    """Remove the lock of a loop."""
    _set_lock(name, "none", data, as_json=as_json)


def _set_lock(name: str, against: Lock, data: str, *, as_json: bool) -> None:
    from sartor.management import lifecycle
    from sartor.runtime import compose

    with compose.open_instance(data) as stores:
        terms = lifecycle.lock(stores, name, against=against).terms
    how = {"none": "not locked", "delete": "locked against deletion", "change": "locked against every change"}
    formatting.print_result(
        msgspec.to_builtins(terms), f"The loop {name!r} is {how[terms.lock]}.", as_json=as_json
    )


def networks(
    name: LoopName,
    allowed: Networks = None,
    everywhere: Everywhere = False,
    data: Data = DEFAULTS.data,
    as_json: AsJson = False,
) -> None:
    """Show the networks from which a loop may be called, or replace the list. Others are answered 403."""
    from sartor.management import lifecycle, loops
    from sartor.runtime import compose

    if everywhere and allowed:
        raise typer.BadParameter("Specify either networks or --everywhere.")
    with compose.open_instance(data) as stores:
        if everywhere or allowed:
            loop = lifecycle.set_terms(stores, name, {"allowedNetworks": allowed or []})
        else:
            loop = loops.find_loop(stores, name)
    sentence = ", ".join(loop.terms.allowed_networks) or "everywhere"
    formatting.print_result({"allowedNetworks": loop.terms.allowed_networks}, sentence, as_json=as_json)


def quota(
    name: LoopName,
    tier: Annotated[Tier | None, typer.Option("--tier", envvar="SARTOR_TIER", help="F0, S0 or E0.")] = None,
    per_second: PerSecond = None,
    per_month: PerMonth = None,
    data: Data = DEFAULTS.data,
    as_json: AsJson = False,
) -> None:
    """Show the quotas of a loop, or change them. Ranks over a quota are answered 429 with Retry-After."""
    from sartor.management import lifecycle, loops
    from sartor.runtime import compose

    changes: dict[str, object] = {} if tier is None else {"tier": tier}
    for term, text in (("ranksPerSecond", per_second), ("ranksPerMonth", per_month)):
        if text is not None:
            changes[term] = _parse_quota(text)
    with compose.open_instance(data) as stores:
        loop = lifecycle.set_terms(stores, name, changes) if changes else loops.find_loop(stores, name)
    terms = loop.terms
    quotas: dict[str, object] = {
        "tier": terms.tier,
        "ranksPerSecond": terms.quota_per_second or None,
        "ranksPerMonth": terms.quota_per_month or None,
    }
    if not as_json:
        quotas = {term: "no limit" if value is None else value for term, value in quotas.items()}
    formatting.print_pairs(quotas, as_json=as_json)


def _parse_quota(text: str) -> int | None:
    if text == "tier":
        return None
    if text == "none":
        return 0
    try:
        return parse_whole(text, low=1, high=LARGEST_QUOTA)
    except ValueError as error:
        raise InvalidSetting(f"A quota {error}; 'none' and 'tier' are accepted too.") from error


_COMMANDS: Mapping[str, Callable[..., None]] = {
    "create": create,
    "list": list_,
    "show": show,
    "delete": lifecycle.delete,
    "keys": keys,
    "rotate-key": rotate_key,
    "set": set_,
    "policy": policy,
    "models": models,
    "promote": promote,
    "rollback": rollback,
    "tags": tags,
    "lock": lock,
    "unlock": unlock,
    "networks": networks,
    "quota": quota,
    "deleted": lifecycle.deleted,
    "recover": lifecycle.recover,
    "purge": lifecycle.purge,
    "backup": lifecycle.backup,
    "restore": lifecycle.restore,
}
for _name, _command in _COMMANDS.items():
    _unknown = {"ignore_unknown_options": _name == "policy"}  # learning settings begin with dashes
    app.command(_name, context_settings=_unknown)(_command)
