"""OpenAPI descriptions, one a version, made from the route table and the structs that read and write it."""

from collections.abc import Iterator
from functools import cache

import msgspec

from sartor.api.admin.app import required_permission
from sartor.api.description import schemas
from sartor.api.description.schemas import JSONObject
from sartor.api.http.error_codes import STATUS
from sartor.api.http.error_responses import error_response
from sartor.api.http.response import Response
from sartor.api.routing import route_table, versions
from sartor.api.routing.routes import Operation, Route
from sartor.api.routing.versions import Version

_EVERYWHERE = ("401", "403", "429", "RequestTimeout", "PayloadSizeExceeded", "OperationNotAllowed")
_CHANGES = ("ScopeLocked",)
_IN_QUERY = ("MissingApiVersionParameter", "UnsupportedApiVersionValue")

_SAY = {
    400: "The request does not fit; the message names the field.",
    401: "There is no key or token, or not one of this service.",
    403: "Not from this network, not with this role, or not for this kind of loop.",
    404: "There is no such thing.",
    405: "Not for this version of it.",
    408: "The body did not arrive in time; the connection is closed.",
    409: "The loop is locked, or its learning settings can't rank this request.",
    429: "A quota is used up, or too many wrong keys came from there; wait for Retry-After seconds.",
    500: "The service failed.",
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


@cache
def openapi_response(version: Version, /) -> Response:
    """What ``/openapi/VERSION.json`` says."""
    return Response(200, msgspec.json.format(msgspec.json.encode(describe_version(version)), indent=2))


@cache
def describe_version(version: Version, /) -> JSONObject:
    """The description of one version, OpenAPI 3.1."""
    routes = [route for route in route_table.ROUTES if version in route.versions]
    paths: dict[str, JSONObject] = {}
    for route in routes:
        item = paths.setdefault(f"{version.prefix}{route.path}", _item(route))
        item[route.method.lower()] = _operation(route, version)
    shown = {route.tag for route in routes} | {"Health", "Description"}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Sartor",
            "version": version.name,
            "summary": f"Rank, reward, learn: a decision service on the Personalizer wire, {version.name}.",
            "description": "Ask which action to show with rank; say how well it did with reward. "
            "An answer 201 or 204 to them means that the event is in the store.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "This instance."}],
        "tags": [{"name": tag, "description": said} for tag, said in _TAGS.items() if tag in shown],
        "paths": paths | _health() | _descriptions(),
        "components": {
            "schemas": schemas.schemas_of(routes),
            "securitySchemes": {"key": _KEY, "token": _TOKEN},
        },
    }


_KEY: JSONObject = {
    "type": "apiKey",
    "in": "header",
    "name": "Ocp-Apim-Subscription-Key",
    "description": "Either key of a loop; the key says which loop.",
}


_TOKEN: JSONObject = {
    "type": "http",
    "scheme": "bearer",
    "description": "A token of an issuer that the instance accepts. The loop is then named by the path, "
    "/loops/{name}/personalizer/..., or by the host, {name}....",
}


def _item(route: Route) -> JSONObject:
    if not route.id_name:
        return {}
    parameter = {
        "name": route.id_name,
        "in": "path",
        "required": True,
        "description": "Percent-encoded as UTF-8.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 256},
        "example": "75269AD0-BFEE-4598-8196-C57383D38E10",
    }
    return {"parameters": [parameter]}


def _operation(route: Route, version: Version) -> JSONObject:
    described = {
        "operationId": route.name,
        "tags": [route.tag],
        "summary": route.summary,
        "description": route.description,
        "security": [{"key": []}, {"token": []}],
        "parameters": list(_parameters(route, version)),
        "requestBody": _body(route),
        "responses": _responses(route, version),
    }
    return {name: value for name, value in described.items() if value}


def _parameters(route: Route, version: Version) -> Iterator[JSONObject]:
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


def _body(route: Route) -> JSONObject:
    if route.request is None:
        return {}
    return {"required": True, "content": schemas.media_content(route.request, route.request_example)}


def _responses(route: Route, version: Version) -> JSONObject:
    codes: dict[int, list[str]] = {}
    changes = (
        _CHANGES if required_permission(route) == "change" and not isinstance(route.does, Operation) else ()
    )
    further = (*route.codes, *changes, *_EVERYWHERE, *(_IN_QUERY if version.in_query else ()))
    for code in dict.fromkeys((route.invalid, *further)):
        codes.setdefault(STATUS[code], []).append(code)
    refused = {str(status): _refused(status, codes[status]) for status in sorted(codes)}
    return _success(route) | refused


def _success(route: Route) -> JSONObject:
    if route.status is None:
        return {}
    said: JSONObject = {"description": route.said}
    if route.headers:
        said["headers"] = {
            name: {"description": about, "schema": {"type": "string"}} for name, about in route.headers.items()
        }
    if route.answer is not None:
        said["content"] = schemas.media_content(route.answer, route.answer_example)
    return {str(route.status): said}


def _refused(status: int, codes: list[str]) -> JSONObject:
    example = msgspec.json.decode(error_response(status, codes[0], _SAY[status]).body)
    said = _SAY[status] + (f" One of {', '.join(codes)}." if len(codes) > 1 else "")
    header = {"description": "The code of the error.", "schema": {"type": "string", "enum": codes}}
    return {
        "description": said,
        "headers": {"x-ms-error-code": {**header, "required": True}},
        "content": schemas.media_content(schemas.ERROR, example),
    }


def _health() -> JSONObject:
    unready = {"503": _refused(503, ["OperationNotAllowed"])}
    ready = _read("Ready", "Health", "Can events be written, and ranks answered?", "application/json")
    ready["responses"] = {**_answered("application/json"), **unready}
    live = _read("Live", "Health", "Does this process run?", "application/json")
    return {"/health/live": {"get": live}, "/health/ready": {"get": ready}}


def _descriptions() -> JSONObject:
    paths: JSONObject = {
        f"/openapi/{version.name}.json": {
            "get": _read(
                f"OpenAPI {version.name}", "Description", f"{version.name} as OpenAPI.", "application/json"
            )
        }
        for version in versions.ALL_VERSIONS
    }
    paths["/openapi.json"] = {"get": _read("OpenAPI", "Description", "v1.0 as OpenAPI.", "application/json")}
    paths["/docs"] = {
        "get": _read("Docs", "Description", "v1.0 as a page; the others are linked.", "text/html")
    }
    return paths


def _read(name: str, tag: str, summary: str, media_type: str) -> JSONObject:
    return {
        "operationId": name,
        "tags": [tag],
        "summary": summary,
        "security": [],
        "responses": _answered(media_type),
    }


def _answered(media_type: str) -> JSONObject:
    kind = "object" if media_type == "application/json" else "string"
    return {"200": {"description": "It is so.", "content": {media_type: {"schema": {"type": kind}}}}}
