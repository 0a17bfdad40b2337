"""Makes the engine that learning settings name.

Second-order regressors (``--sartor``), or Vowpal Wabbit: with numbers prepared (``--prepare``), or as they are.
"""

from sartor.engines import Engine
from sartor.learn.arguments import parse_arguments
from sartor.learn.second_order.arguments import is_second_order, parse_settings, spell_settings
from sartor.loops import SEVERAL_SLOTS


def create_engine(arguments: str, blob: bytes | None = None, /) -> Engine:
    """Create an engine, empty or with the state of a dump made under the same arguments (an ``EngineFactory``).

    Raises:
        InvalidPolicy: the arguments are not accepted.
        Corrupt: the blob is not a model, or one of other arguments.
    """
    # Imported here: a process that serves loops of one kind needs the other engine's libraries for nothing.
    if is_second_order(arguments):
        from sartor.learn.second_order.engine import create_second_order_engine

        return create_second_order_engine(arguments, blob)
    if parse_arguments(arguments).prepares:
        from sartor.learn.preparation.prepared_engine import create_prepared_engine

        return create_prepared_engine(arguments, blob)
    from sartor.learn.vw import create_engine as create_vowpal_wabbit

    return create_vowpal_wabbit(arguments, blob)


def spell_arguments(arguments: str, /) -> str:
    """Returns learning settings in one spelling: single spaces, no flags without a meaning.

    Raises:
        InvalidPolicy: an option or a value that is not accepted, named in the message.
    """
    return spell_settings(arguments) if is_second_order(arguments) else str(parse_arguments(arguments))


def for_several_slots(arguments: str, /) -> str:
    """Returns accepted learning settings for one slot as settings for several."""
    if is_second_order(arguments):
        return f"{arguments} {SEVERAL_SLOTS}"
    return arguments.replace("--cb_explore_adf", SEVERAL_SLOTS)


def replay_tolerance(arguments: str, /) -> float:
    """Returns by how much a probability may differ when a model is learned again; 0: not by a bit.

    The second-order engine uses functions of the C library (logarithms, exponentials, angles) whose last bit is
    not the same everywhere, and keeps P in single precision; on one machine it is exact all the same.
    """
    return 1e-6 if is_second_order(arguments) else 0.0


def fills_several_slots(arguments: str, /) -> bool:
    """Whether learning settings are for several slots.

    Raises:
        InvalidPolicy: they are not accepted.
    """
    if is_second_order(arguments):
        return parse_settings(arguments).several_slots
    return parse_arguments(arguments).several_slots
