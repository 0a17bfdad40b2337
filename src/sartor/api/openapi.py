"""The OpenAPI description of the whole HTTP surface, made from the structs that read and write it."""

from functools import cache

import msgspec

from sartor.api import examples
from sartor.api.answer import Answer
from sartor.api.paths import PREFIX
from sartor.api.wire import LEVELS, MAGNITUDE, ErrorResponse, RankRequest, RankResponse, RewardRequest

JSONObject = dict[str, object]

_SCHEMAS = "#/components/schemas"

_SAY_400 = "The request does not fit; the message names the field."
_SAY_401 = "The key is missing, or belongs to no loop."
_SAY_408 = "The body did not arrive in time; the connection is closed."
_SAY_409 = "The loop's learning settings can't rank this request."
_SAY_503 = "Nothing was written; try again after Retry-After seconds."

_EVENT_ID: JSONObject = {
    "name": "eventId",
    "in": "path",
    "required": True,
    "description": "The event id of the rank, percent-encoded as UTF-8.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 256},
    "example": examples.EVENT_ID,
}


@cache
def answer() -> Answer:
    """What ``/openapi.json`` says."""
    return Answer(200, msgspec.json.format(msgspec.json.encode(description()), indent=2))


@cache
def description() -> JSONObject:
    """The description, OpenAPI 3.1."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Sartor",
            "version": "1.0",
            "summary": "Rank, reward, learn: a decision service on the Personalizer v1.0 wire.",
            "description": "Ask which action to show with rank; say how well it did with reward. "
            "An answer 201 or 204 means that the event is in the store.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "This instance."}],
        "tags": [
            {"name": "Decisions", "description": "What an application calls."},
            {"name": "Health", "description": "What a load balancer calls."},
            {"name": "Description", "description": "What people and tools read."},
        ],
        "paths": _operations() | _health() | _descriptions(),
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {
                "key": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Ocp-Apim-Subscription-Key",
                    "description": "Either key of a loop; the key says which loop.",
                }
            },
        },
    }


def _operations() -> JSONObject:
    return {
        f"{PREFIX}/rank": {"post": _rank()},
        f"{PREFIX}/events/{{eventId}}/reward": {"parameters": [_EVENT_ID], "post": _reward()},
        f"{PREFIX}/events/{{eventId}}/activate": {"parameters": [_EVENT_ID], "post": _activate()},
    }


def _rank() -> JSONObject:
    ranked = _json("The decision, committed.", "RankResponse", examples.RANK_RESPONSE)
    refused = {"409": _error(_SAY_409, "ModelRankingError", "The learning settings can't rank this request.")}
    return {
        "operationId": "Rank",
        "tags": ["Decisions"],
        "summary": "Choose an action for a context.",
        "description": "The same event id to the same model gives the same answer. With the first action "
        "excluded, ranking[0] is not the chosen one: show rewardActionId.",
        "security": [{"key": []}],
        "requestBody": _body("RankRequest", examples.RANK_REQUEST),
        "responses": {"201": ranked} | _errors("InvalidRankRequest", "actions is required.") | refused,
    }


def _reward() -> JSONObject:
    return {
        "operationId": "Reward",
        "tags": ["Decisions"],
        "summary": "Say how well the shown action did.",
        "description": "Counts within the loop's reward wait time, from its rank. An unknown event id is "
        "accepted: a reward may arrive up to two minutes before its rank.",
        "security": [{"key": []}],
        "requestBody": _body("RewardRequest", examples.REWARD_REQUEST),
        "responses": {"204": {"description": "The reward, committed."}}
        | _errors("InvalidRewardRequest", "value must be a number, not null."),
    }


def _activate() -> JSONObject:
    return {
        "operationId": "Activate",
        "tags": ["Decisions"],
        "summary": "Say that a deferred decision was shown after all.",
        "description": "For ranks with deferActivation; needs no body, and a reward does not stand in for it.",
        "security": [{"key": []}],
        "responses": {"204": {"description": "The activation, committed."}}
        | _errors("InvalidEventIdToActivate", "eventId must not be empty."),
    }


def _health() -> JSONObject:
    unready = _error("Not now; the reasons are in it.", "OperationNotAllowed", "The store can't be written.")
    return {
        "/health/live": {"get": _read("Live", "Health", "Does this process run?", "application/json")},
        "/health/ready": {
            "get": _read(
                "Ready", "Health", "Can events be written, and ranks answered?", "application/json", unready
            )
        },
    }


def _descriptions() -> JSONObject:
    return {
        "/openapi.json": {
            "get": _read("OpenAPI", "Description", "This description.", "application/json"),
        },
        "/docs": {"get": _read("Docs", "Description", "This description as a page.", "text/html")},
    }


def _read(
    name: str, tag: str, summary: str, media_type: str, unavailable: JSONObject | None = None
) -> JSONObject:
    kind = "object" if media_type == "application/json" else "string"
    answered = {"description": "It is so.", "content": {media_type: {"schema": {"type": kind}}}}
    responses: JSONObject = {"200": answered}
    if unavailable is not None:
        responses["503"] = unavailable
    return {"operationId": name, "tags": [tag], "summary": summary, "security": [], "responses": responses}


def _errors(invalid: str, message: str) -> JSONObject:
    return {
        "400": _error(_SAY_400, invalid, message),
        "401": _error(_SAY_401, "401", "Access denied."),
        "408": _error(_SAY_408, "RequestTimeout", "The body did not arrive in time."),
        "503": _error(_SAY_503, "OperationNotAllowed", "The store can't be written at the moment."),
    }


def _error(say: str, code: str, message: str) -> JSONObject:
    return _json(say, "ErrorResponse", {"error": {"code": code, "message": message}})


def _json(say: str, schema: str, example: object) -> JSONObject:
    return {"description": say, "content": _content(schema, example)}


def _body(schema: str, example: object) -> JSONObject:
    return {"required": True, "content": _content(schema, example)}


def _content(schema: str, example: object) -> JSONObject:
    return {"application/json": {"schema": {"$ref": f"{_SCHEMAS}/{schema}"}, "example": example}}


def _schemas() -> JSONObject:
    _, made = msgspec.json.schema_components(
        [RankRequest, RankResponse, RewardRequest, ErrorResponse], ref_template=_SCHEMAS + "/{name}"
    )
    # The decoder's types unroll the nesting of features; a description may recurse.
    features = {"type": "array", "items": {"$ref": f"{_SCHEMAS}/FeatureObject"}}
    made["RankableAction"]["properties"]["features"] |= features
    made["RankRequest"]["properties"]["contextFeatures"]["anyOf"] = [features, {"type": "null"}]
    return made | _feature_schemas()


def _feature_schemas() -> JSONObject:
    number = {"type": "number", "minimum": -MAGNITUDE, "maximum": MAGNITUDE}
    values = [
        {"type": ["string", "boolean", "null"]},
        number,
        {"type": "array", "items": number},
        {"$ref": f"{_SCHEMAS}/FeatureObject"},
    ]
    return {
        "FeatureObject": {
            "title": "FeatureObject",
            "description": f"Names and values; objects nest at most {LEVELS} deep.",
            "type": "object",
            "propertyNames": {"minLength": 1},
            "additionalProperties": {"$ref": f"{_SCHEMAS}/FeatureValue"},
        },
        "FeatureValue": {
            "title": "FeatureValue",
            "description": "A text, a number, a boolean, null, an array of numbers, or an object of them.",
            "anyOf": values,
        },
    }
