"""Writes what the engine reads of a request: the ``c`` of a dsjson line (contract, section 2.12).

Context features and actions come first in it, slots last, so that each query about a slot begins with the
context of the actions.
"""

from collections.abc import Sequence

import msgspec

from sartor.records import Action, Decision

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


def encode_context(features: bytes, actions: Sequence[Action]) -> bytes:
    """Encodes what the engine reads of a request: the context's features, and one object per rankable action.

    The id of an action is a feature of it, as in the retired service (contract, section 2.12).

    Args:
        features: of the context: a JSON array of feature objects.
        actions: those that can be ranked.
    """
    features_of = [action.features for action in actions]
    if not _is_safe(b"".join(features_of)):  # one search for all costs a third of one search each
        features_of = [strip_reserved_names(blob) for blob in features_of]
    parts = []
    for action, blob in zip(actions, features_of, strict=True):
        name = _encode(action.id)
        parts.append(b'{"_tag":%b,"i":{"constant":1,"id":%b},"j":%b}' % (name, name, blob))
    return b'{"FromUrl":%b,"_multi":[%b]}' % (strip_reserved_names(features), b",".join(parts))


def strip_reserved_names(features: bytes) -> bytes:
    """Returns features without the names that the engine's parser takes for commands, or crashes on.

    Names that begin with an underscore are dropped, as the engine ignored them in the retired service, except
    ``_text`` with a text, which it splits into words. Left in, ``_multi`` or ``_label`` break a request or
    forge a label (``docs/design/engine.md``). Namespaces (names of objects and arrays) whose first character
    is not ASCII get a ``%`` before it: the engine uses the first byte as an index, and crashes on those.
    """
    return features if _is_safe(features) else _encode(_make_safe(_decode(features)))


def _is_safe(features: bytes) -> bool:
    return b'"_' not in features and features.isascii()


def _make_safe(value: object) -> object:
    if isinstance(value, dict):
        return {safe: _make_safe(inner) for safe, (_, inner) in readable_members(value).items()}
    if isinstance(value, list):
        return [_make_safe(item) for item in value]
    return value


def readable_members(members: dict[str, object], /) -> dict[str, tuple[str, object]]:
    """Returns the members of a feature object that reach the engine, by the names under which they do.

    Each is the name as it was sent, and the value.
    """
    return {
        _safe_name(name, value): (name, value) for name, value in members.items() if _is_feature(name, value)
    }


def _safe_name(name: str, value: object) -> str:
    is_namespace = isinstance(value, dict | list)
    return f"%{name}" if is_namespace and not name[:1].isascii() else name


def _is_feature(name: str, value: object) -> bool:
    return not name.startswith("_") or (name == "_text" and isinstance(value, str))


def encode_decision_context(decision: Decision, rankable: tuple[int, ...]) -> bytes:
    """Encodes the context that the engine read when it made this decision."""
    return encode_context(decision.context, [decision.actions[index] for index in rankable])


def drop_action_id(context: bytes, action: Action, /) -> bytes:
    """Returns an encoded context without the id of one of its actions among the features."""
    name = _encode(action.id)
    return context.replace(
        b'{"_tag":%b,"i":{"constant":1,"id":%b},' % (name, name), b'{"_tag":%b,"i":{"constant":1},' % name, 1
    )
