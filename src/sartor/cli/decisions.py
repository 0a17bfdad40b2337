"""``sartor why`` and ``sartor replay``: a past decision, explained or computed again."""

from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from sartor.cli import formatting
from sartor.cli.options import DEFAULTS, AsJson, Data, EventId

if TYPE_CHECKING:
    from sartor.explore.why import DecisionExplanation, ExplainedAction
    from sartor.records import Decision
    from sartor.verification.decision_replay import DecisionReplay
    from sartor.verification.explain import EventExplanation

Loop = Annotated[
    str, typer.Option("--loop", envvar="SARTOR_LOOP", help="The loop that decided.", metavar="NAME")
]
All = Annotated[
    bool,
    typer.Option(
        "--all", envvar="SARTOR_ALL", help="Explain every action, not only the chosen one.", show_default=False
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
    """Show which features spoke for a past decision, and which against.

    Each feature is left out once, and the model that decided is asked again: the difference is its score.
    """
    from sartor.management import loops
    from sartor.runtime import compose
    from sartor.verification.explain import explain_event

    factory = compose.engine_factory()
    with compose.open_instance(data) as stores, loops.open_loop(stores, loops.find_loop(stores, loop)) as logs:
        explanations = explain_event(logs, event_id, factory, only_chosen=not all)
    for explanation in explanations:
        if as_json:
            formatting.print_json(_explanation_to_json(explanation))
        else:
            _print_explanation(explanation)


def _explanation_to_json(explanation: "EventExplanation") -> dict[str, object]:
    decision = explanation.logged.decision
    return {
        "eventId": decision.event_id,
        "number": explanation.logged.seq,
        "modelId": decision.model_id,
        "modelFrom": explanation.model_from,
        "rewardActionId": decision.actions[decision.chosen].id,
        "probability": decision.propensity,
        **_control_to_json(decision),
        "explanations": [
            _slot_to_json(decision, slot)
            | {"measure": one.measure, "actions": msgspec.to_builtins(one.actions)}
            for slot, one in enumerate(explanation.explained)
        ],
    }


def _control_to_json(decision: "Decision") -> dict[str, object]:
    """What was mixed into the model's probabilities, which the control group's baseline is drawn with too."""
    return {
        "controlShare": decision.control_share,
        "inControlGroup": decision.in_control,
        "explorationFloor": decision.floor,
    }


def _slot_to_json(decision: "Decision", slot: int) -> dict[str, object]:
    return {"slotId": decision.slots[slot].id} if decision.slots else {}


def _print_explanation(explanation: "EventExplanation") -> None:
    decision = explanation.logged.decision
    name = f"Decision {explanation.logged.seq} ({decision.event_id})"
    if not explanation.explained:
        formatting.print_line(
            f"{name}: there was no model yet; every action had the same probability"
            f"{_describe_control(decision)}."
        )
    for index, explained in enumerate(explanation.explained):
        slot = f", slot {decision.slots[index].id!r}" if decision.slots else ""
        choice = decision.slots[index] if decision.slots else decision
        formatting.print_line(
            f"{name}{slot}: {decision.actions[choice.chosen].id!r} with probability "
            f"{choice.probabilities[choice.chosen]:.6g}, by model {decision.model_id} "
            f"({explanation.model_from}){_describe_control(decision)}."
        )
        _print_actions(explained)


def _describe_control(decision: "Decision") -> str:
    return "; the control group answered, with the baseline" if decision.in_control else ""


def _print_actions(explained: "DecisionExplanation") -> None:
    for action in explained.actions:
        formatting.print_line()
        formatting.print_line(f"{action.id}: {_MEASURES[explained.measure]} {action.score:.6g}")
        _print_features(action)


def _print_features(action: "ExplainedAction") -> None:
    width = max((len(feature.name) for feature in action.features), default=0)
    for feature in action.features:
        formatting.print_line(f"  {feature.name:<{width}}  {feature.score:+.6f}")


def replay(
    event_id: EventId, loop: Loop = "default", data: Data = DEFAULTS.data, as_json: AsJson = False
) -> None:
    """Compute a past decision again with the model that made it, and check that it is the same, bit for bit.

    Where learning settings begin with --sartor, the last bits of probabilities may differ between machines, and
    with them, rarely, the action that is drawn: both are said. A model whose file is gone is learned again from
    the log first. Exit code 1: it is not the same, for another reason.
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
        formatting.print_result(_replay_to_json(result), _describe_replay(result), as_json=as_json)
    if not all(result.same or result.drawn_by_rounding for result in results):
        raise typer.Exit(1)


def _replay_to_json(result: "DecisionReplay") -> dict[str, object]:
    decision = result.then
    ids = [action.id for action in decision.actions]
    return {
        "eventId": decision.event_id,
        "number": result.number,
        "same": result.same,
        "exact": result.exact,
        "tolerance": result.tolerance,
        "drawnByRounding": result.drawn_by_rounding,
        "differs": result.differs,
        "modelId": result.model_id,
        "modelFrom": result.model_from,
        "actions": ids,
        "probabilities": decision.probabilities,
        "rewardActionId": ids[decision.chosen],
        **_control_to_json(decision),
        "recomputed": {
            "probabilities": result.now.probabilities,
            "rewardActionId": ids[result.now.chosen],
        },
    }


def _describe_replay(result: "DecisionReplay") -> str:
    name = f"Decision {result.number} ({result.event_id})"
    model = f"model {result.model_id} ({result.model_from})"
    if result.same:
        chosen = result.then.actions[result.then.chosen].id
        drawn = f"{chosen!r} at {result.then.propensity:.6g}{_describe_control(result.then)}"
        how = "bit for bit" if result.exact else f"within {result.tolerance:g}"
        return f"{name}: the same, {how}, with {model}: {drawn}."
    if result.drawn_by_rounding:
        then, now = (one.actions[one.chosen].id for one in (result.then, result.now))
        drawn = (
            f"{then!r} was drawn and now {now!r}" if then != now else "other actions are drawn in later slots"
        )
        return (
            f"{name}: probabilities are the same within {result.tolerance:g} with {model}, but the draw falls "
            f"on a border between two actions: {drawn}, only because of the last bits."
        )
    origin = " It was imported: another service made it." if result.imported else ""
    return f"{name}: NOT the same with {model}; different: {', '.join(result.differs)}.{origin}"
