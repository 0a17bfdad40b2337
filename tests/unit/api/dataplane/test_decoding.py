"""Bodies become requests, byte for byte."""

import json

import pytest

from sartor.api.dataplane.decoding import RequestDecoder
from sartor.errors import InvalidRequest
from sartor.records import Action, RankInput
from sartor.settings import Limits

READER = RequestDecoder(Limits(), new_event_id=lambda: "made")


def test_a_whole_request() -> None:
    body = b"""{
        "contextFeatures": [ {"user": {"age": 3, "name": "Zo\\u00eb"}}, {"x": 1.50} ],
        "actions": [ {"id": "a", "features": [ {"v": [1, 2.0]} ]},
                     {"features": [ {"n": null, "m": true} ], "id": "b"} ],
        "excludedActions": ["b", "c", "b"], "eventId": "e", "deferActivation": true, "more": {"": [[]]}
    }"""
    assert READER.rank(body) == RankInput(
        event_id="e",
        context='[{"user":{"age":3,"name":"Zoë"}},{"x":1.5}]'.encode(),
        actions=(Action("a", b'[{"v":[1,2.0]}]'), Action("b", b'[{"n":null,"m":true}]')),
        excluded=(1,),
        deferred=True,
    )


def test_the_smallest_request() -> None:
    assert READER.rank(b'{"actions":[{"id":"a","features":[{"x":0}]}]}') == RankInput(
        event_id="made", context=b"[]", actions=(Action("a", b'[{"x":0}]'),)
    )


def test_an_escaped_backslash_before_u0000_is_no_nul() -> None:
    request = READER.rank(json.dumps({"actions": [{"id": "\\u0000", "features": [{"x": "\\u0000"}]}]}).encode())
    assert request.actions[0].id == "\\u0000"


@pytest.mark.parametrize("value", [0, -1, 2.5, -1e50, 123456789012345678901234567890])
def test_rewards(value: float) -> None:
    assert READER.reward(json.dumps({"value": value}).encode()) == float(value)


def test_of_two_members_with_one_name_the_last_counts_and_all_are_checked() -> None:
    assert READER.reward(b'{"value":1,"value":2}') == 2
    with pytest.raises(InvalidRequest, match="value"):
        READER.reward(b'{"value":"x","value":2}')


def test_limits_are_those_of_the_instance() -> None:
    decoder = RequestDecoder(Limits(actions=1, id_chars=3), new_event_id=lambda: "made")
    for ids, says in ((["a", "b"], "1 to 1 actions"), (["abcd"], "longer than 3")):
        actions = [{"id": one, "features": [{"x": 1}]} for one in ids]
        with pytest.raises(InvalidRequest, match=says):
            decoder.rank(json.dumps({"actions": actions}).encode())
    with pytest.raises(InvalidRequest, match="longer than 3"):
        decoder.check_event_id("abcd")
