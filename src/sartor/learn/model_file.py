"""The head of the engine's own model file, read without the engine, whose reader trusts every byte of it.

The options in a model file take effect when it is loaded, those that name files to write included. So a file
of unknown origin is looked at here first: nothing but options for learning and exploration may be in it.
"""

import struct
from collections import Counter
from hashlib import blake2b

from msgspec import Struct

from sartor.errors import Corrupt, InvalidModel, InvalidPolicy
from sartor.learn.arguments import PolicyArguments, VwOption, parse_arguments

_BITS = (10, 24)
_TEXT_BYTES = 16_384
_TEMPLATES = 32

_BOOKKEEPING = frozenset(
    {"per_model_save_load", "preserve_performance_counters", "predict_only_model", "save_resume", "no_predict"}
)
"""How a file was saved; such flags change nothing of what is in it."""

_FREE = frozenset(
    {
        *("epsilon", "gamma_scale", "gamma_exponent", "mellowness", "lambda", "psi", "clip_p"),
        *("learning_rate", "power_t", "initial_t", "l1", "l2", "random_seed", "first", "greedify", "nounif"),
        *("cb_min_cost", "cb_max_cost", "min_prediction", "max_prediction"),
    }
)
"""Options that may differ between a model and a loop: how fast to learn, how much to explore."""


class ModelFileHeader(Struct, frozen=True, kw_only=True):
    """What a model file says of itself. ``options`` are in the order in which they are in the file."""

    version: str
    bits: int
    ngrams: tuple[str, ...]
    options: PolicyArguments


def read_header(model: bytes, /) -> ModelFileHeader:
    """Read the head of a model file.

    Raises:
        InvalidModel: it is not one, or it holds an option that is not accepted.
    """
    reader = _HeaderReader(model)
    version = reader.text()
    reader.text()  # the id of the model
    if reader.take(1) != b"m" or not version.replace(".", "").isdigit():
        raise InvalidModel("The bytes do not begin as a model of Vowpal Wabbit does.")
    reader.take(8)  # the range of the labels
    bits, _ = reader.number(), reader.number()
    if not _BITS[0] <= bits <= _BITS[1]:
        raise InvalidModel(f"The model has {bits} bits of weights; {_BITS[0]} to {_BITS[1]} are accepted.")
    ngrams = reader.templates()
    if reader.templates():
        raise InvalidModel("The model was made with the option --skips, which is not accepted.")
    return ModelFileHeader(version=version, bits=bits, ngrams=ngrams, options=_options(reader.text()))


def find_mismatch(model: ModelFileHeader, wanted: ModelFileHeader, /) -> str | None:
    """Why a loop can't go on from a model: the options that differ; None where it can.

    Args:
        model: the head of the model.
        wanted: the head of a model that the loop's own learning settings make.
    """
    if model.bits != wanted.bits:
        return f"it has {model.bits} bits of weights, the loop's learning settings say {wanted.bits}"
    own, loops = _fixed(model), _fixed(wanted)
    additional, missing = own - loops, loops - own
    parts = [f"it was made with {_listed(additional)}"] if additional else []
    parts += [f"it was made without {_listed(missing)}"] if missing else []
    return " and ".join(parts) or None


def _options(text: str) -> PolicyArguments:
    try:
        words = [word for word in text.split(" ") if word.removeprefix("--") not in _BOOKKEEPING]
        return parse_arguments(" ".join(words))
    except InvalidPolicy as error:
        raise InvalidModel(f"The model holds options that are not accepted. {error.message}") from error


def _fixed(head: ModelFileHeader) -> Counter[str]:
    options = [_spelled(option) for option in head.options.options if option.name not in _FREE]
    return Counter([*options, *(f"--ngram {ngram}" for ngram in head.ngrams)])


def _spelled(option: VwOption) -> str:
    return f"--{option.name}" if option.value is None else f"--{option.name} {option.value}"


def _listed(options: Counter[str]) -> str:
    return ", ".join(sorted(options.elements()))


class _HeaderReader:
    """Takes parts from the front of the bytes; lengths that don't fit are an error, never a surprise."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0

    def take(self, count: int) -> bytes:
        part = self._content[self._at : self._at + count]
        if len(part) < count:
            raise InvalidModel("The model ends in the middle of its head.")
        self._at += count
        return part

    def number(self) -> int:
        value: int = struct.unpack("<I", self.take(4))[0]
        return value

    def text(self) -> str:
        length = self.number()
        if not 1 <= length <= _TEXT_BYTES:
            raise InvalidModel("The bytes do not begin as a model of Vowpal Wabbit does.")
        part = self.take(length)
        if part[-1:] != b"\0" or b"\0" in part[:-1] or not part.isascii():
            raise InvalidModel("The head of the model holds a text that can't be read.")
        return part[:-1].decode("ascii")

    def templates(self) -> tuple[str, ...]:
        count = self.number()
        if count > _TEMPLATES:
            raise InvalidModel("The head of the model can't be read.")
        return tuple(self.take(3).rstrip(b"\0").decode("latin-1") for _ in range(count))


_SEAL = b"sartor1\n"
_DIGEST_BYTES = 16


def add_checksum(model: bytes, /) -> bytes:
    """The engine's own file as a dump."""
    return model + _SEAL + blake2b(model, digest_size=_DIGEST_BYTES).digest()


def strip_checksum(blob: bytes, /) -> bytes:
    """The engine's own file in a dump: what other programs load.

    Raises:
        Corrupt: these are not the bytes of a dump, or not all of them.
    """
    model = blob[: -len(_SEAL) - _DIGEST_BYTES]
    if add_checksum(model) != blob:
        raise Corrupt("The bytes are not a model as it was written.")
    return model
