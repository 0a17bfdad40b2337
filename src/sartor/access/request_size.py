"""How large a request is for the engine, which crosses features in pairs: twice the size costs four times."""

from collections.abc import Sequence

from sartor.features import Features
from sartor.settings import Limits

# The escapes behind which a letter of "_text" could hide: _ is 5f, t 74, e 65, x 78.
_ESCAPED_TEXT = (b"\\u005", b"\\u006", b"\\u007")


def fits_at_a_glance(body: bytes, /, *, actions: int, limits: Limits) -> bool:
    """Whether the bytes alone show that the body is far from the limits; False: count its features.

    JSON with n commas holds at most n + 1 values. Only ``_text`` makes several features of one value.
    """
    most = body.count(b",") + 1
    if most > limits.features or actions * most * most > 2 * limits.feature_pairs:
        return False
    return b"_text" not in body and not (b"\\" in body and any(escaped in body for escaped in _ESCAPED_TEXT))


def count_features(items: Features, /) -> int:
    """The number of features in the objects."""
    return sum(count_member(name, value) for item in items for name, value in item.items())


def count_member(name: str, value: object, /) -> int:
    """The features that one member makes: null none, an array one per number, ``_text`` one per word."""
    if isinstance(value, dict):
        return sum(count_member(inner, item) for inner, item in value.items())
    if isinstance(value, list):
        return len(value)
    if name == "_text" and isinstance(value, str):
        return max(1, len(value.split()))
    return 0 if value is None else 1


def count_pairs(context: int, actions: Sequence[int], /) -> int:
    """How many pairs a policy that crosses everything with everything would make."""
    return sum((context + action) ** 2 for action in actions) // 2
