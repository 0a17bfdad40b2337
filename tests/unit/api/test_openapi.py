"""The description is whole, and true to what the service accepts and gives."""

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from sartor.api import examples, openapi
from sartor.api.reader import Reader
from sartor.api.wire import ErrorResponse, RankResponse
from sartor.settings import Limits

SAID: dict[str, Any] = json.loads(openapi.answer().body)

OPERATIONS = [
    (path, method, operation)
    for path, item in SAID["paths"].items()
    for method, operation in item.items()
    if method != "parameters"
]


def _nodes(value: object) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _nodes(inner)


def test_every_reference_leads_somewhere() -> None:
    references = [node["$ref"] for node in _nodes(SAID) if isinstance(node.get("$ref"), str)]
    assert len(references) > 10
    for reference in references:
        node: Any = SAID
        for step in reference.removeprefix("#/").split("/"):
            node = node[step]
        assert node


def test_every_schema_is_used() -> None:
    used = {node["$ref"].rpartition("/")[2] for node in _nodes(SAID) if isinstance(node.get("$ref"), str)}
    assert used == set(SAID["components"]["schemas"])


def test_operations_are_named_once_and_carry_what_the_standard_asks_for() -> None:
    assert SAID["openapi"].startswith("3.1.")
    assert len({operation["operationId"] for _, _, operation in OPERATIONS}) == len(OPERATIONS) == 7
    tags = {tag["name"] for tag in SAID["tags"]}
    for path, _, operation in OPERATIONS:
        assert set(operation["tags"]) <= tags
        assert all(response["description"] for response in operation["responses"].values())
        assert ("{eventId}" in path) == ("parameters" in SAID["paths"][path])


def test_the_wire_asks_for_a_key_and_the_pages_for_none() -> None:
    for path, _, operation in OPERATIONS:
        assert operation["security"] == ([{"key": []}] if path.startswith("/personalizer") else [])


def test_success_and_every_kind_of_refusal_is_listed() -> None:
    statuses = {operation["operationId"]: set(operation["responses"]) for _, _, operation in OPERATIONS}
    assert statuses["Rank"] == {"201", "400", "401", "408", "409", "503"}
    assert statuses["Reward"] == statuses["Activate"] == {"204", "400", "401", "408", "503"}


def test_examples_are_bodies_that_are_accepted_and_given() -> None:
    reader = Reader(Limits(), new_event_id=lambda: "made")
    request = reader.rank(json.dumps(examples.RANK_REQUEST).encode())
    assert request.event_id == examples.EVENT_ID
    assert reader.reward(json.dumps(examples.REWARD_REQUEST).encode()) == 1
    answer = msgspec.convert(examples.RANK_RESPONSE, RankResponse)
    assert {action.id for action in answer.ranking} == {action.id for action in request.actions}
    assert sum(action.probability for action in answer.ranking) == pytest.approx(1)


def test_examples_of_errors_have_the_shape_of_errors() -> None:
    shown = [
        response["content"]["application/json"]["example"]
        for _, _, operation in OPERATIONS
        for status, response in operation["responses"].items()
        if status >= "400"
    ]
    assert len(shown) > 10
    assert all(msgspec.convert(example, ErrorResponse).error.code for example in shown)


def test_limits_of_the_wire_are_described() -> None:
    request = SAID["components"]["schemas"]["RankRequest"]["properties"]
    assert (request["actions"]["minItems"], request["actions"]["maxItems"]) == (1, Limits().actions)
    assert request["eventId"]["maxLength"] == Limits().id_chars
