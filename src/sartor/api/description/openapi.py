"""OpenAPI descriptions, one a version of the wire and one of the control plane, made from the route tables."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache

import msgspec
from msgspec import Struct

from sartor.access.roles import Permission
from sartor.api import route_table
from sartor.api.description import schemas
from sartor.api.description.schemas import JSONObject
from sartor.api.http.error_codes import STATUS
from sartor.api.http.error_responses import error_response
from sartor.api.http.response import Response
from sartor.api.routing import versions
from sartor.api.routing.routes import Operation, Route
from sartor.api.routing.versions import CONTROL_V1, Version

ROLES: dict[Permission, str] = {
    "read": "Reader",
    "decide": "User",
    "change": "Contributor",
    "own": "Owner",
}
"""The least role that allows something."""

_EVERYWHERE = ("401", "403", "429", "RequestTimeout", "PayloadSizeExceeded", "OperationNotAllowed")
_IN_QUERY = ("MissingApiVersionParameter", "UnsupportedApiVersionValue")
_ON_CONTROL = (
    "InvalidRequest",
    "401",
    "403",
    "RequestTimeout",
    "PayloadSizeExceeded",
    "429",
    "OperationNotAllowed",
)

_WIRE_ERRORS = {
    400: "The request does not fit; the message names the field.",
    401: "There is no key or token, or not one of this service.",
    403: "Not from this network, not with this role, or not for this kind of loop.",
    404: "There is no such thing.",
    405: "Not for this version of it.",
    408: "The body did not arrive in time; the connection is closed.",
    409: "The loop is locked, or its learning settings can't rank this request.",
    429: "A quota is used up, as many jobs wait as may, the loop was changed too often, or too many wrong keys "
    "came from there; wait for Retry-After seconds.",
    500: "The service failed.",
    503: "Nothing was written; try again after Retry-After seconds.",
}

_CONTROL_ERRORS = {
    400: "The request does not fit; the message says what.",
    401: "There is no key or token, or not one of ours.",
    403: "The caller has no role that allows this, or calls from another network.",
    404: "There is no such thing.",
    405: "Not this method.",
    408: "The body did not arrive in time; the connection is closed.",
    409: "Conflict: the loop is locked, the name is in use, or the event is not settled.",
    429: "Too many wrong keys or tokens came from the caller's address, or the loop was changed too often.",
    503: "Nothing was written; try again after Retry-After seconds.",
}

_TAGS = {
    "Decisions": "What an application calls.",
    "Configuration": "How the loop learns, decides and logs.",
    "Evaluations": "What another policy would have earned, and which features matter.",
    "Logs": "What was decided and observed.",
    "Models": "What was learned.",
    "Health": "What a load balancer calls.",
    "Description": "What people and tools read.",
}


class _Texts(Struct, frozen=True, kw_only=True):
    """The texts that differ between the descriptions of the wire and of the control plane.

    Attributes:
        info: the head of the document.
        key: about the header that carries a key.
        token: about bearer tokens.
        errors: about each status of an error.
        names: about a name in a path, besides its type.
    """

    info: JSONObject
    key: str
    token: str
    errors: Mapping[int, str]
    names: JSONObject


def _choose_wire_texts(version: Version) -> _Texts:
    return _Texts(
        info={
            "title": "Sartor",
            "version": version.name,
            "summary": f"Rank, reward, learn: a decision service on the Personalizer wire, {version.name}.",
            "description": "Ask which action to show with rank; say how well it did with reward. "
            "An answer 201 or 204 to them means that the event is in the store.",
        },
        key="Either key of a loop; the key says which loop.",
        token="A token of an issuer that the instance accepts. The loop is then named by the path, "
        "/loops/{name}/personalizer/..., or by the host, {name}....",
        errors=_WIRE_ERRORS,
        names={"description": "Percent-encoded as UTF-8.", "example": "75269AD0-BFEE-4598-8196-C57383D38E10"},
    )


_CONTROL_TEXTS = _Texts(
    info={
        "title": "Sartor: control plane",
        "version": CONTROL_V1.name,
        "summary": "Loops as resources: made, keyed, tagged, locked, limited, metered, deleted.",
        "description": "A bearer token says who calls and with which roles. The owner key of the instance "
        "is an Owner; a key of a loop is a Reader and a User of its loop here.",
    },
    key="The owner key of the instance, or a key of a loop.",
    token="A token of an issuer that is accepted.",
    errors=_CONTROL_ERRORS,
    names={},
)


@cache
def openapi_response(version: Version, /) -> Response:
    """Build the response to ``/openapi/VERSION.json``, and to ``/sartor/v1/openapi.json``."""
    return Response(200, msgspec.json.format(msgspec.json.encode(describe_version(version)), indent=2))


@cache
def describe_version(version: Version, /) -> JSONObject:
    """Describe one version of the wire, or the control plane, as OpenAPI 3.1."""
    is_control = version is CONTROL_V1
    routes = [
        route for route in (*route_table.ROUTES, *route_table.CONTROL_ROUTES) if version in route.versions
    ]
    texts = _CONTROL_TEXTS if is_control else _choose_wire_texts(version)
    paths: dict[str, JSONObject] = {}
    for route in routes:
        item = paths.setdefault(f"{version.prefix}{route.path}", _describe_path(route, texts))
        item[route.method.lower()] = _describe_operation(route, version, texts)
    return {
        "openapi": "3.1.0",
        "info": {**texts.info, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
        "servers": [{"url": "/", "description": "This instance."}],
        "tags": _list_control_tags(routes) if is_control else _list_wire_tags(routes),
        "paths": paths if is_control else paths | _describe_health() | _describe_pages(),
        "components": {
            "schemas": schemas.collect_schemas(routes),
            "securitySchemes": {
                "key": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Ocp-Apim-Subscription-Key",
                    "description": texts.key,
                },
                "token": {"type": "http", "scheme": "bearer", "description": texts.token},
            },
        },
    }


def _list_control_tags(routes: Sequence[Route]) -> list[JSONObject]:
    return [{"name": tag} for tag in dict.fromkeys(route.tag for route in routes)]


def _list_wire_tags(routes: Sequence[Route]) -> list[JSONObject]:
    used = {route.tag for route in routes} | {"Health", "Description"}
    return [{"name": tag, "description": about} for tag, about in _TAGS.items() if tag in used]


def _describe_path(route: Route, texts: _Texts) -> JSONObject:
    parameters = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "minLength": 1, "maxLength": 256},
            **texts.names,
        }
        for name in route.names
    ]
    return {"parameters": parameters} if parameters else {}


def _describe_operation(route: Route, version: Version, texts: _Texts) -> JSONObject:
    role = f" Takes the role {ROLES[route.permission]}." if version is CONTROL_V1 else ""
    described: JSONObject = {
        "operationId": route.name,
        "tags": [route.tag],
        "summary": route.summary,
        "description": f"{route.description}{role}".strip(),
        "security": [{"key": []}, {"token": []}],
        "parameters": list(_describe_parameters(route, version)),
        "requestBody": _describe_body(route),
        "responses": _describe_responses(route, version, texts),
    }
    return {name: value for name, value in described.items() if value}


def _describe_parameters(route: Route, version: Version) -> Iterator[JSONObject]:
    if version.in_query:
        yield {
            "name": versions.PARAMETER,
            "in": "query",
            "required": True,
            "description": "Which version of the API is meant.",
            "schema": {"type": "string", "enum": [version.name]},
            "example": version.name,
        }
    for parameter in route.query:
        yield {
            "name": parameter.name,
            "in": "query",
            "required": parameter.required,
            "description": parameter.description,
            "schema": dict(parameter.schema),
        }


def _describe_body(route: Route) -> JSONObject:
    if route.request is None:
        return {}
    return {"required": True, "content": schemas.describe_content(route.request, route.request_example)}


def _describe_responses(route: Route, version: Version, texts: _Texts) -> JSONObject:
    codes: dict[int, list[str]] = {}
    for code in dict.fromkeys(_list_codes(route, version)):
        codes.setdefault(STATUS[code], []).append(code)
    refusals = {
        str(status): _describe_refusal(status, codes[status], texts, lists=version is not CONTROL_V1)
        for status in sorted(codes)
    }
    return _describe_success(route) | refusals


def _list_codes(route: Route, version: Version) -> tuple[str, ...]:
    """List the codes of errors that a route may answer; an example carries the first of its status."""
    if version is CONTROL_V1:
        return (*_ON_CONTROL, *route.codes)
    is_locked = route.permission == "change" and not isinstance(route.handler, Operation)
    locked = ("ScopeLocked",) if is_locked else ()
    in_query = _IN_QUERY if version.in_query else ()
    return (route.invalid, *route.codes, *locked, *_EVERYWHERE, *in_query)


def _describe_success(route: Route) -> JSONObject:
    if route.status is None:
        return {}
    success: JSONObject = {"description": route.success}
    if route.headers:
        success["headers"] = {
            name: {"description": about, "schema": {"type": "string"}} for name, about in route.headers.items()
        }
    if route.response is not None:
        content = schemas.describe_content(route.response, route.response_example)
        if any(one.name == "format" for one in route.query):
            content["text/csv"] = {"schema": {"type": "string"}}
        success["content"] = content
    return {str(route.status): success}


def _describe_refusal(status: int, codes: list[str], texts: _Texts, *, lists: bool) -> JSONObject:
    example = msgspec.json.decode(error_response(status, codes[0], texts.errors[status]).body)
    listed = f" One of {', '.join(codes)}." if lists and len(codes) > 1 else ""
    header = {"description": "The code of the error.", "schema": {"type": "string", "enum": codes}}
    return {
        "description": texts.errors[status] + listed,
        "headers": {"x-ms-error-code": {**header, "required": True}},
        "content": schemas.describe_content(schemas.ERROR, example),
    }


def _describe_health() -> JSONObject:
    texts = _choose_wire_texts(versions.V1_0)
    refusals = {
        str(status): _describe_refusal(status, [code], texts, lists=True)
        for status, code in ((401, "401"), (429, "429"), (503, "OperationNotAllowed"))
    }
    about = "Can the instance do its work? With a key or a token: what its holder may read of its loops."
    ready = _describe_page("Ready", "Health", about, "application/json")
    ready["responses"] = {**_describe_content_of("application/json"), **refusals}
    live = _describe_page("Live", "Health", "Does this process run?", "application/json")
    return {"/health/live": {"get": live}, "/health/ready": {"get": ready}}


def _describe_pages() -> JSONObject:
    paths: JSONObject = {
        f"/openapi/{version.name}.json": {
            "get": _describe_page(
                f"OpenAPI {version.name}", "Description", f"{version.name} as OpenAPI.", "application/json"
            )
        }
        for version in versions.ALL_VERSIONS
    }
    paths["/openapi.json"] = {
        "get": _describe_page("OpenAPI", "Description", "v1.0 as OpenAPI.", "application/json")
    }
    paths["/docs"] = {
        "get": _describe_page("Docs", "Description", "v1.0 as a page; the others are linked.", "text/html")
    }
    return paths


def _describe_page(name: str, tag: str, summary: str, media_type: str) -> JSONObject:
    return {
        "operationId": name,
        "tags": [tag],
        "summary": summary,
        "security": [],
        "responses": _describe_content_of(media_type),
    }


def _describe_content_of(media_type: str) -> JSONObject:
    kind = "object" if media_type == "application/json" else "string"
    return {"200": {"description": "It is so.", "content": {media_type: {"schema": {"type": kind}}}}}
