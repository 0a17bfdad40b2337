"""JSON schemas of bodies, made from the structs that read and write them."""

from collections.abc import Iterable
from typing import Any, TypeAlias

import msgspec

from sartor.api.dataplane.wire import LEVELS, MAGNITUDE
from sartor.api.http.error_responses import ErrorResponse
from sartor.api.routing.routes import Route

JSONObject: TypeAlias = dict[str, object]

ERROR = ErrorResponse
"""What every error's body is."""

_WHERE = "#/components/schemas/{name}"
_FEATURES: JSONObject = {"type": "array", "items": {"$ref": "#/components/schemas/FeatureObject"}}


def collect_schemas(routes: Iterable[Route], /) -> JSONObject:
    """Collect the schemas of all bodies of these routes, by name."""
    kinds = [kind for route in routes for kind in (route.request, route.response) if _is_json(kind)]
    _, made = msgspec.json.schema_components([*kinds, ERROR], ref_template=_WHERE)
    if "RankableAction" not in made:
        return made
    _describe_features(made)
    return made | _build_feature_schemas()


def describe_content(kind: object, example: object, /) -> JSONObject:
    """Describe the content of a body: its media type, its schema, and an example where there is one."""
    if not _is_json(kind):
        return {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
    (schema,), _ = msgspec.json.schema_components([kind], ref_template=_WHERE)
    return {"application/json": {"schema": schema} | ({} if example is None else {"example": example})}


def _is_json(kind: object) -> bool:
    return kind is not None and kind is not bytes


def _describe_features(made: dict[str, Any]) -> None:
    # The decoder's types unroll the nesting of features; a description may recurse.
    made["RankableAction"]["properties"]["features"] |= _FEATURES
    for name, member in (
        ("RankRequest", "contextFeatures"),
        ("MultiSlotRankRequest", "contextFeatures"),
        ("SlotRequest", "features"),
    ):
        if name in made:
            made[name]["properties"][member]["anyOf"] = [_FEATURES, {"type": "null"}]


def _build_feature_schemas() -> JSONObject:
    number = {"type": "number", "minimum": -MAGNITUDE, "maximum": MAGNITUDE}
    values = [
        {"type": ["string", "boolean", "null"]},
        number,
        {"type": "array", "items": number},
        {"$ref": "#/components/schemas/FeatureObject"},
    ]
    return {
        "FeatureObject": {
            "title": "FeatureObject",
            "description": f"Names and values; objects nest at most {LEVELS} deep.",
            "type": "object",
            "propertyNames": {"minLength": 1},
            "additionalProperties": {"$ref": "#/components/schemas/FeatureValue"},
        },
        "FeatureValue": {
            "title": "FeatureValue",
            "description": "A text, a number, a boolean, null, an array of numbers, or an object of them.",
            "anyOf": values,
        },
    }
