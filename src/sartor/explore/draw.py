"""Draws actions: a number in [0, 1) that depends on loop and event id only, and the action on which it falls.

The same request to the same model gives the same answer, on any replica and in any year; two loops draw
independently for the same event id.
"""

import hashlib
from collections.abc import Sequence
from functools import lru_cache

_UNIT = 2.0**-53
"""The spacing of the draws: all 53 bits of a double between 0 and 1."""


def draw_point(loop_id: str, event_id: str, purpose: bytes = b"") -> float:
    """Returns a number in [0, 1), uniform over event ids.

    It is the first 53 bits of BLAKE2b of the event id, keyed with the loop id.

    Args:
        loop_id: of the loop.
        event_id: of the decision, or what else is drawn for.
        purpose: separates draws of different kinds, at most 16 bytes (BLAKE2b's personalization).
    """
    hasher = _start_hash(loop_id, purpose).copy()
    hasher.update(event_id.encode())
    return (int.from_bytes(hasher.digest(), "big") >> 11) * _UNIT


@lru_cache(maxsize=1024)
def _start_hash(loop_id: str, purpose: bytes) -> "hashlib.blake2b":
    # A key holds at most 64 bytes, a loop id may be longer: its digest is the key.
    key = hashlib.blake2b(loop_id.encode(), digest_size=32).digest()
    return hashlib.blake2b(digest_size=8, key=key, person=purpose)


def pick_action(probabilities: Sequence[float], point: float) -> int:
    """Returns the index on which a point in [0, 1) falls, with the probabilities laid end to end.

    Never an index with probability 0. If rounding leaves a rest, it counts for the last one above 0.

    Raises:
        ValueError: no probability is above 0.
    """
    reached = 0.0
    last = -1
    for index, probability in enumerate(probabilities):
        if probability > 0.0:
            reached += probability
            if point < reached:
                return index
            last = index
    if last < 0:
        raise ValueError("no action has a probability above 0")
    return last
