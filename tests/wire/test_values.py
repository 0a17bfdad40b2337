"""Every date, duration and number that callers may write, written oddly: answered, or refused with a reason."""

import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from sartor.api.route_table import CONTROL_ROUTES, ROUTES
from sartor.api.routing.routes import Route
from sartor.api.routing.versions import CONTROL_V1, PARAMETER, Version
from sartor.settings import LoopSettings
from tests.wire.harness import OWNER_KEY, Reply, Service

ODD_TEXTS = [
    "",
    " ",
    "0",
    "-0",
    "-1",
    "+1",
    "1.0",
    "1e3",
    "1e400",
    "1_000",
    "NaN",
    "Infinity",
    "-inf",
    "0x10",
    "٣",
    "²",
    "9" * 19,
    "9" * 5_000,
    " 1 ",
    "1\n",
    "0000-01-01",
    "0001-01-01",
    "1969-12-31",
    "2026-02-30",
    "2026-W01",
    "2026-W01-1",
    "2026-032",
    "20260101",
    "２０２６-01-01",
    "2026-01-01 ",
    "9998-12-31",
    "9999-12-31",
    "10000-01-01",
    "-2026-01-01",
    "2026-01-01T00:00:60Z",
    "2026-06-30T23:59:60Z",
    "2026-01-01T24:00:00Z",
    "2026-01-01T00:00:00+23:59",
    "2026-01-01T00:00:00+24:00",
    "2026-01-01T00:00:00-99:99",
    "0001-01-01T00:00:00+14:00",
    "0001-01-01T00:00:00Z",
    "9998-12-31T23:59:59.999999-00:01",
    "9999-12-31T23:59:59.9999999Z",
    "9999-12-31T23:59:59-14:00",
    "2026-01-01T00:00:00." + "9" * 400 + "Z",
    "2026-W01-1T00:00:00Z",
    "P1D",
    "-PT1H",
    "PT1H",
    "PT0S",
    "P999999999D",
    "P9999999999999999999D",
    "PT1e400H",
    "PT99999999999999999999H",
    "P1W",
    "P1Y",
    "PT٣H",
    "PT0.0000001S",
]
ODD_TOKENS = [
    *map(json.dumps, ODD_TEXTS),
    "null",
    "true",
    "[]",
    "{}",
    "0",
    "-0",
    "-0.0",
    "-1",
    "1.5",
    "1e-320",
    "1e308",
    "-1e400",
    "1e400",
    "NaN",
    "Infinity",
    "-Infinity",
    "1_000",
    "2147483648",
    "9223372036854775808",
    "-9223372036854775809",
    "18446744073709551616",
    "9" * 400,
    "-" + "9" * 400,
    "9" * 5_000,
]


TIMES = {"startTime": "2026-01-01T00:00:00Z", "endTime": "2026-01-02T00:00:00Z"}


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    made = Service()
    yield made
    made.close()


def ask(
    service: Service, route: Route, version: Version, *, path: str = "", query: Mapping[str, str], body: bytes
) -> Reply:
    """Call a route, in a version, with the key that may do everything there; it must answer or refuse."""
    named = {**query, PARAMETER: version.name} if version.in_query else query
    url = version.prefix + (path or fill_path(route)) + "?" + urlencode(named)
    key = OWNER_KEY if version is CONTROL_V1 else ""
    reply = service.call(route.method, url, body, key=key)
    assert reply.status < 300 or (reply.status < 500 and reply.code and reply.message), (url, body, reply)
    return reply


def fill_path(route: Route, **names: str) -> str:
    values = {name: "default" if name == "name" else "x" for name in route.names} | names
    return route.path.format(**{name: quote(value, safe="") for name, value in values.items()})


def example_body(route: Route) -> bytes:
    return b"" if route.request_example is None else json.dumps(route.request_example).encode()


CALLS = [(route, version) for route in (*ROUTES, *CONTROL_ROUTES) for version in route.versions]


def _label(part: object) -> str:
    return str(getattr(part, "name", part))


