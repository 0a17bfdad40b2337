"""The line format of the joined log (dsjson), as the retired service wrote it (contract, 2.12 and 3.1).

One line is one outcome, and exactly what the engine learns from: export and training share this file. The
label comes first, because Vowpal Wabbit ignores a label that follows the context without a word.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache

import msgspec
from msgspec import UNSET, Struct, UnsetType

from sartor.records import Action, Decision, Joined, LoggedDecision, Outcome

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


def context(features: bytes, actions: Sequence[Action]) -> bytes:
    """What the engine sees of a request: the context's features, and one object per rankable action.

    The id of an action is a feature of it, as in the retired service (contract, section 2.12).
    """
    features_of = [action.features for action in actions]
    if not _is_safe(b"".join(features_of)):  # one search for all costs a third of one search each
        features_of = [engine_safe(blob) for blob in features_of]
    parts = []
    for action, blob in zip(actions, features_of, strict=True):
        name = _encode(action.id)
        parts.append(b'{"_tag":%b,"i":{"constant":1,"id":%b},"j":%b}' % (name, name, blob))
    return b'{"FromUrl":%b,"_multi":[%b]}' % (engine_safe(features), b",".join(parts))


def engine_safe(features: bytes) -> bytes:
    """The features without the names that the engine's reader would take for commands, or crash on.

    Names that begin with an underscore are dropped, as the engine ignored them in the retired service, except
    ``_text`` with a text, which it splits into words. Left in, ``_multi`` or ``_label`` break a request or
    forge a label (``docs/design/engine.md``). Namespaces (names of objects and arrays) whose first character
    is not ASCII get a ``%`` before it: the engine takes the first byte for an index, and on those dies.
    """
    return features if _is_safe(features) else _encode(_made_safe(_decode(features)))


def _is_safe(features: bytes) -> bool:
    return b'"_' not in features and features.isascii()


def _made_safe(value: object) -> object:
    if isinstance(value, dict):
        return {_safe_name(k, v): _made_safe(v) for k, v in value.items() if _is_feature(k, v)}
    if isinstance(value, list):
        return [_made_safe(item) for item in value]
    return value


def _safe_name(name: str, value: object) -> str:
    is_namespace = isinstance(value, dict | list)
    return f"%{name}" if is_namespace and not name[:1].isascii() else name


def _is_feature(name: str, value: object) -> bool:
    return not name.startswith("_") or (name == "_text" and isinstance(value, str))


def outcome_line(logged: LoggedDecision, outcome: Outcome) -> bytes:
    """One line of the joined log, without its line end; learnable unless it holds ``_skipLearn``."""
    decision = logged.decision
    rankable = decision.rankable
    label = rankable.index(decision.chosen)
    cost = _encode(-outcome.reward + 0.0)  # + 0.0: a cost of -0.0 would be written as such
    return b"".join(
        (
            b'{"_label_cost":%b,"_label_probability":%b,' % (cost, _encode(decision.propensity)),
            b'"_label_Action":%d,"_labelIndex":%d,' % (label + 1, label),
            b"" if outcome.learnable else b'"_skipLearn":true,',
            b'"o":%b,' % _encode([_observed(outcome.event_id, joined) for joined in outcome.joined]),
            _decision_members(logged, rankable),
            b',"_original_label_cost":%b}' % cost,
        )
    )


def pending_line(logged: LoggedDecision) -> bytes:
    """A decision that is not settled yet, marked ``_pending`` and ``_skipLearn``: it has no label."""
    return b'{"_pending":true,"_skipLearn":true,%b}' % _decision_members(logged, logged.decision.rankable)


def _decision_members(logged: LoggedDecision, rankable: tuple[int, ...]) -> bytes:
    decision = logged.decision
    number = {index: place + 1 for place, index in enumerate(rankable)}
    ranked = [index for index in decision.ranking if index in number]
    return b'"Timestamp":"%b","Version":"1","EventId":%b,"a":%b,"c":%b,"p":%b,"VWState":{"m":%b}' % (
        timestamp(logged.at_us).encode(),
        _encode(decision.event_id),
        _encode([number[index] for index in ranked]),
        rankable_context(decision, rankable),
        _encode([decision.probabilities[index] for index in ranked]),
        _encode(decision.model_id),
    )


def rankable_context(decision: Decision, rankable: tuple[int, ...]) -> bytes:
    """The context that the engine saw when it made this decision."""
    return context(decision.context, [decision.actions[index] for index in rankable])


class _Observed(Struct):
    v: float | UnsetType
    EventId: str
    ActionTaken: bool


def _observed(event_id: str, joined: Joined) -> _Observed:
    if joined.reward is None:
        return _Observed(UNSET, event_id, True)
    return _Observed(joined.reward, event_id, False)


def timestamp(at_us: int) -> str:
    """A time as the log writes it: UTC, microseconds, ``Z``."""
    seconds, micros = divmod(at_us, 1_000_000)
    return f"{_second(seconds)}.{micros:06d}Z"


@lru_cache(maxsize=256)
def _second(seconds: int) -> str:
    # Neighbours in the log share their second, and a calendar costs as much as the rest of a line.
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
