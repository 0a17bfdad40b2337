"""The table holds the routes of the contract's matrix, version by version, and paths lead to them."""

import re

import pytest

from sartor.api import route_table
from sartor.api.dataplane.routes import ACTIVATE, ACTIVATE_SLOTS, RANK, RANK_SLOTS, REWARD, REWARD_SLOTS
from sartor.api.http.error_codes import STATUS
from sartor.api.route_table import ROUTES
from sartor.api.routing import matching, versions
from sartor.api.routing.routes import Operation, Route
from sartor.api.routing.versions import V1_0, V2022_09
from sartor.errors import InvalidRequest

# The contract's section 1.1, row by row, and of its unreleased draft the last six: x is served; columns as in
# versions.ALL.
MATRIX = """
POST /rank                                   xxxxx
POST /events/{}/reward                       xxxxx
POST /events/{}/activate                     xxxxx
POST /multislot/rank                         -xxxx
POST /multislot/events/{}/reward             -xxxx
POST /multislot/events/{}/activate           -xxxx
GET /configurations/service                  xxxxx
PUT /configurations/service                  xxxxx
GET /configurations/policy                   xxxxx
PUT /configurations/policy                   xxxxx
DELETE /configurations/policy                xxxxx
POST /configurations/applyFromEvaluation     -xxxx
GET /evaluations                             xxxxx
POST /evaluations                            xxxx-
PUT /evaluations/{}                          ----x
GET /evaluations/{}                          xxxxx
DELETE /evaluations/{}                       xxxxx
GET /featureImportances                      ----x
PUT /featureImportances/{}                   ----x
GET /featureImportances/{}                   ----x
DELETE /featureImportances/{}                ----x
GET /logs/properties                         xxxxx
DELETE /logs                                 xxxxx
POST /logs/interactions                      --xxx
POST /logs/observations                      --xxx
GET /model                                   xxxxx
PUT /model                                   ---xx
DELETE /model                                xxxxx
GET /model/properties                        xxxxx
GET /metrics/learning                        ---xx
GET /staged-model                            ---xx
GET /staged-model/{}                         ---xx
PUT /staged-model/{}                         ---xx
DELETE /staged-model/{}                      ---xx
PUT /staged-model/{}/publish                 ---xx
"""
ROWS = [tuple(line.split()) for line in MATRIX.strip().splitlines()]


def _served(method: str, path: str) -> str:
    return "".join(
        _mark(method, f"{version.prefix}{path}".replace("{}", "e")) for version in versions.ALL_VERSIONS
    )


def _mark(method: str, path: str) -> str:
    found = route_table.match_path(path.encode())
    return "x" if found is not None and method in found[0].routes else "-"


@pytest.mark.parametrize(("method", "path", "marks"), ROWS)
def test_each_version_has_its_routes(method: str, path: str, marks: str) -> None:
    assert _served(method, path) == marks


def test_there_are_no_others() -> None:
    named = {(route.method, re.sub("{.*}", "{}", route.path)) for route in ROUTES}
    assert named == {(method, path) for method, path, _ in ROWS}


@pytest.mark.parametrize(
    ("path", "operation", "event_id"),
    [
        (b"/personalizer/v1.0/rank", RANK, b""),
        (b"/PERSONALIZER/V1.0/RANK/", RANK, b""),
        (b"/personalizer/v1.0/events/e/reward", REWARD, b"e"),
        (b"/personalizer/v1.0/events/E%2f1/Reward/", REWARD, b"E%2f1"),
        (b"/personalizer/v1.0/Events/activate/activate", ACTIVATE, b"activate"),
        (b"/personalizer/v1.0/events//activate", ACTIVATE, b""),
        (b"/personalizer/v1.0/events/reward", REWARD, b""),
        (b"/personalizer/v1.0/EVENTS/Activate", ACTIVATE, b""),
        (b"/personalizer/v1.0/events/{}/activate", ACTIVATE, b"{}"),
        (b"/personalizer/v1.1-preview.2/multislot/rank", RANK_SLOTS, b""),
        (b"/personalizer/v1.1-preview.3/multislot/events/e/reward", REWARD_SLOTS, b"e"),
        (b"/personalizer/multislot/events/e/activate", ACTIVATE_SLOTS, b"e"),
        (b"/personalizer/events/e/activate", ACTIVATE, b"e"),
    ],
)
def test_operations(path: bytes, operation: Operation, event_id: bytes) -> None:
    found = route_table.match_path(path)
    assert found is not None
    assert (found[0].operation, found[1]) == (operation, event_id)


@pytest.mark.parametrize(
    "path",
    [
        b"",
        b"/",
        b"/rank",
        b"/personalizer",
        b"/personalizer/v1.0",
        b"/personalizer/v1.0/rank//",
        b"/personalizer/v1.0/events/a/b/reward",
        b"/personalizer/v1.0/events/a",
        b"/personalizer/v2.0/rank",
        b"/personalizer/2022-09-01-preview/rank",
        b"/personalization/v1.0/rank",
    ],
)
def test_what_names_none(path: bytes) -> None:
    assert route_table.match_path(path) is None


def test_ids_are_decoded_once() -> None:
    assert matching.decode_name(b"a%2Fb%252F%C3%A9+") == "a/b%2Fé+"
    assert matching.decode_name(b"100%") == "100%"
    with pytest.raises(InvalidRequest, match="evaluationId"):
        matching.decode_name(b"%C3", name="evaluationId")


def test_one_method_of_one_path_has_one_route() -> None:
    with pytest.raises(ValueError, match="is in the table twice"):
        matching.build_resources([ROUTES[0], ROUTES[0]])


def test_methods_of_a_resource_are_allowed() -> None:
    found = route_table.match_path(b"/personalizer/v1.0/configurations/policy")
    assert found is not None
    assert found[0].allowed == b"GET, PUT, DELETE, HEAD, OPTIONS"


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.name} {route.versions[0].name}")
def test_rows_are_whole(route: Route) -> None:
    assert {*route.codes, route.invalid} <= set(STATUS)
    assert STATUS[route.invalid] == 400
    assert isinstance(route.handler, Operation) or callable(route.handler)
    assert route.path.count("{") <= 1
    assert route.versions


def test_only_the_last_version_is_named_in_the_query() -> None:
    assert [version.prefix for version in versions.ALL_VERSIONS if version.in_query] == ["/personalizer"]
    assert V2022_09.name == "2022-09-01-preview"
    assert V1_0.prefix == "/personalizer/v1.0"
