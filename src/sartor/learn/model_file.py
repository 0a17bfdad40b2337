"""Reads the header of the engine's model file without the engine, whose reader trusts every byte of it.

The options in a model file take effect when it is loaded, including those that name files to write. So every
file is checked here first, also one of our own: it may hold nothing but options for learning and exploration.
The engine appends more parts of the header to these options (its id, its n-grams), so those are checked as
well, and older versions, whose header is laid out in another way, are refused. Also adds and checks the
checksum that makes a model file a dump.
"""

import re
import struct
from collections import Counter
from hashlib import blake2b

from msgspec import Struct

from sartor.errors import Corrupt, InvalidModel, InvalidPolicy
from sartor.learn.arguments import PolicyArguments, VwOption, parse_saved_options
from sartor.learn.options import ACCEPTED

_BITS = (10, 24)
_TEXT_BYTES = 16_384
_TEMPLATES = 32

HEADER_BYTES = 65_536
"""No header that is accepted is longer: it has three texts, and two lists of n-grams."""

_VERSION = re.compile(r"(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})", re.ASCII)
_OLDEST = (8, 0, 3)
"""The first version whose header has all the parts that are read here, and no others."""
_NOT_A_MODEL = "The bytes do not begin as a model of Vowpal Wabbit does."

_BOOKKEEPING = frozenset(
    {"per_model_save_load", "preserve_performance_counters", "predict_only_model", "save_resume", "no_predict"}
)
"""Flags that say how a file was saved; they don't affect its content."""

_FREE = frozenset(
    {
        *("epsilon", "gamma_scale", "gamma_exponent", "mellowness", "lambda", "psi", "clip_p"),
        *("learning_rate", "power_t", "initial_t", "l1", "l2", "random_seed", "first", "greedify", "nounif"),
        *("cb_min_cost", "cb_max_cost", "min_prediction", "max_prediction"),
    }
)
"""Options that may differ between a model and a loop: how fast to learn, how much to explore."""


class ModelFileHeader(Struct, frozen=True, kw_only=True):
    """The header of a model file. ``options`` are in the order of the file."""

    version: str
    bits: int
    ngrams: tuple[str, ...]
    options: PolicyArguments


def read_header(model: bytes, /) -> ModelFileHeader:
    """Read the header of a model file.

    Raises:
        InvalidModel: it is not a model file, or it holds an option that is not accepted.
    """
    reader = _HeaderReader(model)
    version = _check_version(reader.text())
    if reader.text():
        raise InvalidModel("The model was made with the option --id, which is not accepted.")
    if reader.take(1) != b"m":
        raise InvalidModel(_NOT_A_MODEL)
    reader.take(8)  # the range of the labels
    bits, topics = reader.number(), reader.number()
    if not _BITS[0] <= bits <= _BITS[1]:
        raise InvalidModel(f"The model has {bits} bits of weights; {_BITS[0]} to {_BITS[1]} are accepted.")
    if topics:
        raise InvalidModel("The model was made with the option --lda, which is not accepted.")
    ngrams = _check_ngrams(reader.templates())
    if reader.templates():
        raise InvalidModel("The model was made with the option --skips, which is not accepted.")
    options = _parse_options(reader.text(), bits=bits)
    return ModelFileHeader(version=version, bits=bits, ngrams=ngrams, options=options)


def find_mismatch(model: ModelFileHeader, wanted: ModelFileHeader, /) -> str | None:
    """Returns why a loop can't train on from a model: the options that differ; None: it can.

    Args:
        model: the header of the model.
        wanted: the header of a model under the loop's own learning settings.
    """
    if model.bits != wanted.bits:
        return f"it has {model.bits} bits of weights, the loop's learning settings say {wanted.bits}"
    own, loops = _fixed_options(model), _fixed_options(wanted)
    additional, missing = own - loops, loops - own
    parts = [f"it was made with {_list_options(additional)}"] if additional else []
    parts += [f"it was made without {_list_options(missing)}"] if missing else []
    return " and ".join(parts) or None


def _check_version(version: str) -> str:
    found = _VERSION.fullmatch(version)
    if found is None:
        raise InvalidModel(_NOT_A_MODEL)
    if tuple(map(int, found.groups())) < _OLDEST:
        oldest = ".".join(map(str, _OLDEST))
        raise InvalidModel(f"The model was written by version {version} of the engine; {oldest} is the oldest.")
    return version


def _check_ngrams(ngrams: tuple[str, ...]) -> tuple[str, ...]:
    check = ACCEPTED["ngram"]
    for ngram in ngrams:
        expected = check(ngram) if check else None
        if expected is not None:
            raise InvalidModel(f"The model holds options that are not accepted. --ngram takes {expected}.")
    return ngrams


def _parse_options(text: str, *, bits: int) -> PolicyArguments:
    try:
        return parse_saved_options(text, bits=bits, ignored=_BOOKKEEPING)
    except InvalidPolicy as error:
        raise InvalidModel(f"The model holds options that are not accepted. {error.message}") from error


def _fixed_options(header: ModelFileHeader) -> Counter[str]:
    options = [_spell(option) for option in header.options.options if option.name not in _FREE]
    return Counter([*options, *(f"--ngram {ngram}" for ngram in header.ngrams)])


def _spell(option: VwOption) -> str:
    return f"--{option.name}" if option.value is None else f"--{option.name} {option.value}"


def _list_options(options: Counter[str]) -> str:
    return ", ".join(sorted(options.elements()))


class _HeaderReader:
    """Reads parts from the front of the bytes, and checks every length."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0

    def take(self, count: int) -> bytes:
        part = self._content[self._at : self._at + count]
        if len(part) < count:
            raise InvalidModel("The model ends in the middle of its header.")
        self._at += count
        return part

    def number(self) -> int:
        value: int = struct.unpack("<I", self.take(4))[0]
        return value

    def text(self) -> str:
        length = self.number()
        if not 1 <= length <= _TEXT_BYTES:
            raise InvalidModel(_NOT_A_MODEL)
        part = self.take(length)
        if part[-1:] != b"\0" or b"\0" in part[:-1] or not part.isascii():
            raise InvalidModel("The header of the model holds a text that can't be read.")
        return part[:-1].decode("ascii")

    def templates(self) -> tuple[str, ...]:
        count = self.number()
        if count > _TEMPLATES:
            raise InvalidModel("The header of the model can't be read.")
        return tuple(self.take(3).rstrip(b"\0").decode("latin-1") for _ in range(count))


_MAGIC = b"sartor1\n"
_DIGEST_BYTES = 16


def add_checksum(model: bytes, /) -> bytes:
    """Returns the engine's own file as a dump: with a magic number and a digest appended."""
    return model + _MAGIC + blake2b(model, digest_size=_DIGEST_BYTES).digest()


def strip_checksum(blob: bytes, /) -> bytes:
    """Returns the engine's own file in a dump, which other programs can load.

    Raises:
        Corrupt: the bytes are not a whole, unchanged dump.
    """
    model = blob[: -len(_MAGIC) - _DIGEST_BYTES]
    if add_checksum(model) != blob:
        raise Corrupt("The bytes are not a model as it was written.")
    return model