@pytest.mark.parametrize(
    ("route", "version"), [(route, version) for route, version in CALLS if route.query], ids=_label
)
def test_every_parameter_of_a_query(service: Service, route: Route, version: Version) -> None:
    needed = {name: value for name, value in TIMES.items() if name in {one.name for one in route.query}}
    for odd in ODD_TEXTS:
        for parameter in route.query:
            ask(service, route, version, query={**needed, parameter.name: odd}, body=example_body(route))
        everywhere = {parameter.name: odd for parameter in route.query}
        ask(service, route, version, query=everywhere, body=example_body(route))


@pytest.mark.parametrize(
    ("route", "version"),
    [(route, version) for route, version in CALLS if route.names and route.name != "DeleteLoop"],
    ids=_label,
)
def test_every_name_in_a_path(service: Service, route: Route, version: Version) -> None:
    for name in route.names:
        for odd in filter(str.strip, ODD_TEXTS):
            path = fill_path(route, **{name: odd})
            ask(service, route, version, path=path, query=TIMES, body=example_body(route))


@pytest.mark.parametrize(
    ("route", "version"), [(route, version) for route, version in CALLS if route.request_example], ids=_label
)
def test_every_member_of_a_body(service: Service, route: Route, version: Version) -> None:
    for place in find_members(route.request_example):
        for token in ODD_TOKENS:
            body = replace_member(route.request_example, place, token)
            ask(service, route, version, query={}, body=body)
    # What was accepted is shown again.
    for read in (one for one, named in CALLS if named is version and one.method == "GET"):
        if read.path == route.path:
            ask(service, read, version, query=TIMES, body=b"")


def find_members(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in items:
        yield (*above, name)
        yield from find_members(inner, (*above, name))


def replace_member(example: Any, place: tuple[Any, ...], token: str) -> bytes:
    """The example as JSON, with the member at a place replaced by a text that need not be JSON."""
    body = deepcopy(example)
    holder = body
    for name in place[:-1]:
        holder = holder[name]
    holder[place[-1]] = "@here@"
    return json.dumps(body).replace('"@here@"', token).encode()


@pytest.mark.parametrize("path", ["/usage", "/loops/default/usage"])
def test_days_of_usage_have_one_range_which_a_refusal_names(service: Service, path: str) -> None:
    statuses = {}
    for first, last in [*((odd, odd) for odd in ODD_TEXTS), ("0001-01-01", "9998-12-31")]:
        query = urlencode({"from": first, "to": last})
        reply = service.call("GET", f"{CONTROL_V1.prefix}{path}?{query}", key=OWNER_KEY)
        statuses[first, last] = reply.status
        assert reply.status == 200 or "from 0001-01-01 to 9998-12-31" in reply.message, reply
    served = {first for (first, last), status in statuses.items() if status == 200}
    assert served == {"", "0001-01-01", "1969-12-31", "9998-12-31"}  # an empty parameter is as good as none
    assert set(statuses.values()) == {200, 400}


@pytest.mark.parametrize("name", ["startTime", "endTime"])
@pytest.mark.parametrize("time", ["9999-12-31T00:00:00Z", "0000-01-01T00:00:00Z", "2026-01-01T00:00:60Z"])
def test_a_refused_time_is_named_with_the_range(service: Service, name: str, time: str) -> None:
    query = urlencode({**TIMES, name: time, PARAMETER: "2022-09-01-preview"})
    reply = service.call("GET", f"/personalizer/evaluations/x?{query}")
    assert reply.status == 400
    assert name in reply.message
    assert "from 0001-01-01 to 9998-12-31" in reply.message


def test_a_stored_date_that_is_read_no_more_counts_as_none() -> None:
    settings = LoopSettings(
        is_auto_optimization_enabled=True, auto_optimization_start_date="9999-12-31T23:59:59"
    )
    service = Service(settings=settings)
    reply = service.call("GET", "/personalizer/v1.1-preview.3/configurations/service")
    service.close()
    assert reply.status == 200
    assert reply.json()["autoOptimizationStartDate"] == "1970-01-16T00:00:00"
