"""Numbers that callers write: the one way to read whole ones, and the range of a reward."""

LARGEST = 999_999_999
"""The largest whole number that is read where nothing else bounds it."""

LARGEST_REWARD = 1e50
"""The largest reward, either sign. Sums of squares of rewards times weights of 1e100 stay finite."""

REWARD_RANGE = f"between {-LARGEST_REWARD:g} and {LARGEST_REWARD:g}"

_DIGITS = 15
_SHOWN_CHARS = 64


def parse_whole(text: str, /, *, low: int, high: int = LARGEST) -> int:
    """Parses a whole number in plain digits, without a sign, a point, spaces or underscores.

    Args:
        text: what was written.
        low: the smallest number that is accepted, 0 or more.
        high: the largest one.

    Raises:
        ValueError: it is none, or out of range; the message, "must be …", says what is accepted.
    """
    if text.isascii() and text.isdigit() and len(text) <= _DIGITS and low <= int(text) <= high:
        return int(text)
    raise ValueError(f"must be a whole number from {low} to {high}, not {text[:_SHOWN_CHARS]!r}")


def is_reward(value: float, /) -> bool:
    """Whether a number can be a reward: within ±``LARGEST_REWARD``; a NaN is not."""
    return -LARGEST_REWARD <= value <= LARGEST_REWARD


def bound_reward(value: float, /) -> float:
    """Returns the reward nearest to a number, which is not a NaN."""
    return max(-LARGEST_REWARD, min(value, LARGEST_REWARD))
