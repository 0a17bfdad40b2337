"""Checks the learning settings of a loop, with the reason if they are refused (contract, 1.6 and 2.11)."""

from collections.abc import Sequence

from sartor.dsjson.multi_slot import encode_slot_query
from sartor.errors import EngineRefused, InvalidPolicy
from sartor.learn.arguments import PolicyArguments, parse_arguments
from sartor.learn.engines import create_engine, fills_several_slots, spell_arguments
from sartor.learn.second_order.arguments import is_second_order
from sartor.ports import Engine
from sartor.records import open_indexes

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
_SLOTS_LINE = (
    b'{"Timestamp":"2022-09-01T00:00:00.000000Z","Version":"1",%b,"_slots":[{"_id":"x","sj":[{"place":"top"}]},'
    b'{"_id":"y","sj":[]}]},"_outcomes":[{"_label_cost":-1,"_id":"x","_a":[2,0,1],"_p":[0.4,0.3,0.3]},'
    b'{"_label_cost":0,"_id":"y","_a":[0,1],"_p":[0.5,0.5]}]}' % _ACTIONS[:-1]
)


def check_policy(arguments: str, /) -> str:
    """Returns learning settings in one spelling: single spaces, no ``--dsjson``, ``--json`` and ``--quiet``.

    They are tried in a temporary engine, which must rank, learn, and rank again (about 5 ms).

    Raises:
        InvalidPolicy: with the reason, and the name of the option if it is about one.
    """
    if not is_second_order(arguments):
        _check_kind(parse_arguments(arguments))
    engine = create_engine(arguments)
    try:
        try_policy(engine, several_slots=fills_several_slots(arguments))
    except EngineRefused as error:
        raise InvalidPolicy(f"The learning settings failed a trial. {error.message}") from error
    finally:
        engine.close()
    return spell_arguments(arguments)


def _check_kind(accepted: PolicyArguments) -> None:
    if accepted.several_slots and accepted.values("cb_explore_adf"):
        raise InvalidPolicy("Give --cb_explore_adf for one slot, or --ccb_explore_adf for several, not both.")


def try_policy(engine: Engine, /, *, several_slots: bool = False) -> None:
    """Rank, learn, and rank again; the engine is of no use afterwards.

    Raises:
        EngineRefused: the engine can't.
    """
    line, rank = (_SLOTS_LINE, _rank_slots) if several_slots else (_LINE, _rank)
    rank(engine)
    engine.learn(line)
    rank(engine)


def _rank(engine: Engine) -> None:
    engine.probabilities(_CONTEXT, 3)


def _rank_slots(engine: Engine) -> None:
    _rank_slot(engine, taken=())
    _rank_slot(engine, taken=(2,))


def _rank_slot(engine: Engine, *, taken: Sequence[int]) -> None:
    offered = open_indexes(3, taken)
    query = encode_slot_query(_CONTEXT, b'[{"place":"top"}]', taken=taken, offered=offered)
    engine.slot_probabilities(query, 3, slots=len(taken) + 1, offered=offered)
