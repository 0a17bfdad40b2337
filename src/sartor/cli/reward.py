"""``sartor reward``: corrects or retracts the reward of a settled event."""

from typing import Annotated

import typer

from sartor.cli import formatting
from sartor.cli.options import DEFAULTS, AsJson, Data, LoopName

Value = Annotated[
    float | None, typer.Argument(help="The correct reward; omit it with --retract.", metavar="[VALUE]")
]
Replace = Annotated[
    bool,
    typer.Option(
        "--replace", envvar="SARTOR_REPLACE", help="Replace the reward that is there.", show_default=False
    ),
]
Retract = Annotated[
    bool,
    typer.Option(
        "--retract",
        envvar="SARTOR_RETRACT",
        help="Retract the reward: the event counts as one without a reward.",
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

    The log, and all that is computed from it, has the new reward at once. The live model has it when the log
    has been relearned, which starts within a second.
    """
    if (value is None) is not retract or (value is not None and not replace):
        raise typer.BadParameter("Specify a value and --replace, or --retract alone.")
    from sartor.management import reward_corrections
    from sartor.runtime import compose

    with compose.open_instance(data) as stores:
        correction = reward_corrections.correct_reward(stores, name, event_id, value, slot=slot)
    before = ", ".join(map(str, correction.before))
    sentence = (
        f"The reward of {event_id!r} is {correction.after[0]}; it was {before}. The model is being relearned."
    )
    formatting.print_result(correction, sentence, as_json=as_json)
