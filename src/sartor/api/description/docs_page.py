"""The description as a page for people: one HTML document, no scripts, nothing from other hosts."""

import json
from functools import cache
from html import escape
from importlib.resources import files
from typing import cast

from sartor.api.description.openapi import describe_version
from sartor.api.description.schemas import JSONObject
from sartor.api.http.response import Response
from sartor.api.routing.versions import ALL_VERSIONS, Version

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'unsafe-inline'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)


@cache
def docs_response(version: Version, /) -> Response:
    """What ``/docs/VERSION`` shows."""
    headers = ((b"content-security-policy", _POLICY.encode()), (b"referrer-policy", b"no-referrer"))
    return Response(200, render_docs(version).encode(), headers, b"text/html; charset=utf-8")


def render_docs(version: Version, /) -> str:
    """The page of one version."""
    said = describe_version(version)
    sheet = files("sartor.api").joinpath("page.css").read_text(encoding="utf-8")
    return "".join(
        (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>Sartor: HTTP reference</title><style>{sheet}</style></head><body>",
            _heading(_object(said["info"]), version),
            "<main>",
            *(_section(tag, _object(said["paths"])) for tag in _objects(said["tags"])),
            _schemas(_object(_object(said["components"])["schemas"])),
            "</main></body></html>",
        )
    )


def _heading(info: JSONObject, version: Version) -> str:
    return (
        f"<header><h1>{_text(info['title'])}</h1><p class=lead>{_text(info['summary'])}</p>"
        f"<p>{_text(info['description'])} Send a key of your loop as <code>Ocp-Apim-Subscription-Key</code>. "
        f'For tools: <a href="/openapi/{version.name}.json">{version.name}.json</a>.</p>'
        f"<nav>{''.join(_choice(other, version) for other in ALL_VERSIONS)}</nav></header>"
    )


def _choice(other: Version, shown: Version) -> str:
    here = " aria-current=page" if other is shown else ""
    return f'<a href="/docs/{other.name}"{here}>{other.name}</a>'


def _section(tag: JSONObject, paths: JSONObject) -> str:
    name = tag["name"]
    operations = [
        _operation(path, method, _object(operation))
        for path, item in paths.items()
        for method, operation in _object(item).items()
        if method != "parameters" and name in cast("list[str]", _object(operation)["tags"])
    ]
    return (
        f"<section><h2>{_text(name)}</h2><p class=about>{_text(tag['description'])}</p>"
        f"{''.join(operations)}</section>"
    )


def _operation(path: str, method: str, operation: JSONObject) -> str:
    return "".join(
        (
            f'<article id="{_text(operation["operationId"])}">',
            f"<h3><b class={method}>{method.upper()}</b> <code>{_path(path)}</code></h3>",
            f"<p><strong>{_text(operation['summary'])}</strong> {_text(operation.get('description', ''))}</p>",
            _request(operation),
            _responses(_object(operation["responses"])),
            "</article>",
        )
    )


def _request(operation: JSONObject) -> str:
    if "requestBody" not in operation:
        return ""
    content = _object(_object(operation["requestBody"])["content"])
    return f"<h4>Request</h4>{_example(content)}"


def _responses(responses: JSONObject) -> str:
    rows = []
    examples = []
    for status, response in responses.items():
        said = _object(response)
        content = _object(said.get("content", {}))
        code = _code_of(content)
        rows.append(f"<tr class=s{status[0]}><td><b>{status}</b><td>{code}<td>{_text(said['description'])}")
        if status.startswith("2"):
            examples.append(_example(content))
    return f"<h4>Answers</h4><table>{''.join(rows)}</table>{''.join(examples)}"


def _code_of(content: JSONObject) -> str:
    example = _object(_object(content.get("application/json", {})).get("example", {}))
    error = _object(example.get("error", {}))
    return f"<code>{_text(error['code'])}</code>" if error else ""


def _example(content: JSONObject) -> str:
    example = _object(content.get("application/json", {})).get("example")
    if example is None:
        return ""
    return f"<pre>{escape(_compact(json.dumps(example, indent=2)), quote=False)}</pre>"


def _compact(text: str) -> str:
    """Arrays of numbers on one line."""
    lines: list[str] = []
    joining = False
    for line in text.split("\n"):
        bare = line.strip()
        is_number = bare.rstrip(",").lstrip("-").replace(".", "", 1).isdigit()
        if is_number or (joining and bare.startswith("]")):
            lines[-1] += bare.replace(",", ", ") if is_number else bare
        else:
            lines.append(line)
        joining = is_number
    return "\n".join(lines)


def _schemas(schemas: JSONObject) -> str:
    shown = "".join(_schema(name, _object(schema)) for name, schema in schemas.items())
    return f"<section><h2>Bodies</h2><p class=about>Unknown members are ignored.</p>{shown}</section>"


def _schema(name: str, schema: JSONObject) -> str:
    required = cast("list[str]", schema.get("required", []))
    rows = [
        f"<tr><td><code>{_text(field)}</code><td>{_type(_object(about))}"
        f"<td>{'required' if field in required else ''}<td>{_text(_object(about).get('description', ''))}"
        for field, about in _object(schema.get("properties", {})).items()
    ]
    table = f"<table>{''.join(rows)}</table>" if rows else ""
    return f'<article id="{name}"><h3>{name}</h3><p>{_text(schema["description"])}</p>{table}</article>'


def _type(schema: JSONObject) -> str:
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        return f'<a href="#{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_type(option) for option in _objects(schema["anyOf"]))
    if schema.get("type") == "array":
        return f"array of {_type(_object(schema['items']))}"
    return _text(schema.get("type", "any"))


def _path(path: str) -> str:
    return _text(path).replace("{", "<i>{").replace("}", "}</i>")


def _text(value: object) -> str:
    return escape(str(value))


def _object(value: object) -> JSONObject:
    return cast("JSONObject", value)


def _objects(value: object) -> list[JSONObject]:
    return cast("list[JSONObject]", value)
