"""Features by name: which of them the engine reads, and features or a decision without one of them.

A feature belongs to the nearest object that encloses it (contract, section 2.12): ``{"user": {"age": 3}}`` has
``age`` in the namespace ``user``. What no name encloses is in ``Context``, ``Action`` or ``Slot``, words of the
retired service; the id of an action is the feature ``id`` of ``Action``. Names are those that the caller sent.
Explanations and feature importance both name features by these functions.
"""

from collections.abc import Iterator, Sequence

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from sartor.dsjson.context_json import readable_members
from sartor.records import Action, Decision, Slot

CONTEXT, ACTION, SLOT = "Context", "Action", "Slot"
_ID = "id"

_ROUNDS_TO_ZERO = 2.0**-150
"""The engine reads numbers in single precision: those of this magnitude or less are 0 to it."""

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


class FeatureName(Struct, frozen=True, order=True):
    """The name of a feature; or, where ``name`` is empty, of a whole namespace."""

    namespace: str
    name: str = ""

    def __str__(self) -> str:
        """As people see it: ``namespace.name``."""
        return f"{self.namespace}.{self.name}" if self.name else self.namespace


ACTION_ID = FeatureName(ACTION, _ID)
"""The id of an action, which is a feature of it."""


def list_feature_names(features: bytes, /, *, namespace: str) -> list[FeatureName]:
    """Returns the features that the engine reads in a blob, each once, in their order.

    Left out are values that the engine takes for nothing (``null``, ``false``, 0, an array without another
    number than 0, a ``_text`` without words) and names that never reach it (``strip_reserved_names``).

    Args:
        features: JSON array of feature objects, of a context, an action or a slot.
        namespace: the one of features that no object encloses: ``CONTEXT``, ``ACTION`` or ``SLOT``.
    """
    return list(dict.fromkeys(_read_names(_decode(features), namespace)))


def _read_names(value: object, namespace: str) -> Iterator[FeatureName]:
    """An array of numbers is one feature."""
    if isinstance(value, list):
        for item in value:
            yield from _read_names(item, namespace)
    elif isinstance(value, dict):
        for name, inner in readable_members(value).values():
            if isinstance(inner, dict):
                yield from _read_names(inner, name)
            elif _is_read(name, inner):
                yield FeatureName(namespace, name)


def _is_read(name: str, value: object) -> bool:
    """Whether the engine makes a feature of a value."""
    if isinstance(value, list):
        return any(map(_is_nonzero, value))
    if isinstance(value, str):
        return name != "_text" or bool(value.strip(" \t"))
    return _is_nonzero(value)


def _is_nonzero(value: object) -> bool:
    return isinstance(value, int | float) and abs(value) > _ROUNDS_TO_ZERO


def find_value(features: bytes, name: str, /, *, namespace: str) -> str:
    """Returns the first value of a feature that is a text or a number, as text; empty: there is none.

    A number and the same number as a text are one value. Here 0 and false are values too.

    Args:
        features: JSON array of feature objects, canonical (``sartor.features.canonical``).
        name: the feature as people see it, ``namespace.name``.
        namespace: as in ``list_feature_names``.
    """
    if _encode(name.rpartition(".")[2])[1:-1] not in features:
        return ""
    return next(_read_values(_decode(features), name, namespace), "")


def _read_values(value: object, name: str, namespace: str) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _read_values(item, name, namespace)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, dict):
                yield from _read_values(inner, name, key)
            elif name == f"{namespace}.{key}" and isinstance(inner, str | int | float) and inner != "":
                yield inner if isinstance(inner, str) else _encode(inner).decode()


def remove_feature(features: bytes, name: FeatureName, /, *, namespace: str) -> bytes:
    """Returns a blob without a feature, or without all features of a namespace.

    Args:
        features: JSON array of feature objects, canonical (``sartor.features.canonical``).
        name: what is removed; a blob that does not hold it is returned as it is.
        namespace: as in ``list_feature_names``.
    """
    sought = name.namespace if namespace != name.namespace else name.name
    if sought and _encode(sought)[1:-1] not in features:
        return features
    return _encode(_prune(_decode(features), name, namespace))


def _prune(value: object, name: FeatureName, namespace: str) -> object:
    if isinstance(value, dict):
        return {
            key: _prune(inner, name, key if isinstance(inner, dict) else namespace)
            for key, inner in value.items()
            if isinstance(inner, dict) or namespace != name.namespace or name.name not in ("", key)
        }
    if isinstance(value, list):
        return [_prune(inner, name, namespace) for inner in value]
    return value


def list_decision_features(decision: Decision, /) -> list[FeatureName]:
    """Returns the features that the engine reads of a decision, each once: of context, actions and slots.

    Of a single-slot decision the excluded actions never reach the engine. An empty id, which only an imported
    log can hold, names nothing.
    """
    names = list_feature_names(decision.context, namespace=CONTEXT)
    read = range(len(decision.actions)) if decision.slots else decision.rankable
    for action in [decision.actions[index] for index in read]:
        names += [ACTION_ID] if action.id else []
        names += list_feature_names(action.features, namespace=ACTION)
    for slot in decision.slots:
        names += list_feature_names(slot.features, namespace=SLOT)
    return list(dict.fromkeys(names))


def remove_decision_feature(decision: Decision, name: FeatureName, /) -> Decision:
    """Returns a decision as if a feature, or all features of a namespace, had not been sent."""
    return replace(
        decision,
        context=remove_feature(decision.context, name, namespace=CONTEXT),
        actions=tuple([_without_action_feature(action, name) for action in decision.actions]),
        slots=tuple([_without_slot_feature(slot, name) for slot in decision.slots]),
    )


def _without_action_feature(action: Action, name: FeatureName) -> Action:
    is_nameless = name in (ACTION_ID, FeatureName(ACTION))
    features = remove_feature(action.features, name, namespace=ACTION)
    return Action("" if is_nameless else action.id, features)


def _without_slot_feature(slot: Slot, name: FeatureName) -> Slot:
    return replace(slot, features=remove_feature(slot.features, name, namespace=SLOT))


def list_namespaces(names: Sequence[FeatureName], /) -> list[FeatureName]:
    """Returns the namespaces that hold more than one of these features."""
    namespaces = [name.namespace for name in names]
    return [FeatureName(one) for one in dict.fromkeys(namespaces) if namespaces.count(one) > 1]
