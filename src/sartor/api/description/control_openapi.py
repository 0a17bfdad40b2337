"""The description of the control plane, OpenAPI 3.1, made from its route table."""

from collections.abc import Iterator, Sequence

import msgspec

from sartor.access.roles import Permission
from sartor.api.description.schemas import ERROR, JSONObject
from sartor.api.http.error_codes import STATUS
from sartor.api.http.error_responses import error_response
from sartor.api.http.response import Response
from sartor.api.routing.control_routes import PREFIX, ControlRoute

_WHERE = "#/components/schemas/{name}"
_EVERYWHERE = (
    "InvalidRequest",
    "401",
    "403",
    "RequestTimeout",
    "PayloadSizeExceeded",
    "429",
    "OperationNotAllowed",
)

ROLES: dict[Permission, str] = {
    "read": "Reader",
    "decide": "User",
    "change": "Contributor",
    "own": "Owner",
}
"""The least role that allows something."""

_SAY = {
    400: "The request does not fit; the message says what.",
    401: "There is no key or token, or not one of ours.",
    403: "The caller has no role that allows this, or calls from another network.",
    404: "There is no such thing.",
    405: "Not this method.",
    408: "The body did not arrive in time; the connection is closed.",
    409: "It is locked, taken, or not settled yet.",
    429: "Too many wrong keys or tokens came from the caller's address.",
    503: "Nothing was written; try again after Retry-After seconds.",
}


def openapi_response(routes: Sequence[ControlRoute], /) -> Response:
    """What ``/sartor/v1/openapi.json`` says."""
    return Response(200, msgspec.json.format(msgspec.json.encode(describe_control(routes)), indent=2))


def describe_control(routes: Sequence[ControlRoute], /) -> JSONObject:
    """The description of these routes."""
    paths: dict[str, JSONObject] = {}
    for route in routes:
        item = paths.setdefault(f"{PREFIX}{route.path}", _item(route))
        item[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Sartor: control plane",
            "version": "v1",
            "summary": "Loops as resources: made, keyed, tagged, locked, limited, metered, deleted.",
            "description": "A bearer token says who calls and with which roles. The owner key of the instance "
            "is an Owner; a key of a loop is a Reader and a User of its loop here.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "This instance."}],
        "tags": [{"name": tag} for tag in dict.fromkeys(route.tag for route in routes)],
        "paths": paths,
        "components": {"schemas": _schemas(routes), "securitySchemes": _SCHEMES},
    }


_SCHEMES: JSONObject = {
    "key": {
        "type": "apiKey",
        "in": "header",
        "name": "Ocp-Apim-Subscription-Key",
        "description": "The owner key of the instance, or a key of a loop.",
    },
    "token": {"type": "http", "scheme": "bearer", "description": "A token of an issuer that is accepted."},
}


def _item(route: ControlRoute) -> JSONObject:
    names = [part[1:-1] for part in route.parts if part.startswith("{")]
    parameters = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "minLength": 1, "maxLength": 256},
        }
        for name in names
    ]
    return {"parameters": parameters} if parameters else {}


def _operation(route: ControlRoute) -> JSONObject:
    described: JSONObject = {
        "operationId": route.name,
        "tags": [route.tag],
        "summary": route.summary,
        "description": f"{route.description} Takes the role {ROLES[route.need]}.".strip(),
        "security": [{"key": []}, {"token": []}],
        "parameters": list(_parameters(route)),
        "requestBody": _body(route),
        "responses": _responses(route),
    }
    return {name: value for name, value in described.items() if value}


def _parameters(route: ControlRoute) -> Iterator[JSONObject]:
    for one in route.query:
        yield {
            "name": one.name,
            "in": "query",
            "required": one.required,
            "description": one.description,
            "schema": dict(one.schema),
        }


def _body(route: ControlRoute) -> JSONObject:
    if route.request is None:
        return {}
    return {"required": True, "content": _content(route.request, route.example)}


def _responses(route: ControlRoute) -> JSONObject:
    codes: dict[int, list[str]] = {}
    for code in dict.fromkeys((*_EVERYWHERE, *route.codes)):
        codes.setdefault(STATUS[code], []).append(code)
    refused: JSONObject = {str(one): _refused(one, codes[one]) for one in sorted(codes)}
    return {str(route.status): _success(route)} | refused


def _success(route: ControlRoute) -> JSONObject:
    said: JSONObject = {"description": route.said}
    if route.answer is not None:
        said["content"] = _content(route.answer, None)
        if any(one.name == "format" for one in route.query):
            said["content"] = {**_content(route.answer, None), "text/csv": {"schema": {"type": "string"}}}
    if route.headers:
        said["headers"] = {
            name: {"description": about, "schema": {"type": "string"}} for name, about in route.headers.items()
        }
    return said


def _refused(status: int, codes: list[str]) -> JSONObject:
    example = msgspec.json.decode(error_response(status, codes[0], _SAY[status]).body)
    header = {"description": "The code of the error.", "schema": {"type": "string", "enum": codes}}
    return {
        "description": _SAY[status],
        "headers": {"x-ms-error-code": {**header, "required": True}},
        "content": _content(ERROR, example),
    }


def _content(kind: object, example: object) -> JSONObject:
    (schema,), _ = msgspec.json.schema_components([kind], ref_template=_WHERE)
    return {"application/json": {"schema": schema} | ({} if example is None else {"example": example})}


def _schemas(routes: Sequence[ControlRoute]) -> JSONObject:
    kinds = [kind for route in routes for kind in (route.request, route.answer) if kind is not None]
    _, made = msgspec.json.schema_components([*kinds, ERROR], ref_template=_WHERE)
    return made
