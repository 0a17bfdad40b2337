"""``sartor replay``: a past decision, computed again."""

from typing import TYPE_CHECKING, Annotated

import typer

from sartor.cli import printing
from sartor.cli.options import DEFAULTS, AsJson, Data

if TYPE_CHECKING:
    from sartor.verification.decision_replay import DecisionReplay

EventId = Annotated[str, typer.Argument(help="The event id of the decision.", metavar="EVENT_ID")]
Loop = Annotated[
    str, typer.Option("--loop", envvar="SARTOR_LOOP", help="The loop that decided.", metavar="NAME")
]


def replay(
    event_id: EventId, loop: Loop = "default", data: Data = DEFAULTS.data, as_json: AsJson = False
) -> None:
    """Compute a past decision again with the model that made it, and say whether it is the same, bit for bit.

    A model whose bytes are gone is learned again from the log first. Exit code 1: it is not the same.
    """
    from sartor.management import loops
    from sartor.runtime import compose
    from sartor.verification import decision_replay

    factory = compose.engine_factory()
    with compose.open_instance(data) as stores:
        found = loops.find_loop(stores, loop)
        with loops.open_loop(stores, found) as logs:
            past = decision_replay.find_decisions(logs, event_id)
            results = [decision_replay.replay_decision(found, logs, logged, factory) for logged in past]
    for result in results:
        printing.result(_summary(result), _sentence(result), as_json=as_json)
    if not all(result.same for result in results):
        raise typer.Exit(1)


def _summary(result: "DecisionReplay") -> dict[str, object]:
    decision = result.then
    ids = [action.id for action in decision.actions]
    return {
        "eventId": decision.event_id,
        "number": result.number,
        "same": result.same,
        "differs": result.differs,
        "modelId": result.model_id,
        "modelFrom": result.model_from,
        "actions": ids,
        "probabilities": decision.probabilities,
        "rewardActionId": ids[decision.chosen],
        "recomputed": {
            "probabilities": result.now.probabilities,
            "rewardActionId": ids[result.now.chosen],
        },
    }


def _sentence(result: "DecisionReplay") -> str:
    name = f"Decision {result.number} ({result.event_id})"
    model = f"model {result.model_id} ({result.model_from})"
    if result.same:
        chosen = result.then.actions[result.then.chosen].id
        return f"{name}: the same, bit for bit, with {model}: {chosen!r} at {result.then.propensity:.6g}."
    elsewhere = " It was imported: another service made it." if result.imported else ""
    return f"{name}: NOT the same with {model}; different: {', '.join(result.differs)}.{elsewhere}"
