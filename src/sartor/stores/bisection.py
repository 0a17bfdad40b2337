"""Finding a time in a log whose times never run backwards."""

from collections.abc import Callable


def first_since(at_us: int, /, *, first: int, last: int, time_of: Callable[[int], int]) -> int:
    """The first number from ``first`` to ``last`` with this time or a later one; ``last + 1`` if none has.

    Args:
        at_us: the time to find.
        first: where to begin.
        last: where to end; less than ``first``: nothing is searched.
        time_of: the time of a number, or, where a number is missing, of the next that is there.
    """
    low, high = first, max(first, last + 1)
    while low < high:
        middle = (low + high) // 2
        if time_of(middle) < at_us:
            low = middle + 1
        else:
            high = middle
    return low
