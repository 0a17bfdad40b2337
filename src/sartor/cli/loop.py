"""``sartor loop``: make loops, look at them, change them, choose the model that serves."""

from typing import Annotated

import typer

from sartor.cli import backup, formatting, lifecycle, printing
from sartor.cli.options import DEFAULTS, AsJson, Data, LoopName
from sartor.errors import InvalidSetting

app = typer.Typer(
    help="Make loops, look at them, change them. A loop is one personalization problem: it has its own keys, "
    "settings, log and models. A running service follows within a second.",
    no_args_is_help=True,
)

ModelId = Annotated[str, typer.Argument(help="An id from 'sartor loop models'.", metavar="MODEL")]
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
        help="The id, which seeds the draws: with that of another loop it draws as that one does. By default a "
        "new one.",
        metavar="ID",
        show_default=False,
    ),
]
Changes = Annotated[
    list[str], typer.Argument(help="Settings and their new values.", metavar="SETTING=VALUE ...")
]


@app.command("create")
def create(
    name: LoopName,
    tier: lifecycle.TierFlag = "S0",
    tags: lifecycle.TagFlags = None,
    loop_id: LoopId = None,
    data: Data = DEFAULTS.data,
    as_json: AsJson = False,
) -> None:
    """Make a loop, and print its endpoint and its keys."""
    from sartor.management import lifecycle as life
    from sartor.runtime import compose

    terms = {"tier": tier, "tags": lifecycle.named_values(tags)}
    with compose.open_instance(data, must_exist=False) as stores:
        formatting.keys(life.create(stores, name, terms=terms, loop_id=loop_id), data, as_json=as_json)


@app.command("list")
def list_(data: Data = DEFAULTS.data, as_json: AsJson = False) -> None:
    """List the loops."""
    from sartor.runtime import compose

    with compose.open_instance(data) as stores:
        formatting.listed(stores.catalog.loops(), as_json=as_json)


@app.command("show")
def show(name: LoopName, data: Data = DEFAULTS.data, as_json: AsJson = False) -> None:
    """Show a loop: its settings, its policy, how much it has seen and which model serves."""
    from sartor.management import loops
    from sartor.runtime import compose

    with compose.open_instance(data) as stores:
        loop = loops.find_loop(stores, name)
        with loops.open_loop(stores, loop) as logs:
            formatting.shown(loop, logs, as_json=as_json)


@app.command("delete")
def delete(
    name: LoopName,
    data: Data = DEFAULTS.data,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", envvar="SARTOR_YES", help="Don't ask.", show_default=False)
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Delete a loop with its log, its models and its keys. For seven days 'sartor loop recover' undoes it."""
    from sartor.management import lifecycle as life
    from sartor.management import loops
    from sartor.runtime import compose

    with compose.open_instance(data) as stores:
        loops.find_loop(stores, name)
        if not yes:
            typer.confirm(f"Delete the loop {name!r} with everything that it learned?", abort=True, err=True)
        gone = lifecycle.gone(life.delete(stores, name))
    sentence = f"The loop {name!r} is deleted; it can be brought back until {gone['recoverableUntil']}."
    printing.result(gone, sentence, as_json=as_json)


@app.command("keys")
def keys(name: LoopName, data: Data = DEFAULTS.data, as_json: AsJson = False) -> None:
    """Print the endpoint and the two keys of a loop; either key works."""
    from sartor.management import loops
    from sartor.runtime import compose

    with compose.open_instance(data) as stores:
        formatting.keys(loops.find_loop(stores, name), data, as_json=as_json)


@app.command("rotate-key")
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
        formatting.keys(loops.rotate_key(stores, name, second=which == 2), data, as_json=as_json)


@app.command("set")
def set_(name: LoopName, changes: Changes, data: Data = DEFAULTS.data, as_json: AsJson = False) -> None:
    """Change settings, for example: sartor loop set default rewardWaitTime=PT10S learnWhen=reward.

    'sartor loop show NAME' lists them with their values. Times are written PT10S, PT5M, PT1H, P1D.
    """
    from sartor.management import loops
    from sartor.runtime import compose

    with compose.open_instance(data) as stores:
        formatting.settings(loops.change_settings(stores, name, dict(map(_change, changes))), as_json=as_json)


def _change(text: str) -> tuple[str, object]:
    name, equals, value = text.partition("=")
    if not equals:
        raise InvalidSetting(f"{text!r} is not a change: write it as SETTING=VALUE.")
    return name, value


@app.command("policy", context_settings={"ignore_unknown_options": True})
def policy(
    name: LoopName,
    arguments: Arguments = None,
    reset: Annotated[
        bool,
        typer.Option("--reset", envvar="SARTOR_RESET", help="Put the default back.", show_default=False),
    ] = False,
    data: Data = DEFAULTS.data,
    as_json: AsJson = False,
) -> None:
    """Show the learning settings of a loop, or replace them. They are arguments of Vowpal Wabbit.

    After a change the loop learns the last days of its log again (modelRetrainDays); until then the old model
    serves.
    """
    from sartor.management import loops
    from sartor.runtime import compose

    if reset and arguments is not None:
        raise typer.BadParameter("Give either new learning settings or --reset.")
    change = reset or arguments is not None
    with compose.open_instance(data) as stores:
        loop = loops.set_policy(stores, name, arguments) if change else loops.find_loop(stores, name)
    formatting.policy(loop, as_json=as_json)


@app.command("models")
def models(name: LoopName, data: Data = DEFAULTS.data, as_json: AsJson = False) -> None:
    """List the models of a loop, newest first, with what each has learned and which one serves."""
    from sartor.management import loops
    from sartor.runtime import compose

    with compose.open_instance(data) as stores, loops.open_loop(stores, loops.find_loop(stores, name)) as logs:
        formatting.models(logs.models, as_json=as_json)


@app.command("promote")
def promote(name: LoopName, model: ModelId, data: Data = DEFAULTS.data, as_json: AsJson = False) -> None:
    """Make a model of the history the one that serves, and keep it.

    New models are still learned, but go live again only after: sartor loop set NAME modelAutoPublish=true.
    """
    from sartor.management import loops
    from sartor.runtime import compose

    with compose.open_instance(data) as stores:
        formatting.promoted(loops.promote_model(stores, name, model), name, as_json=as_json)


@app.command("rollback")
def rollback(name: LoopName, data: Data = DEFAULTS.data, as_json: AsJson = False) -> None:
    """Go back to the model before the one that serves, and keep it.

    New models are still learned, but go live again only after: sartor loop set NAME modelAutoPublish=true.
    """
    from sartor.management import loops
    from sartor.runtime import compose

    with compose.open_instance(data) as stores:
        formatting.promoted(loops.roll_back(stores, name), name, as_json=as_json)


for command in (*lifecycle.COMMANDS, *backup.COMMANDS):
    app.command(command.__name__)(command)
