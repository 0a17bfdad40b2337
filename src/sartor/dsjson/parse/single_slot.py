"""A line of one slot (contract, section 3.1)."""

from msgspec import UnsetType

from sartor.dsjson.parse.context import parse_context
from sartor.dsjson.parse.members import (
    ParsedLine,
    check_dropped,
    check_probabilities,
    event_id_of,
    is_close,
    made_at_us,
    to_joined,
)
from sartor.errors import InvalidRequest
from sartor.records import Decision, ImportedDecision, Mode, Outcome


def has_probabilities(line: ParsedLine) -> bool:
    """Whether it says with which probabilities the action was drawn."""
    return not isinstance(line.probabilities, UnsetType) and len(line.probabilities) > 0


def to_imported(line: ParsedLine) -> ImportedDecision:
    """The decision and its outcome.

    Raises:
        InvalidRequest: a member is missing, or contradicts another.
        msgspec.DecodeError: the context holds what no engine can take.
    """
    if isinstance(line.context, UnsetType):
        raise InvalidRequest("c, the context, is missing.")
    what = parse_context(line.context)
    order, probabilities = _probabilities(line, len(what.actions))
    chosen = _chosen(line, order)
    check_probabilities(probabilities, chosen=probabilities[chosen])
    _check_label(line, probabilities[chosen])
    at_us = made_at_us(line)
    observed = to_joined(line.observed, at_us)
    mode, reward = _reward(line, chosen)
    decision = Decision(
        event_id=event_id_of(line),
        context=what.context,
        actions=what.actions,
        excluded=(),
        probabilities=tuple(probabilities),
        ranking=tuple(order),
        chosen=chosen,
        model_id=line.model_id,
        settings_version=0,
        mode=mode,
        deferred=not line.learnable or any(one.reward is None for one in observed),
        dropped=line.dropped,
    )
    outcome = Outcome(
        decision_seq=0,
        event_id=decision.event_id,
        reward=reward,
        learnable=line.learnable,
        joined=tuple(observed),
        settled_at_us=0,
        settings_version=0,
    )
    return ImportedDecision(decision=decision, made_at_us=at_us, outcome=outcome)


def _probabilities(line: ParsedLine, actions: int) -> tuple[list[int], list[float]]:
    """The order of the actions, from 0, and the probability of each action in the order of the request."""
    if isinstance(line.order, UnsetType) or isinstance(line.probabilities, UnsetType):
        raise InvalidRequest("a, the order of the actions, is missing.")
    order = [number - 1 for number in line.order]
    if sorted(order) != list(range(actions)):
        raise InvalidRequest(f"a does not name each of the {actions} actions of c once.")
    if len(line.probabilities) != actions:
        raise InvalidRequest(f"p holds {len(line.probabilities)} probabilities for {actions} actions.")
    of_action = dict(zip(order, line.probabilities, strict=True))
    return order, [of_action[index] for index in range(actions)]


def _chosen(line: ParsedLine, order: list[int]) -> int:
    """The action that was chosen, as the label says; without one it is the first in the order."""
    named = {
        index
        for index, count_from in ((line.index, 0), (line.number, 1))
        if not isinstance(index, UnsetType)
        for index in (index - count_from,)
    } or {order[0]}
    if len(named) > 1 or not named <= set(order):
        raise InvalidRequest("_label_Action and _labelIndex contradict each other, or name no action.")
    return named.pop()


def _check_label(line: ParsedLine, propensity: float) -> None:
    """The label may have the probability with which the line survived sampling in it, or not."""
    check_dropped(line)
    label = line.probability
    if isinstance(label, UnsetType) or is_close(label, propensity):
        return
    if not is_close(label, propensity * (1 - line.dropped)):
        raise InvalidRequest(f"_label_probability is {label}, p says {propensity}.")


def _reward(line: ParsedLine, chosen: int) -> tuple[Mode, float]:
    """The reward, and the mode that the two costs tell: they differ in Apprentice only (contract, 2.6)."""
    if isinstance(line.cost, UnsetType):
        raise InvalidRequest("_label_cost is missing.")
    original = line.cost if isinstance(line.original_cost, UnsetType) else line.original_cost
    if original != line.cost and line.cost == (-1.0 if chosen == 0 else 0.0):
        return "Apprentice", -original + 0.0
    return "Online", -line.cost + 0.0
