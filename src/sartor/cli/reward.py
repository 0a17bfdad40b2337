"""``sartor reward``: put a wrong reward right, or take it back."""

from typing import Annotated

import typer

from sartor.cli import printing
from sartor.cli.options import DEFAULTS, AsJson, Data, LoopName

Value = Annotated[
    float | None, typer.Argument(help="The right reward; left out with --retract.", metavar="[VALUE]")
]
Replace = Annotated[
    bool,
    typer.Option(
        "--replace", envvar="SARTOR_REPLACE", help="Put it in the place of what is there.", show_default=False
    ),
]
Retract = Annotated[
    bool,
    typer.Option(
        "--retract",
        envvar="SARTOR_RETRACT",
        help="Take the reward back: the event counts as one without a reward.",
        show_default=False,
    ),
]
Slot = Annotated[
    str | None,
    typer.Option("--slot", envvar="SARTOR_SLOT", help="Which slot of a multi-slot event.", metavar="ID"),
]


def reward(
    name: LoopName,
    event_id: Annotated[str, typer.Argument(help="The event id.", metavar="EVENT_ID")],
    value: Value = None,
    replace: Replace = False,
    retract: Retract = False,
    slot: Slot = None,
    data: Data = DEFAULTS.data,
    as_json: AsJson = False,
) -> None:
    """Correct the reward of a settled event: sartor reward default visit-1 0.5 --replace.

    The log, and what is made from it, has the new reward at once. The live model has it when the log has been
    learned again, which begins within a second.
    """
    if (value is None) is not retract or (value is not None and not replace):
        raise typer.BadParameter("Give a value and --replace, or --retract alone.")
    from sartor.management import reward_corrections
    from sartor.runtime import compose

    with compose.open_instance(data) as stores:
        done = reward_corrections.correct_reward(stores, name, event_id, value, slot=slot)
    before = ", ".join(map(str, done.before))
    sentence = f"The reward of {event_id!r} is {done.after[0]}; it was {before}. The model is learned again."
    printing.result(done, sentence, as_json=as_json)
