"""Parses the ``c`` of a line, which the engine was sent, into features, actions and slots (contract, 2.12).

The id of an action is its ``_tag``, or that in ``i``; ``j`` holds its features. Other members, which logs of
other ages or clients have (``s``, ``f``, namespaces of their own), are kept as features under their names.
"""

import msgspec
from msgspec import Struct

from sartor.errors import InvalidRequest
from sartor.features import canonical, read_object
from sartor.records import Action

_NOTHING = b"[]"
_CONSTANT = {"constant", "id"}

_Members = dict[str, msgspec.Raw]

_decode_members = msgspec.json.Decoder(_Members).decode
_decode_list = msgspec.json.Decoder(list[_Members]).decode
_decode_indexes = msgspec.json.Decoder(list[int]).decode
_decode_id = msgspec.json.Decoder(str | int | float).decode
_encode = msgspec.json.Encoder().encode


class ParsedSlot(Struct, frozen=True, kw_only=True):
    """A slot. ``included``: the actions that could go there; None: all."""

    id: str
    features: bytes
    included: list[int] | None


class ParsedContext(Struct, frozen=True, kw_only=True):
    """The features of the context, the actions in order, and the slots of a multi-slot line."""

    context: bytes
    actions: tuple[Action, ...]
    slots: tuple[ParsedSlot, ...]


def parse_context(raw: bytes, /) -> ParsedContext:
    """Parses the context of a line.

    Raises:
        InvalidRequest: it holds no actions.
        msgspec.DecodeError: it holds what no engine can take.
    """
    members = _decode_members(raw)
    actions = [_parse_action(one, place) for place, one in enumerate(_parse_list(members, "_multi"))]
    if not actions:
        raise InvalidRequest("c holds no actions (_multi).")
    return ParsedContext(
        context=_join_features(members, "FromUrl", known={"FromUrl", "_multi", "_slots"}),
        actions=tuple(actions),
        slots=tuple([_parse_slot(one, place) for place, one in enumerate(_parse_list(members, "_slots"))]),
    )


def _parse_list(members: _Members, name: str) -> list[_Members]:
    return _decode_list(members[name]) if name in members else []


def _parse_action(members: _Members, place: int) -> Action:
    member_i = _decode_members(members["i"]) if "i" in members else {}
    name = _decode_id(members.get("_tag") or member_i.get("id") or b'"%d"' % place)
    if not member_i.keys() <= _CONSTANT:
        members["i"] = msgspec.Raw(_encode({k: v for k, v in member_i.items() if k not in _CONSTANT}))
    else:
        members.pop("i", None)
    return Action(str(name), _join_features(members, "j", known={"_tag", "j"}))


def _parse_slot(members: _Members, place: int) -> ParsedSlot:
    name = _decode_id(members.get("_id") or b'"%d"' % place)
    return ParsedSlot(
        id=str(name),
        features=_join_features(members, "sj", known={"_id", "sj", "_inc", "_tag"}),
        included=_decode_indexes(members["_inc"]) if "_inc" in members else None,
    )


def _join_features(members: _Members, name: str, *, known: set[str]) -> bytes:
    others = {key: value for key, value in members.items() if key not in known}
    raw = bytes(members[name]) if name in members else _NOTHING
    return canonical(raw, others=read_object(others) if others else None)
