"""The single features in a blob, and the blob without one of them: what explanations are made of."""

from collections.abc import Iterator

import msgspec

from sartor.dsjson.context_json import strip_reserved_names

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


def list_features(features: bytes, /, *, outermost: str) -> list[str]:
    """The features that the engine sees, each once, in order: ``namespace.feature``.

    The namespace of a feature is the nearest name around it (contract, section 2.12).

    Args:
        features: a blob of a context, an action or a slot.
        outermost: the namespace of features that stand by themselves.
    """
    return list(dict.fromkeys(name for name, *_ in _leaves(_decode(strip_reserved_names(features)), outermost)))


def without_feature(features: bytes, name: str, /, *, outermost: str) -> bytes:
    """The blob without any feature of that name."""
    value = _decode(strip_reserved_names(features))
    for _, holder, key in [leaf for leaf in _leaves(value, outermost) if leaf[0] == name]:
        del holder[key]
    return _encode(value)


def _leaves(value: object, namespace: str) -> Iterator[tuple[str, dict[str, object], str]]:
    """Name, object and key of each feature that is there; an array of numbers is one feature."""
    if isinstance(value, list):
        for item in value:
            yield from _leaves(item, namespace)
    if not isinstance(value, dict):
        return
    for key, inner in value.items():
        if isinstance(inner, dict):
            yield from _leaves(inner, key)
        elif inner is not None and inner is not False:
            yield f"{namespace}.{key}", value, key
