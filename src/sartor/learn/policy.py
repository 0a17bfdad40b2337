"""Learning settings of a loop: accepted or refused, with the reason (contract, sections 1.6 and 2.11)."""

import re

from sartor.errors import EngineRefused, InvalidPolicy
from sartor.learn.arguments import parsed
from sartor.learn.vw import VowpalWabbit
from sartor.ports import Engine

_EPSILON = re.compile(r"(?<!\S)--epsilon(=|\s+)\S+")

_ACTIONS = (
    b'"c":{"FromUrl":[{"user":{"age":30,"device":"mobile"}},{"hour":9}],"_multi":['
    b'{"_tag":"a","i":{"constant":1,"id":"a"},"j":[{"topic":"sports","length":2.5}]},'
    b'{"_tag":"b","i":{"constant":1,"id":"b"},"j":[{"topic":"finance","length":[1,0.5]}]},'
    b'{"_tag":"c","i":{"constant":1,"id":"c"},"j":[{"topic":"travel"}]}]}'
)
_CONTEXT = _ACTIONS.removeprefix(b'"c":')
_LINE = (
    b'{"_label_cost":-1,"_label_probability":0.5,"_label_Action":2,"_labelIndex":1,"a":[2,1,3],%b}' % _ACTIONS
)


def checked(arguments: str, /) -> str:
    """The learning settings in one spelling: single spaces, without ``--dsjson``, ``--json`` and ``--quiet``.

    They are tried in an engine that is thrown away: it must rank, learn, and rank again (about 5 ms).

    Raises:
        InvalidPolicy: with the reason, and the name of the option where it is about one.
    """
    accepted = parsed(arguments)
    engine = VowpalWabbit(accepted)
    try:
        try_out(engine)
    except EngineRefused as error:
        raise InvalidPolicy(f"The learning settings failed a trial. {error.message}") from error
    finally:
        engine.close()
    return str(accepted)


def try_out(engine: Engine, /) -> None:
    """Rank, learn, and rank again.

    Raises:
        EngineRefused: the engine can't; throw it away either way.
    """
    engine.probabilities(_CONTEXT, 3)
    engine.learn(_LINE)
    engine.probabilities(_CONTEXT, 3)


def with_exploration(arguments: str, /, *, epsilon: float) -> str:
    """The settings with the number after ``--epsilon`` replaced; unchanged where there is none.

    Args:
        arguments: learning settings.
        epsilon: the exploration percentage of the loop, 0 to 1.
    """
    return _EPSILON.sub(rf"--epsilon\g<1>{float(epsilon)!r}", arguments)
