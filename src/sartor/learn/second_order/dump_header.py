"""The frame of a dump of the engine: a magic number, the settings it was made for, a digest, and the content.

It is read without the engine and its libraries.
"""

from hashlib import blake2b

from sartor.errors import Corrupt, InvalidModel, InvalidPolicy
from sartor.learn.second_order.arguments import SecondOrderSettings, parse_settings, spell_structure
from sartor.learn.words import CHARACTERS

MAGIC = b"sartor-second-order-1\n"
_DIGEST_BYTES = 16


def frame_dump(content: bytes, settings: SecondOrderSettings, /) -> bytes:
    """Returns content as a dump of an engine with these settings."""
    begin = MAGIC + spell_structure(settings).encode() + b"\n"
    return begin + _digest(begin, content) + content


def open_dump(blob: bytes, /) -> bytes:
    """Returns the content of a dump.

    Raises:
        Corrupt: it is not a dump of this engine as it was written.
    """
    begin = _read_begin(blob)
    digest_end = len(begin) + _DIGEST_BYTES
    content = blob[digest_end:]
    if not begin or _digest(begin, content) != blob[len(begin) : digest_end]:
        raise Corrupt("The bytes are not a model of this engine as it was written.")
    return content


def is_second_order_model(blob: bytes, /) -> bool:
    """Whether bytes begin as a dump of this engine does."""
    return blob.startswith(MAGIC)


def read_structure(blob: bytes, /) -> SecondOrderSettings:
    """Returns the settings that a dump was made for, from its beginning alone.

    Raises:
        InvalidModel: it does not begin as a dump of this engine does.
    """
    try:
        return parse_settings(_read_begin(blob)[len(MAGIC) : -1].decode("ascii"))
    except (ValueError, InvalidPolicy) as error:
        raise InvalidModel("The bytes do not begin as a model of this engine does.") from error


def _read_begin(blob: bytes) -> bytes:
    """The magic number and the line of the settings; empty: there are none."""
    end = blob.find(b"\n", len(MAGIC), len(MAGIC) + CHARACTERS)
    return blob[: end + 1] if is_second_order_model(blob) else b""


def _digest(begin: bytes, content: bytes) -> bytes:
    return blake2b(begin + content, digest_size=_DIGEST_BYTES).digest()
