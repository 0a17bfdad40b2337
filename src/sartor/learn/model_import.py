"""Imports a foreign model file: checks it, tries it, and writes it again with our own engine.

Run it in a process of its own: malicious bytes can crash the engine's reader. The result is a dump by the
engine itself, so that no process that ranks or learns ever reads the foreign bytes.
"""

from sartor.errors import Corrupt, EngineRefused, InvalidModel
from sartor.learn import model_file
from sartor.learn.engines import fills_several_slots
from sartor.learn.model_file import add_checksum, strip_checksum
from sartor.learn.policy import try_policy
from sartor.learn.vw import create_engine


def convert_model(model: bytes, arguments: str, /) -> bytes:
    """Returns a dump with the state of a model file, from which training under these arguments can go on.

    A file that was cut after its header can't be distinguished from a whole one: only by a signature.

    Args:
        model: a model file of this or an older version of the engine, with or without the state of training.
        arguments: the loop's learning settings.

    Raises:
        InvalidModel: it is not a model, or does not fit the arguments; the message says why.
        InvalidPolicy: the arguments are not accepted.
    """
    check_header(model, arguments)
    blob = add_checksum(model)
    try:
        trial = create_engine(arguments, blob)
        try:
            try_policy(trial, several_slots=fills_several_slots(arguments))
        finally:
            trial.close()
        return _dump_engine(arguments, blob)
    except Corrupt as error:
        raise InvalidModel(error.message) from error
    except EngineRefused as error:
        raise InvalidModel(f"The model failed a trial. {error.message}") from error


def check_header(model: bytes, arguments: str, /) -> None:
    """Check that a model's options fit the arguments, from its header alone.

    Raises:
        InvalidModel: they do not, or it has no header.
        InvalidPolicy: the arguments are not accepted.
    """
    own = model_file.read_header(model)
    difference = model_file.find_mismatch(own, _read_own_header(arguments))
    if difference is not None:
        raise InvalidModel(
            f"The model does not fit the learning settings of this loop: {difference}. "
            f"Its own are: {own.options}."
        )


def _read_own_header(arguments: str) -> model_file.ModelFileHeader:
    return model_file.read_header(strip_checksum(_dump_engine(arguments, None)))


def _dump_engine(arguments: str, blob: bytes | None) -> bytes:
    engine = create_engine(arguments, blob)
    try:
        return engine.dump()
    finally:
        engine.close()
