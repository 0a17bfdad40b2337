"""Makes event ids for requests that have none (contract, section 2.1)."""

_EPOCH_S = 1_505_520_000
"""2017-09-16T00:00:00Z in seconds since 1970."""

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def new_event_id(unique: str, /, *, now_us: int) -> str:
    """Returns an event id: 32 hexadecimal digits, a dash, and the time in base 62.

    Args:
        unique: 32 lower-case hexadecimal digits that no other event has (``uuid4().hex``).
        now_us: the time, for people only; a clock that is set before 2017 gives 0.
    """
    return f"{unique}-{_to_base62(max(0, now_us // 1_000_000 - _EPOCH_S))}"


def _to_base62(number: int) -> str:
    text = ""
    while True:
        number, digit = divmod(number, 62)
        text = _DIGITS[digit] + text
        if not number:
            return text
