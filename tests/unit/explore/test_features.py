"""Single features of a blob: their names, and the blob without one of them."""

import json

import msgspec
import pytest
from hypothesis import given

from sartor.explore.features import list_features, without_feature
from tests.unit.dsjson.test_single_slot import features


@pytest.mark.parametrize(
    ("blob", "expected"),
    [
        (b"[]", []),
        (b'[{"age":3}]', ["Context.age"]),
        (b'[{"user":{"age":3,"device":"m"}},{"hour":9}]', ["user.age", "user.device", "Context.hour"]),
        (b'[{"user":{"home":{"zip":"8000"}}}]', ["home.zip"]),
        (b'[{"vector":[1,2,3]}]', ["Context.vector"]),
        (b'[{"a":null,"b":false,"c":true,"d":0}]', ["Context.c", "Context.d"]),
        (b'[{"_text":"two words","_x":1}]', ["Context._text"]),
        (b'[{"a":1},{"a":2}]', ["Context.a"]),
        ('[{"é":{"x":1}}]'.encode(), ["%é.x"]),
    ],
)
def test_a_feature_is_named_after_the_nearest_name_around_it(blob: bytes, expected: list[str]) -> None:
    assert list_features(blob, outermost="Context") == expected


def test_every_feature_of_a_name_goes_and_nothing_else() -> None:
    blob = b'[{"a":1,"b":2},{"u":{"a":3}},{"a":[1,2]}]'
    assert json.loads(without_feature(blob, "Context.a", outermost="Context")) == [
        {"b": 2},
        {"u": {"a": 3}},
        {},
    ]
    assert json.loads(without_feature(blob, "u.a", outermost="Context")) == [
        {"a": 1, "b": 2},
        {"u": {}},
        {"a": [1, 2]},
    ]


@given(features)
def test_without_each_of_them_nothing_is_left(value: list[object]) -> None:
    blob = msgspec.json.encode(value)
    for name in list_features(blob, outermost="X"):
        less = without_feature(blob, name, outermost="X")
        assert name not in list_features(less, outermost="X")
        blob = less
    assert list_features(blob, outermost="X") == []
