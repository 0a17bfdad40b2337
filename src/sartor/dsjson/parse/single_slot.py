"""Parses a line of one slot (contract, section 3.1)."""

from msgspec import UnsetType

from sartor.dsjson.parse.context import parse_context
from sartor.dsjson.parse.members import (
    ParsedLine,
    build_imported,
    check_dropped,
    check_probabilities,
    is_close,
    read_mode,
    read_time_us,
    to_joined,
)
from sartor.errors import InvalidRequest
from sartor.records import ImportedDecision, Mode, Slot


def has_probabilities(line: ParsedLine) -> bool:
    """Whether it holds the probabilities with which the action was drawn."""
    return not isinstance(line.probabilities, UnsetType) and len(line.probabilities) > 0


def to_imported(line: ParsedLine) -> ImportedDecision:
    """Returns the decision and its outcome.

    Raises:
        InvalidRequest: a member is missing, or contradicts another.
        msgspec.DecodeError: the context holds what no engine can take.
    """
    if isinstance(line.context, UnsetType):
        raise InvalidRequest("c, the context, is missing.")
    context = parse_context(line.context)
    order, probabilities = _read_probabilities(line, len(context.actions))
    chosen = _read_chosen(line, order)
    check_probabilities(probabilities, chosen=probabilities[chosen])
    _check_label(line, probabilities[chosen])
    at_us = read_time_us(line)
    mode, reward = _read_reward(line, chosen)
    drawn = Slot(
        id="",
        features=b"",
        excluded=(),
        baseline=0,
        probabilities=tuple(probabilities),
        ranking=tuple(order),
        chosen=chosen,
    )
    joined = to_joined(line.observed, at_us)
    return build_imported(line, context, drawn, at_us=at_us, joined=joined, mode=mode, rewards=[reward])


def _read_probabilities(line: ParsedLine, actions: int) -> tuple[list[int], list[float]]:
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


def _read_chosen(line: ParsedLine, order: list[int]) -> int:
    """The index of the action that the label names; without a label the first in the order."""
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
    """The label's probability may be multiplied by the probability that the line was not dropped, or not."""
    check_dropped(line)
    label = line.probability
    if isinstance(label, UnsetType) or is_close(label, propensity):
        return
    if not is_close(label, propensity * (1 - line.dropped)):
        raise InvalidRequest(f"_label_probability is {label}, p says {propensity}.")


def _read_reward(line: ParsedLine, chosen: int) -> tuple[Mode, float]:
    if isinstance(line.cost, UnsetType):
        raise InvalidRequest("_label_cost is missing.")
    original = line.cost if isinstance(line.original_cost, UnsetType) else line.original_cost
    mode, rewards = read_mode([line.cost], [original], [-1.0 if chosen == 0 else 0.0])
    return mode, rewards[0]
