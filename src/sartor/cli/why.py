"""``sartor why``: what spoke for a decision."""

import sys
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from sartor.cli import printing
from sartor.cli.options import DEFAULTS, AsJson, Data

if TYPE_CHECKING:
    from sartor.explore.why import DecisionExplanation, ExplainedAction
    from sartor.records import Decision
    from sartor.verification.explain import EventExplanation

EventId = Annotated[str, typer.Argument(help="The event id of the decision.", metavar="EVENT_ID")]
Loop = Annotated[
    str, typer.Option("--loop", envvar="SARTOR_LOOP", help="The loop that decided.", metavar="NAME")
]
All = Annotated[
    bool,
    typer.Option(
        "--all", envvar="SARTOR_ALL", help="Explain every action, not only the chosen.", show_default=False
    ),
]
_MEASURES = {"reward": "expected reward", "probability": "probability"}


def why(
    event_id: EventId,
    loop: Loop = "default",
    all: All = False,
    data: Data = DEFAULTS.data,
    as_json: AsJson = False,
) -> None:
    """Say which features spoke for a past decision, and which against.

    Each feature is left out once, and the model that decided is asked again: the difference is its score.
    """
    from sartor.management import loops
    from sartor.runtime import compose
    from sartor.verification.explain import explain_event as reasons_of

    factory = compose.engine_factory()
    with compose.open_instance(data) as stores, loops.open_loop(stores, loops.find_loop(stores, loop)) as logs:
        found = reasons_of(logs, event_id, factory, only_chosen=not all)
    for reasons in found:
        if as_json:
            printing.json(_summary(reasons))
        else:
            _tell(reasons)


def _summary(reasons: "EventExplanation") -> dict[str, object]:
    decision = reasons.logged.decision
    return {
        "eventId": decision.event_id,
        "number": reasons.logged.seq,
        "modelId": decision.model_id,
        "modelFrom": reasons.model_from,
        "rewardActionId": decision.actions[decision.chosen].id,
        "probability": decision.propensity,
        "explanations": [
            _slot_of(decision, place) | {"measure": one.measure, "actions": msgspec.to_builtins(one.actions)}
            for place, one in enumerate(reasons.explained)
        ],
    }


def _slot_of(decision: "Decision", place: int) -> dict[str, object]:
    return {"slotId": decision.slots[place].id} if decision.slots else {}


def _tell(reasons: "EventExplanation") -> None:
    decision = reasons.logged.decision
    name = f"Decision {reasons.logged.seq} ({decision.event_id})"
    if not reasons.explained:
        sys.stdout.write(f"{name}: there was no model yet; every action had the same chance.\n")
    for place, one in enumerate(reasons.explained):
        slot = f", slot {decision.slots[place].id!r}" if decision.slots else ""
        chosen = decision.slots[place] if decision.slots else decision
        sys.stdout.write(
            f"{name}{slot}: {decision.actions[chosen.chosen].id!r} with probability "
            f"{chosen.probabilities[chosen.chosen]:.6g}, by model {decision.model_id} ({reasons.model_from}).\n"
        )
        _tell_actions(one)


def _tell_actions(explained: "DecisionExplanation") -> None:
    for action in explained.actions:
        sys.stdout.write(f"\n{action.id}: {_MEASURES[explained.measure]} {action.score:.6g}\n")
        _tell_features(action)


def _tell_features(action: "ExplainedAction") -> None:
    width = max((len(feature.name) for feature in action.features), default=0)
    for feature in action.features:
        sys.stdout.write(f"  {feature.name:<{width}}  {feature.score:+.6f}\n")
