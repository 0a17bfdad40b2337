"""Lists over the actions of a request: probabilities, order, and the positions of excluded actions."""

import math
from collections.abc import Collection, Sequence


def normalise(probabilities: Sequence[float]) -> list[float]:
    """Returns the share of each in the sum.

    Raises:
        ValueError: one is negative or not finite, or all are 0.
    """
    # An engine computes in single precision: its probabilities sum to 1 within 1e-6. fsum rounds once, so that
    # the shares are the same on every version of Python.
    total = math.fsum(probabilities)
    if not (min(probabilities) >= 0.0 and 0.0 < total < math.inf):
        raise ValueError("probabilities are finite, none is negative, and one is above 0")
    return [probability / total for probability in probabilities]


def one_hot(place: int, count: int) -> list[float]:
    """Returns the probabilities of ``count`` actions when one is chosen for certain."""
    probabilities = [0.0] * count
    probabilities[place] = 1.0
    return probabilities


def share_among_likeliest(probabilities: Sequence[float]) -> list[float]:
    """Returns the probabilities of showing the likeliest action, in equal parts where several are."""
    # What is taken out of a mixture is exact to rounding, so equal ones may differ in their last digits.
    likeliest = max(probabilities) * (1.0 - 1e-9)
    share = 1.0 / sum(probability >= likeliest for probability in probabilities)
    return [share if probability >= likeliest else 0.0 for probability in probabilities]


def order_actions(probabilities: Sequence[float], place: int) -> list[int]:
    """Returns all indexes in descending order of probability, the drawn one (``place``) swapped with the first.

    Ties stay in order.
    """
    order = sorted(range(len(probabilities)), key=probabilities.__getitem__, reverse=True)
    where = order.index(place)
    order[0], order[where] = place, order[0]
    return order


def keep_positions(fixed: Collection[int], ordered: Sequence[int], count: int) -> list[int]:
    """Returns a ranking of ``count`` actions: the fixed ones keep their positions, the others their order."""
    rest = iter(ordered)
    return [index if index in fixed else next(rest) for index in range(count)]


def scatter(probabilities: Sequence[float], to: Sequence[int], count: int) -> list[float]:
    """Returns the probabilities of ``count`` actions, given those of the actions ``to``; 0 for the others."""
    wide = [0.0] * count
    for index, probability in zip(to, probabilities, strict=True):
        wide[index] = probability
    return wide
