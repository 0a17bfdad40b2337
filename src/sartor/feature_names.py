"""Features by name: which of them the engine reads, and features or a decision without some of them.

A feature belongs to the nearest object that encloses it (contract, section 2.12): ``{"user": {"age": 3}}`` has
``age`` in the namespace ``user``. What no name encloses is in ``Context``, ``Action`` or ``Slot``, words of the
retired service; the id of an action is the feature ``id`` of ``Action``. Names are those that the caller sent.
Explanations and feature importance both name features by these functions.
"""

from collections.abc import Callable, Iterator, Sequence

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from sartor.bounded_cache import BoundedCache
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
    return list(dict.fromkeys(name for name, _ in _read_features(_decode(features), namespace)))


def _read_features(value: object, namespace: str) -> Iterator[tuple[FeatureName, object]]:
    """Yields names and values; an array of numbers is one feature."""
    if isinstance(value, list):
        for item in value:
            yield from _read_features(item, namespace)
    elif isinstance(value, dict):
        for name, inner in readable_members(value).values():
            if isinstance(inner, dict):
                yield from _read_features(inner, name)
            elif _is_read(name, inner):
                yield FeatureName(namespace, name), inner


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
    return _encode(_prune(_decode(features), FeatureSelection(left_out=(name,)).is_left_out, namespace))


class FeatureSelection(Struct, frozen=True, kw_only=True):
    """Which features are seen.

    Attributes:
        left_out: the names of features, or of whole namespaces, that are not seen.
        known: unless None, features that are not among these are not seen either.
    """

    left_out: tuple[FeatureName, ...] = ()
    known: frozenset[FeatureName] | None = None

    def is_left_out(self, namespace: str, name: str, /) -> bool:
        """Whether a feature of a namespace is not seen."""
        feature = FeatureName(namespace, name)
        return (
            feature in self.left_out
            or FeatureName(namespace) in self.left_out
            or (self.known is not None and feature not in self.known)
        )


def _prune(value: object, is_left_out: Callable[[str, str], bool], namespace: str) -> object:
    if isinstance(value, dict):
        return {
            key: _prune(inner, is_left_out, key if isinstance(inner, dict) else namespace)
            for key, inner in value.items()
            if isinstance(inner, dict) or not is_left_out(namespace, key)
        }
    if isinstance(value, list):
        return [_prune(inner, is_left_out, namespace) for inner in value]
    return value


def read_decision_parts(decision: Decision, /) -> Iterator[tuple[str, list[tuple[FeatureName, object]]]]:
    """Yields the parts of a decision that the engine reads, each with its features and their values.

    A part is the context, an action or a slot, and is called ``CONTEXT``, ``ACTION`` or ``SLOT``. Of a
    single-slot decision the excluded actions never reach the engine. An empty id, which only an imported log
    can hold, names nothing.
    """
    yield CONTEXT, list(_read_features(_decode(decision.context), CONTEXT))
    read = range(len(decision.actions)) if decision.slots else decision.rankable
    for action in [decision.actions[index] for index in read]:
        named: list[tuple[FeatureName, object]] = [(ACTION_ID, action.id)] if action.id else []
        yield ACTION, [*named, *_read_features(_decode(action.features), ACTION)]
    for slot in decision.slots:
        yield SLOT, list(_read_features(_decode(slot.features), SLOT))


def list_decision_features(decision: Decision, /) -> list[FeatureName]:
    """Returns the features that the engine reads of a decision, each once: of context, actions and slots."""
    parts = read_decision_parts(decision)
    return list(dict.fromkeys(name for _, features in parts for name, _ in features))


class FeatureFilter:
    """Shows decisions as if the features that a selection leaves out had not been sent."""

    def __init__(self, selection: FeatureSelection, /) -> None:
        self._selection = selection
        self._without_ids = selection.is_left_out(ACTION_ID.namespace, ACTION_ID.name)
        # By namespace; actions recur from decision to decision.
        self._pruned = {namespace: BoundedCache[bytes]() for namespace in (CONTEXT, ACTION, SLOT)}

    def apply(self, decision: Decision, /) -> Decision:
        """Returns the decision with the selected features."""
        actions = [
            Action("" if self._without_ids else action.id, self._prune(action.features, ACTION))
            for action in decision.actions
        ]
        return replace(
            decision,
            context=self._prune(decision.context, CONTEXT),
            actions=tuple(actions),
            slots=tuple([self._show_slot(slot) for slot in decision.slots]),
        )

    def _show_slot(self, slot: Slot) -> Slot:
        return replace(slot, features=self._prune(slot.features, SLOT))

    def _prune(self, features: bytes, namespace: str) -> bytes:
        pruned = self._pruned[namespace].get(features)
        if pruned is None:
            value = _decode(features)
            less = _prune(value, self._selection.is_left_out, namespace)
            pruned = self._pruned[namespace].put(features, features if less == value else _encode(less))
        return pruned


def list_namespaces(names: Sequence[FeatureName], /) -> list[FeatureName]:
    """Returns the namespaces that hold more than one of these features."""
    namespaces = [name.namespace for name in names]
    return [FeatureName(one) for one in dict.fromkeys(namespaces) if namespaces.count(one) > 1]
