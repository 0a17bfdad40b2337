"""Numbers that callers write as texts: the one way to read them."""

LARGEST = 999_999_999
"""The largest whole number that is read where nothing else bounds it."""

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
