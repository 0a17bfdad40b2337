"""Features by name: which there are in a decision, and the decision without one of them.

A feature belongs to the nearest object that encloses it (contract, section 2.12): ``{"user": {"age": 3}}`` has
``age`` in the namespace ``user``. What no name encloses is in ``Context``, ``Action`` or ``Slot``, words of the
retired service; the id of an action is the feature ``id`` of ``Action``.
"""

from collections.abc import Iterator, Sequence

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from sartor.records import Action, Decision, Slot

CONTEXT, ACTION, SLOT = "Context", "Action", "Slot"
_ID = "id"

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


class Feature(Struct, frozen=True, order=True):
    """A feature; or, where ``name`` is empty, a whole namespace."""

    namespace: str
    name: str = ""

    def __str__(self) -> str:
        """As it is shown: ``namespace.name``."""
        return f"{self.namespace}.{self.name}" if self.name else self.namespace


def list_features(decision: Decision, /) -> Iterator[Feature]:
    """Every feature of a decision; those that several actions have come several times."""
    yield from _named(_decode(decision.context), CONTEXT)
    for action in decision.actions:
        yield Feature(ACTION, _ID)
        yield from _named(_decode(action.features), ACTION)
    for slot in decision.slots:
        yield from _named(_decode(slot.features), SLOT)


def _named(value: object, namespace: str) -> Iterator[Feature]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if isinstance(inner, dict):
                yield from _named(inner, name)
            elif not _is_ignored(name, inner):
                yield Feature(namespace, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _named(inner, namespace)


def _is_ignored(name: str, value: object) -> bool:
    """The engine sees nothing of names with an underscore, but for ``_text``, nor of ``false`` and ``null``."""
    return (name.startswith("_") and name != "_text") or value is None or value is False


def without_feature(decision: Decision, left_out: Feature, /) -> Decision:
    """The decision as if nobody had sent a feature, or a namespace."""
    return replace(
        decision,
        context=_less(decision.context, left_out, CONTEXT),
        actions=tuple([_action(action, left_out) for action in decision.actions]),
        slots=tuple([_slot(slot, left_out) for slot in decision.slots]),
    )


def _action(action: Action, left_out: Feature) -> Action:
    nameless = left_out.namespace == ACTION and left_out.name in ("", _ID)
    return Action("" if nameless else action.id, _less(action.features, left_out, ACTION))


def _slot(slot: Slot, left_out: Feature) -> Slot:
    return replace(slot, features=_less(slot.features, left_out, SLOT))


def _less(blob: bytes, left_out: Feature, namespace: str) -> bytes:
    sought = left_out.namespace if namespace != left_out.namespace else left_out.name
    if sought and _encode(sought)[1:-1] not in blob:
        return blob
    return _encode(_pruned(_decode(blob), left_out, namespace))


def _pruned(value: object, left_out: Feature, namespace: str) -> object:
    if isinstance(value, dict):
        return {
            name: _pruned(inner, left_out, name if isinstance(inner, dict) else namespace)
            for name, inner in value.items()
            if isinstance(inner, dict) or not _is_meant(name, left_out, namespace)
        }
    if isinstance(value, list):
        return [_pruned(inner, left_out, namespace) for inner in value]
    return value


def _is_meant(name: str, left_out: Feature, namespace: str) -> bool:
    return namespace == left_out.namespace and left_out.name in ("", name)


def list_namespaces(found: Sequence[Feature], /) -> list[Feature]:
    """The namespaces that hold more than one of these features."""
    names = [feature.namespace for feature in found]
    return [Feature(name) for name in dict.fromkeys(names) if names.count(name) > 1]
