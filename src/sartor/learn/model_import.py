"""Imports a foreign model file: checks it, tries it, and writes it again with our own engine.

Run it in a process of its own: malicious bytes can crash the engine's reader. The result is a dump by the
engine itself, so that no process that ranks or learns ever reads the foreign bytes.
"""

from sartor.errors import Corrupt, EngineRefused, InvalidModel
from sartor.learn.dumps import check_fit, import_file
from sartor.learn.engines import create_engine, fills_several_slots
from sartor.learn.policy import try_policy


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
    check_fit(model, arguments)
    blob = import_file(model)
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


def _dump_engine(arguments: str, blob: bytes) -> bytes:
    engine = create_engine(arguments, blob)
    try:
        return engine.dump()
    finally:
        engine.close()
