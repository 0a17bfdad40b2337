"""Taking in a model from elsewhere: checked, tried, and written anew by our own engine.

Run it in a process of its own: bytes made to harm can crash the engine's reader. What comes out is a dump by
the engine itself, so that no process that ranks or learns ever reads the bytes that came in.
"""

from sartor.errors import Corrupt, EngineRefused, InvalidModel
from sartor.learn import model_file
from sartor.learn.model_file import add_checksum, strip_checksum
from sartor.learn.policy import fills_several_slots, try_policy
from sartor.learn.vw import create_engine


def adopt_model(model: bytes, arguments: str, /) -> bytes:
    """A dump with the state of a model file, with which training under these arguments can go on.

    A file that was cut after its head can't be told from a whole one: only a signature can.

    Args:
        model: the engine's own file, of this or an older version, with or without the state of training.
        arguments: the loop's learning settings.

    Raises:
        InvalidModel: it is no model, or one that does not fit the arguments; the message says why.
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
        return _dumped(arguments, blob)
    except Corrupt as error:
        raise InvalidModel(error.message) from error
    except EngineRefused as error:
        raise InvalidModel(f"The model failed a trial. {error.message}") from error


def check_header(model: bytes, arguments: str, /) -> None:
    """See that a model's options fit the arguments, from its head alone.

    Raises:
        InvalidModel: they do not, or it has no head.
        InvalidPolicy: the arguments are not accepted.
    """
    own = model_file.read_header(model)
    difference = model_file.find_mismatch(own, _head_made_by(arguments))
    if difference is not None:
        raise InvalidModel(
            f"The model does not fit the learning settings of this loop: {difference}. "
            f"Its own are: {own.options}."
        )


def _head_made_by(arguments: str) -> model_file.ModelFileHeader:
    return model_file.read_header(strip_checksum(_dumped(arguments, None)))


def _dumped(arguments: str, blob: bytes | None) -> bytes:
    made = create_engine(arguments, blob)
    try:
        return made.dump()
    finally:
        made.close()
