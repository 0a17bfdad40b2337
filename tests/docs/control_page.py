"""The reference page of the control plane, generated from its route table and the terms of a loop.

``python -m tests.docs.control_page`` regenerates it after a change of either.
"""

from sartor.api.description.openapi import ROLES
from sartor.api.route_table import CONTROL_ROUTES
from sartor.api.routing.versions import CONTROL_V1
from sartor.settings import LoopTerms
from tests.docs.pages import DOCS
from tests.docs.settings_page import rows

PAGE = DOCS / "reference" / "control-plane.md"

_TEXT = """# The control plane

After this page you know the routes that create, limit, meter and delete loops and rotate their keys, who may
call them, and the terms of a loop. The page is generated from their tables. [Operate a
service](../how-to/operate.md) shows examples; `GET /sartor/v1/openapi.json` describes them for tools.

## Routes

| route | answers | role | |
| --- | --- | --- | --- |
{routes}

A bearer token says who calls and with which roles. The owner key of the instance (`SARTOR_OWNER_KEY`), sent in
`Ocp-Apim-Subscription-Key`, is an Owner. A key of a loop is a Reader and a User of its loop here.

Bodies are JSON. Errors have the same shape as those of the [HTTP API](http.md): `LoopNotFound` and
`EventNotFound` are 404;
`LoopExists`, `ScopeLocked` (the loop is locked) and `EventOpen` (the event is not settled yet) 409; `403` is
for a missing role or another network; `429` for too many failed authentications or changes of
a loop, with `Retry-After`.

Every route of [the wire](http.md) can also be called under `/loops/{{name}}`, for callers with tokens.

## Terms of a loop

| term | default | values | meaning |
| --- | --- | --- | --- |
{terms}

The quotas of tiers: `F0` 20 ranks a second and 50,000 a month; `S0` and `E0` none.
"""


def page() -> str:
    """The whole page."""
    routes = [
        f"| `{one.method} {CONTROL_V1.prefix}{one.path}` | {one.status} | {ROLES[one.permission]} "
        f"| {one.summary.rstrip('.')} |"
        for one in CONTROL_ROUTES
    ]
    terms = [
        f"| `{name}` | `{default}` | {values} | {meaning} |"
        for name, default, values, meaning in rows(LoopTerms)
    ]
    return _TEXT.format(routes="\n".join(routes), terms="\n".join(terms))


if __name__ == "__main__":
    PAGE.write_text(page())
