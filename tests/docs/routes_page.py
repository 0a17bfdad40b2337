"""The reference page of routes, generated from the route table.

``python -m tests.docs.routes_page`` regenerates it after a change of the table.
"""

from collections.abc import Iterable

from sartor.api.route_table import ROUTES
from sartor.api.routing import versions
from sartor.api.routing.routes import Route
from tests.docs.pages import DOCS

PAGE = DOCS / "reference" / "http.md"

_TEXT = """# HTTP

After this page you know which routes a service answers, in which API version, and where each is described.

Each path follows the prefix of a version: `/personalizer/v1.0`, `/personalizer/v1.1-preview.1`, `.2`
or `.3`. For `2022-09-01-preview` the prefix is `/personalizer`, and the query says
`api-version=2022-09-01-preview`. All take a loop's key in `Ocp-Apim-Subscription-Key`, or a bearer
token under `/loops/{{name}}` ([operate a service](../how-to/operate.md)). [The wire](wire.md) says what
they accept
and answer where the documentation of the retired service is incomplete. [The control plane](control-plane.md)
manages the loops themselves.

| route | {columns} | answers | |
| --- |{lines} --- | --- |
{routes}

Without a key:

| route | answers | |
| --- | --- | --- |
| `GET /health/live` | 200 | the process answers |
| `GET /health/ready` | 200 or 503 | the instance does its work; with a key, this loop ([see](wire.md#health)) |
| `GET /openapi/VERSION.json` | 200 | one version as OpenAPI 3.1; `/openapi.json` is v1.0 |
| `GET /docs/VERSION` | 200 | the same as a page; it loads nothing from other hosts; `/docs` is v1.0 |

A path that a version does not have is 404; another method on a path that it has is 405 with `Allow`. The
descriptions are generated from the table that dispatches requests, and the tests check each of them with
requests generated from it.
"""
_COLUMNS = {
    "v1.1-preview.1": ".1",
    "v1.1-preview.2": ".2",
    "v1.1-preview.3": ".3",
    "2022-09-01-preview": "2022",
}


def page() -> str:
    """The page."""
    columns = [_COLUMNS.get(version.name, version.name) for version in versions.ALL_VERSIONS]
    rows: dict[tuple[str, str], list[Route]] = {}
    for route in ROUTES:
        rows.setdefault((route.method, route.path), []).append(route)
    return _TEXT.format(
        columns=" | ".join(columns),
        lines=" --- |" * len(columns),
        routes="\n".join(_row(method, path, routes) for (method, path), routes in rows.items()),
    )


def _row(method: str, path: str, routes: Iterable[Route]) -> str:
    served = {version for route in routes for version in route.versions}
    marks = " | ".join("x" if version in served else "" for version in versions.ALL_VERSIONS)
    statuses = sorted({str(route.status or 400) for route in routes})
    summary = next(iter(routes)).summary.removesuffix(".")
    return f"| `{method} {path}` | {marks} | {' or '.join(statuses)} | {summary} |"


if __name__ == "__main__":
    PAGE.write_text(page())
