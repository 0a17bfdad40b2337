"""The seal on a dump: a digest after the engine's own file, whose reader takes changed bytes without a word."""

from hashlib import blake2b

from sartor.errors import Corrupt

_SEAL = b"sartor1\n"
_DIGEST_BYTES = 16


def sealed(model: bytes, /) -> bytes:
    """The engine's own file as a dump."""
    return model + _SEAL + blake2b(model, digest_size=_DIGEST_BYTES).digest()


def unsealed(blob: bytes, /) -> bytes:
    """The engine's own file in a dump: what other programs load.

    Raises:
        Corrupt: these are not the bytes of a dump, or not all of them.
    """
    model = blob[: -len(_SEAL) - _DIGEST_BYTES]
    if sealed(model) != blob:
        raise Corrupt("The bytes are not a model as it was written.")
    return model
