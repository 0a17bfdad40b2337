"""The state of an engine with preparation as bytes, and back.

A magic number, a digest of the rest, the length of the model file of Vowpal Wabbit, the file itself, and the
preparation as compressed MessagePack. The file comes first, so that its header can be checked from the first
bytes.
"""

import struct
import zlib
from hashlib import blake2b

import msgspec
from msgspec import Struct

from sartor.errors import Corrupt
from sartor.learn.compression import decompress
from sartor.learn.preparation.prepared_context import NUMBERS, PreparationPlan
from sartor.learn.second_order.stored_state import check_plan

MAGIC = b"sartor-prepared-1\n"
_DIGEST_BYTES = 16
_LENGTH = struct.Struct("<Q")
_HEAD = len(MAGIC) + _DIGEST_BYTES + _LENGTH.size
_LARGEST = 64_000_000


class PreparationState(Struct, kw_only=True):
    """How numbers are prepared, and what may still change it.

    Attributes:
        plan: None before the first outcomes.
        lines: the lines learned so far, until the plan is made for good; None from then on.
    """

    plan: PreparationPlan | None = None
    lines: list[bytes] | None = []


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(PreparationState).decode


def is_prepared_model(blob: bytes, /) -> bool:
    """Whether bytes begin as a dump of an engine with preparation does."""
    return blob.startswith(MAGIC)


def skip_to_model(content: bytes, /) -> bytes:
    """Returns the rest of a dump from the model file on, unchecked; for its header."""
    return content[_HEAD:]


def write_dump(state: PreparationState, model: bytes, /) -> bytes:
    """Returns the dump of a state and the model file of Vowpal Wabbit."""
    rest = _LENGTH.pack(len(model)) + model + zlib.compress(_encode(state), 1)
    return MAGIC + _digest(rest) + rest


def check_dump(blob: bytes, /) -> None:
    """Check the digest of a dump.

    Raises:
        Corrupt: the bytes are not a whole, unchanged dump.
    """
    digest = blob[len(MAGIC) : len(MAGIC) + _DIGEST_BYTES]
    if not is_prepared_model(blob) or _digest(blob[len(MAGIC) + _DIGEST_BYTES :]) != digest:
        raise Corrupt("The bytes are not a model with prepared numbers as it was written.")


def read_dump(blob: bytes, /) -> tuple[PreparationState, bytes]:
    """Returns the state and the model file in a dump.

    Raises:
        Corrupt: the bytes are not a whole, unchanged dump.
    """
    check_dump(blob)
    rest = blob[len(MAGIC) + _DIGEST_BYTES :]
    try:
        end = _LENGTH.size + _LENGTH.unpack_from(rest)[0]
        state = _decode(decompress(rest[end:], most=_LARGEST))
        if state.plan is not None:
            for plan in (state.plan.contexts, state.plan.actions, state.plan.slots):
                check_plan(plan, most=2 * NUMBERS)
        return state, rest[_LENGTH.size : end]
    except (msgspec.DecodeError, struct.error, zlib.error, ValueError) as error:
        raise Corrupt(f"The model can't be loaded: {error}.") from error


def _digest(rest: bytes) -> bytes:
    return blake2b(rest, digest_size=_DIGEST_BYTES).digest()
