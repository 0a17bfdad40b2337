"""Taking in a model from elsewhere: checked, tried, and written anew by our own engine.

Run it in a process of its own: bytes made to harm can crash the engine's reader. What comes out is a dump by
the engine itself, so that no process that ranks or learns ever reads the bytes that came in.
"""

from sartor.errors import Corrupt, EngineRefused, InvalidModel
from sartor.learn import model_file
from sartor.learn.model_file import sealed, unsealed
from sartor.learn.policy import several_slots, try_out
from sartor.learn.vw import engine


def adopted(model: bytes, arguments: str, /) -> bytes:
    """A dump with the state of a model file, with which training under these arguments can go on.

    A file that was cut after its head can't be told from a whole one: only a signature can.

    Args:
        model: the engine's own file, of this or an older version, with or without the state of training.
        arguments: the loop's learning settings.

    Raises:
        InvalidModel: it is no model, or one that does not fit the arguments; the message says why.
        InvalidPolicy: the arguments are not accepted.
    """
    check(model, arguments)
    blob = sealed(model)
    try:
        trial = engine(arguments, blob)
        try:
            try_out(trial, several_slots=several_slots(arguments))
        finally:
            trial.close()
        return _dumped(arguments, blob)
    except Corrupt as error:
        raise InvalidModel(error.message) from error
    except EngineRefused as error:
        raise InvalidModel(f"The model failed a trial. {error.message}") from error


def check(model: bytes, arguments: str, /) -> None:
    """See that a model's options fit the arguments, from its head alone.

    Raises:
        InvalidModel: they do not, or it has no head.
        InvalidPolicy: the arguments are not accepted.
    """
    own = model_file.head(model)
    difference = model_file.misfit(own, _head_made_by(arguments))
    if difference is not None:
        raise InvalidModel(
            f"The model does not fit the learning settings of this loop: {difference}. "
            f"Its own are: {own.options}."
        )


def _head_made_by(arguments: str) -> model_file.Head:
    return model_file.head(unsealed(_dumped(arguments, None)))


def _dumped(arguments: str, blob: bytes | None) -> bytes:
    made = engine(arguments, blob)
    try:
        return made.dump()
    finally:
        made.close()
