"""The descriptions are whole, and true to what the service accepts and gives."""

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from sartor.api import route_table
from sartor.api.dataplane import examples
from sartor.api.dataplane.decoding import RequestDecoder
from sartor.api.dataplane.multislot_decoding import MultiSlotDecoder
from sartor.api.dataplane.multislot_wire import MultiSlotRankResponse
from sartor.api.dataplane.wire import RankResponse
from sartor.api.description import openapi
from sartor.api.http.error_responses import ErrorResponse
from sartor.api.routing import versions
from sartor.api.routing.versions import V1_0, V2022_09, Version
from sartor.settings import Limits

DOCUMENTS: dict[Version, Any] = {
    version: json.loads(openapi.openapi_response(version).body) for version in versions.ALL_VERSIONS
}
EACH = pytest.mark.parametrize("version", versions.ALL_VERSIONS, ids=lambda version: version.name)


def operations(version: Version) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, operation)
        for path, item in DOCUMENTS[version]["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
    ]


def _nodes(value: object) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _nodes(inner)


def _references(version: Version) -> list[str]:
    return [node["$ref"] for node in _nodes(DOCUMENTS[version]) if isinstance(node.get("$ref"), str)]


@EACH
def test_every_reference_leads_somewhere(version: Version) -> None:
    references = _references(version)
    assert len(references) > 10
    for reference in references:
        node: Any = DOCUMENTS[version]
        for step in reference.removeprefix("#/").split("/"):
            node = node[step]
        assert node


@EACH
def test_every_schema_is_used(version: Version) -> None:
    used = {reference.rpartition("/")[2] for reference in _references(version)}
    assert used == set(DOCUMENTS[version]["components"]["schemas"])


@EACH
def test_operations_are_named_once_and_carry_what_the_standard_asks_for(version: Version) -> None:
    document = DOCUMENTS[version]
    assert document["openapi"].startswith("3.1.")
    assert document["info"]["version"] == version.name
    each = operations(version)
    assert len({operation["operationId"] for _, _, operation in each}) == len(each) > 10
    tags = {tag["name"] for tag in document["tags"]}
    for path, _, operation in each:
        assert set(operation["tags"]) <= tags
        assert all(response["description"] for response in operation["responses"].values())
        assert ("{" in path) == ("parameters" in document["paths"][path])


@EACH
def test_what_is_described_is_what_is_dispatched(version: Version) -> None:
    described = {(path, method) for path, method, _ in operations(version) if path.startswith("/personalizer")}
    assert described == {
        (f"{version.prefix}{route.path}", route.method.lower())
        for route in route_table.ROUTES
        if version in route.versions
    }


@EACH
def test_the_wire_asks_for_a_key_or_a_token_and_the_pages_for_none(version: Version) -> None:
    for path, _, operation in operations(version):
        wanted: list[dict[str, list[str]]] = [{"key": []}, {"token": []}]
        if not path.startswith("/personalizer"):
            wanted = []
        assert operation["security"] == wanted


def test_the_version_in_the_query_is_a_required_parameter_of_each_operation() -> None:
    for path, _, operation in operations(V2022_09):
        if path.startswith("/personalizer"):
            parameter = operation["parameters"][0]
            assert (parameter["name"], parameter["in"], parameter["required"]) == ("api-version", "query", True)
            assert parameter["schema"]["enum"] == ["2022-09-01-preview"]
    assert all("parameters" not in operation for _, _, operation in operations(V1_0))


@EACH
def test_success_and_every_kind_of_refusal_is_listed(version: Version) -> None:
    statuses = {
        operation["operationId"]: set(operation["responses"]) for _, _, operation in operations(version)
    }
    everywhere = {"400", "401", "403", "408", "429", "503"}
    assert statuses["Rank"] == {"201", "409"} | everywhere
    assert statuses["Reward"] == statuses["Activate"] == {"204"} | everywhere
    assert statuses["UpdatePolicy"] == {"200", "409"} | everywhere
    assert statuses["GetPolicy"] == {"200"} | everywhere


@EACH
def test_every_refusal_carries_its_code_in_a_header(version: Version) -> None:
    for path, _, operation in operations(version):
        for status, response in operation["responses"].items():
            if status >= "400":
                header = response["headers"]["x-ms-error-code"]
                example = response["content"]["application/json"]["example"]
                assert msgspec.convert(example, ErrorResponse).error.code in header["schema"]["enum"], path


def test_examples_are_bodies_that_are_accepted_and_given() -> None:
    decoder = RequestDecoder(Limits(), new_event_id=lambda: "made")
    request = decoder.rank(json.dumps(examples.RANK_REQUEST).encode())
    assert request.event_id == examples.EVENT_ID
    assert decoder.reward(json.dumps(examples.REWARD_REQUEST).encode()) == 1
    answer = msgspec.convert(examples.RANK_RESPONSE, RankResponse)
    assert {action.id for action in answer.ranking} == {action.id for action in request.actions}
    assert sum(action.probability for action in answer.ranking) == pytest.approx(1)


def test_examples_of_several_slots_are_accepted_and_given() -> None:
    decoder = MultiSlotDecoder(Limits(), RequestDecoder(Limits(), new_event_id=lambda: "made"))
    request = decoder.rank(json.dumps(examples.SLOTS_REQUEST).encode())
    answer = msgspec.convert(examples.SLOTS_RESPONSE, MultiSlotRankResponse)
    assert [slot.id for slot in answer.slots] == [slot.id for slot in request.slots]
    (reward,) = decoder.rewards(json.dumps(examples.SLOT_REWARDS_REQUEST).encode())
    assert reward.slot_id == answer.slots[0].id


@EACH
def test_limits_of_the_wire_are_described(version: Version) -> None:
    request = DOCUMENTS[version]["components"]["schemas"]["RankRequest"]["properties"]
    assert (request["actions"]["minItems"], request["actions"]["maxItems"]) == (1, Limits().actions)
    assert request["eventId"]["anyOf"][0]["maxLength"] == Limits().id_chars
