"""What a dump of any engine is to others: the file that is exported, and whether a loop can go on from it.

A dump is what an engine writes and reads, with a checksum. Its file is what leaves the service: the one that
Vowpal Wabbit reads, or the dump itself where the engine is our own, or prepares numbers for Vowpal Wabbit.
Nothing here loads a model.
"""

from msgspec import Struct

from sartor.errors import Corrupt, InvalidModel
from sartor.learn import model_file
from sartor.learn.arguments import PolicyArguments, parse_arguments
from sartor.learn.engines import create_engine
from sartor.learn.preparation import prepared_dump
from sartor.learn.second_order import dump_header
from sartor.learn.second_order.arguments import (
    MARK,
    find_structure_mismatch,
    is_second_order,
    parse_settings,
    spell_structure,
)

VOWPAL_WABBIT_FILE, SECOND_ORDER_FILE = "model.vw", "model.sartor"
FILE_NAMES = (VOWPAL_WABBIT_FILE, SECOND_ORDER_FILE)
"""What the file of a model is called, and the member of the zip with its signature."""


class ModelFile(Struct, frozen=True):
    """A model as it leaves the service: what the file is called, and its bytes."""

    name: str
    content: bytes


def export_file(blob: bytes, /) -> ModelFile:
    """Returns the file of a dump.

    Raises:
        Corrupt: the bytes are not a whole, unchanged dump.
    """
    if dump_header.is_second_order_model(blob):
        dump_header.open_dump(blob)
        return ModelFile(SECOND_ORDER_FILE, blob)
    if prepared_dump.is_prepared_model(blob):
        prepared_dump.check_dump(blob)
        return ModelFile(SECOND_ORDER_FILE, blob)
    return ModelFile(VOWPAL_WABBIT_FILE, model_file.strip_checksum(blob))


def import_file(content: bytes, /) -> bytes:
    """Returns the dump of a file that an engine wrote: the inverse of ``export_file``."""
    return content if _is_ours(content) else model_file.add_checksum(content)


def name_file(content: bytes, /) -> str:
    """Returns what the file of a model is called, from its content."""
    return SECOND_ORDER_FILE if _is_ours(content) else VOWPAL_WABBIT_FILE


def _is_ours(content: bytes) -> bool:
    return dump_header.is_second_order_model(content) or prepared_dump.is_prepared_model(content)


def is_dump(blob: bytes, /) -> bool:
    """Whether bytes are a whole, unchanged dump."""
    try:
        export_file(blob)
    except Corrupt:
        return False
    return True


def check_options(blob: bytes, /) -> None:
    """Check that a dump holds no options but those for learning and exploration.

    Raises:
        Corrupt: it is no dump.
        InvalidModel: it holds others.
    """
    content = export_file(blob).content
    if dump_header.is_second_order_model(content):
        dump_header.read_structure(content)
    else:
        _read_header(content)


def check_fit(content: bytes, arguments: str, /) -> None:
    """Check from the beginning of a file that a loop with these learning settings can train on from the model.

    Args:
        content: the first ``model_file.HEADER_BYTES`` of the file, or more.
        arguments: learning settings.

    Raises:
        InvalidModel: it can't, or the bytes begin as no model does.
        InvalidPolicy: the arguments are not accepted.
    """
    if dump_header.is_second_order_model(content):
        own = dump_header.read_structure(content)
        options, difference = spell_structure(own), f"they are for Vowpal Wabbit, the model is for {MARK}"
        if is_second_order(arguments):
            difference = find_structure_mismatch(own, parse_settings(arguments)) or ""
    else:
        header = _read_header(content)
        options, difference = str(header.options), f"they are for {MARK}, the model is for Vowpal Wabbit"
        if not is_second_order(arguments):
            difference = _find_difference(header, content, parse_arguments(arguments))
    if difference:
        raise InvalidModel(
            f"The model does not fit the learning settings of this loop: {difference}. Its own are: {options}."
        )


def _find_difference(header: model_file.ModelFileHeader, content: bytes, arguments: PolicyArguments) -> str:
    """What differs between a model of Vowpal Wabbit and the learning settings of a loop; empty: nothing."""
    prepared = prepared_dump.is_prepared_model(content)
    if prepared is not arguments.prepares:
        return f"the model was made {'with' if prepared else 'without'} --prepare"
    return model_file.find_mismatch(header, _read_vowpal_wabbit(" ".join(arguments.tokens()))) or ""


def _read_header(content: bytes) -> model_file.ModelFileHeader:
    is_prepared = prepared_dump.is_prepared_model(content)
    return model_file.read_header(prepared_dump.skip_to_model(content) if is_prepared else content)


def _read_vowpal_wabbit(arguments: str) -> model_file.ModelFileHeader:
    engine = create_engine(arguments)
    try:
        return model_file.read_header(model_file.strip_checksum(engine.dump()))
    finally:
        engine.close()
