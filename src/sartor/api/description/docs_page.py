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
    """Build the response to ``/docs/VERSION``."""
    headers = ((b"content-security-policy", _POLICY.encode()), (b"referrer-policy", b"no-referrer"))
    return Response(200, render_docs(version).encode(), headers, b"text/html; charset=utf-8")


def render_docs(version: Version, /) -> str:
    """Render the page of one version."""
    described = describe_version(version)
    style = files("sartor.api").joinpath("page.css").read_text(encoding="utf-8")
    return "".join(
        (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>Sartor: HTTP reference</title><style>{style}</style></head><body>",
            _render_heading(_as_object(described["info"]), version),
            "<main>",
            *(_render_section(tag, _as_object(described["paths"])) for tag in _as_objects(described["tags"])),
            _render_schemas(_as_object(_as_object(described["components"])["schemas"])),
            "</main></body></html>",
        )
    )


def _render_heading(info: JSONObject, version: Version) -> str:
    return (
        f"<header><h1>{_escape(info['title'])}</h1><p class=lead>{_escape(info['summary'])}</p>"
        f"<p>{_escape(info['description'])} Send a key of your loop as <code>Ocp-Apim-Subscription-Key</code>. "
        f'For tools: <a href="/openapi/{version.name}.json">{version.name}.json</a>.</p>'
        f"<nav>{''.join(_render_version_link(other, version) for other in ALL_VERSIONS)}</nav></header>"
    )


def _render_version_link(other: Version, current: Version) -> str:
    here = " aria-current=page" if other is current else ""
    return f'<a href="/docs/{other.name}"{here}>{other.name}</a>'


def _render_section(tag: JSONObject, paths: JSONObject) -> str:
    name = tag["name"]
    operations = [
        _render_operation(path, method, _as_object(operation))
        for path, item in paths.items()
        for method, operation in _as_object(item).items()
        if method != "parameters" and name in cast("list[str]", _as_object(operation)["tags"])
    ]
    return (
        f"<section><h2>{_escape(name)}</h2><p class=about>{_escape(tag['description'])}</p>"
        f"{''.join(operations)}</section>"
    )


def _render_operation(path: str, method: str, operation: JSONObject) -> str:
    return "".join(
        (
            f'<article id="{_escape(operation["operationId"])}">',
            f"<h3><b class={method}>{method.upper()}</b> <code>{_render_path(path)}</code></h3>",
            f"<p><strong>{_escape(operation['summary'])}</strong> "
            f"{_escape(operation.get('description', ''))}</p>",
            _render_request(operation),
            _render_responses(_as_object(operation["responses"])),
            "</article>",
        )
    )


def _render_request(operation: JSONObject) -> str:
    if "requestBody" not in operation:
        return ""
    content = _as_object(_as_object(operation["requestBody"])["content"])
    return f"<h4>Request</h4>{_render_example(content)}"


def _render_responses(responses: JSONObject) -> str:
    rows = []
    examples = []
    for status, response in responses.items():
        described = _as_object(response)
        content = _as_object(described.get("content", {}))
        code = _render_code(content)
        rows.append(
            f"<tr class=s{status[0]}><td><b>{status}</b><td>{code}<td>{_escape(described['description'])}"
        )
        if status.startswith("2"):
            examples.append(_render_example(content))
    return f"<h4>Answers</h4><table>{''.join(rows)}</table>{''.join(examples)}"


def _render_code(content: JSONObject) -> str:
    example = _as_object(_as_object(content.get("application/json", {})).get("example", {}))
    error = _as_object(example.get("error", {}))
    return f"<code>{_escape(error['code'])}</code>" if error else ""


def _render_example(content: JSONObject) -> str:
    example = _as_object(content.get("application/json", {})).get("example")
    if example is None:
        return ""
    return f"<pre>{escape(_join_numbers(json.dumps(example, indent=2)), quote=False)}</pre>"


def _join_numbers(text: str) -> str:
    """Put arrays of numbers on one line."""
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


def _render_schemas(schemas: JSONObject) -> str:
    current = "".join(_render_schema(name, _as_object(schema)) for name, schema in schemas.items())
    return f"<section><h2>Bodies</h2><p class=about>Unknown members are ignored.</p>{current}</section>"


def _render_schema(name: str, schema: JSONObject) -> str:
    required = cast("list[str]", schema.get("required", []))
    rows = [
        f"<tr><td><code>{_escape(field)}</code><td>{_render_type(_as_object(about))}"
        f"<td>{'required' if field in required else ''}<td>{_escape(_as_object(about).get('description', ''))}"
        for field, about in _as_object(schema.get("properties", {})).items()
    ]
    table = f"<table>{''.join(rows)}</table>" if rows else ""
    return f'<article id="{name}"><h3>{name}</h3><p>{_escape(schema["description"])}</p>{table}</article>'


def _render_type(schema: JSONObject) -> str:
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        return f'<a href="#{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_render_type(option) for option in _as_objects(schema["anyOf"]))
    if schema.get("type") == "array":
        return f"array of {_render_type(_as_object(schema['items']))}"
    return _escape(schema.get("type", "any"))


def _render_path(path: str) -> str:
    return _escape(path).replace("{", "<i>{").replace("}", "}</i>")


def _escape(value: object) -> str:
    return escape(str(value))


def _as_object(value: object) -> JSONObject:
    return cast("JSONObject", value)


def _as_objects(value: object) -> list[JSONObject]:
    return cast("list[JSONObject]", value)
