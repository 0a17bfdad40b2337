"""Deciding: from a request and the odds of an engine to a decision (contract, sections 2.2 and 2.3)."""

import math
from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from sartor.explore.draw import draw, pick
from sartor.records import Action, Decision


class Request(Struct, frozen=True, kw_only=True):
    """What an application asks. ``excluded``: indexes into ``actions``, none twice; one is left."""

    event_id: str
    context: bytes
    actions: tuple[Action, ...]
    excluded: tuple[int, ...] = ()
    deferred: bool = False

    @property
    def rankable(self) -> tuple[int, ...]:
        """The indexes of the actions that were not excluded, in the order of the request."""
        if not self.excluded:
            return tuple(range(len(self.actions)))
        return tuple(i for i in range(len(self.actions)) if i not in self.excluded)


def uniform(actions: int) -> list[float]:
    """The odds before there is a model: the same for each of the actions (at least one)."""
    return [1.0 / actions] * actions


def decide(
    request: Request,
    /,
    *,
    probabilities: Sequence[float],
    loop_id: str,
    model_id: str,
    settings_version: int,
    mode: Literal["Online"] = "Online",
) -> Decision:
    """Draw an action and put the actions in the order of the answer.

    The ranked actions are in order of probability, ties in the order of the request; then the drawn one
    changes places with the first. Excluded actions keep the place that they had in the request.

    Args:
        request: what was asked.
        probabilities: for each rankable action, in the order of the request. They need not sum to 1 to the
            last digit: what is logged, and used in the draw, is their share of the sum.
        loop_id: seeds the draw, together with the event id.
        model_id: the model that gave the probabilities, or ``NO_MODEL``.
        settings_version: the version of the loop's settings.
        mode: "Online": what is answered is what was drawn.

    Raises:
        ValueError: there is not one probability for each rankable action, or they are not odds.
    """
    count = len(request.actions)
    excluded = request.excluded
    if len(probabilities) != count - len(excluded):
        raise ValueError(f"{len(probabilities)} probabilities for {count - len(excluded)} actions")
    odds = _shares(probabilities)
    place = pick(odds, draw(loop_id, request.event_id))
    order = _order(odds, place)
    chosen = place
    if excluded:
        rankable = request.rankable
        chosen = rankable[place]
        order = _around(excluded, [rankable[i] for i in order], count)
        odds = _spread(odds, rankable, count)
    return Decision(
        event_id=request.event_id,
        context=request.context,
        actions=request.actions,
        excluded=excluded,
        probabilities=tuple(odds),
        ranking=tuple(order),
        chosen=chosen,
        model_id=model_id,
        settings_version=settings_version,
        mode=mode,
        deferred=request.deferred,
    )


def _shares(probabilities: Sequence[float]) -> list[float]:
    # An engine computes in single precision: its odds sum to 1 within 1e-6. fsum rounds once, so that the
    # shares are the same on every version of Python.
    total = math.fsum(probabilities)
    if not (min(probabilities) >= 0.0 and 0.0 < total < math.inf):
        raise ValueError("probabilities are finite, none is negative, and one is above 0")
    return [probability / total for probability in probabilities]


def _order(odds: list[float], place: int) -> list[int]:
    order = sorted(range(len(odds)), key=odds.__getitem__, reverse=True)  # stable: ties stay in order
    where = order.index(place)
    order[0], order[where] = place, order[0]
    return order


def _around(excluded: tuple[int, ...], ranked: list[int], count: int) -> list[int]:
    rest = iter(ranked)
    return [index if index in excluded else next(rest) for index in range(count)]


def _spread(odds: list[float], rankable: tuple[int, ...], count: int) -> list[float]:
    spread = [0.0] * count
    for index, probability in zip(rankable, odds, strict=True):
        spread[index] = probability
    return spread
