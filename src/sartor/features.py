"""Features as JSON, as an engine can take them (contract, sections 1.9 and 2.12).

An array of objects; their members are strings, numbers, booleans, null, arrays of numbers, or objects again.
The types express all of it, so that a decoder checks it while decoding. ``feature_names`` finds them by name.
"""

from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta

MAGNITUDE = 10**15
"""The largest number that a feature may hold, either sign: beyond it the engine's arithmetic overflows."""

Key: TypeAlias = Annotated[str, Meta(min_length=1)]
Number: TypeAlias = (
    Annotated[int, Meta(ge=-MAGNITUDE, le=MAGNITUDE)] | Annotated[float, Meta(ge=-MAGNITUDE, le=MAGNITUDE)]
)
Scalar: TypeAlias = bool | str | Number | list[Number] | None

# Unrolled, so that the decoder itself rejects deeper nesting.
_In2: TypeAlias = Scalar | dict[Key, Scalar]
_In3: TypeAlias = Scalar | dict[Key, _In2]
_In4: TypeAlias = Scalar | dict[Key, _In3]
_In5: TypeAlias = Scalar | dict[Key, _In4]
_In6: TypeAlias = Scalar | dict[Key, _In5]
_In7: TypeAlias = Scalar | dict[Key, _In6]
_In8: TypeAlias = Scalar | dict[Key, _In7]
FeatureObject: TypeAlias = dict[Key, _In8]
Features: TypeAlias = list[FeatureObject]

_encode = msgspec.json.Encoder().encode
_decode_many = msgspec.json.Decoder(Features).decode
_decode_one = msgspec.json.Decoder(FeatureObject).decode


def canonical(raw: bytes, /, *, others: FeatureObject | None = None) -> bytes:
    """Returns features as they are stored: no spaces, numbers at their shortest; idempotent.

    Args:
        raw: an array of feature objects, or one of them.
        others: one more, which is appended unless it is empty.

    Raises:
        msgspec.DecodeError: ``raw`` is not features.
    """
    features = _decode_many(raw) if raw.lstrip()[:1] == b"[" else [_decode_one(raw)]
    return _encode([*features, others] if others else features)


def read_object(members: dict[str, msgspec.Raw], /) -> FeatureObject:
    """Returns members that were decoded one by one as one feature object.

    Raises:
        msgspec.DecodeError: they are not features.
    """
    return _decode_one(_encode(members))
