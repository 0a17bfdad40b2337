"""The parts of a ranking, on plain lists: probabilities, order, and the places of excluded actions."""

import math
from collections.abc import Collection, Sequence


def normalise(probabilities: Sequence[float]) -> list[float]:
    """The share of each in the sum.

    Raises:
        ValueError: they are not probabilities.
    """
    # An engine computes in single precision: its probabilities sum to 1 within 1e-6. fsum rounds once, so that
    # the
    # shares are the same on every version of Python.
    total = math.fsum(probabilities)
    if not (min(probabilities) >= 0.0 and 0.0 < total < math.inf):
        raise ValueError("probabilities are finite, none is negative, and one is above 0")
    return [probability / total for probability in probabilities]


def one_hot(place: int, count: int) -> list[float]:
    """The probabilities of what is not left to chance."""
    probabilities = [0.0] * count
    probabilities[place] = 1.0
    return probabilities


def order_actions(probabilities: Sequence[float], place: int) -> list[int]:
    """All places in order of their probabilities; then the drawn one changes places with the first."""
    order = sorted(
        range(len(probabilities)), key=probabilities.__getitem__, reverse=True
    )  # stable: ties stay in order
    where = order.index(place)
    order[0], order[where] = place, order[0]
    return order


def keep_positions(fixed: Collection[int], ordered: Sequence[int], count: int) -> list[int]:
    """A ranking of ``count`` actions in which the fixed ones keep their place and the others are in order."""
    rest = iter(ordered)
    return [index if index in fixed else next(rest) for index in range(count)]


def scatter(probabilities: Sequence[float], to: Sequence[int], count: int) -> list[float]:
    """The probabilities of some of ``count`` actions, laid out over all of them."""
    wide = [0.0] * count
    for index, probability in zip(to, probabilities, strict=True):
        wide[index] = probability
    return wide
