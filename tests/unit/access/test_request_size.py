"""The size of a request, by a glance and by counting."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sartor.access import request_size
from sartor.api.dataplane.wire import Features
from sartor.settings import Limits

names = st.sampled_from(["_text", "x", "y", "_textual"]) | st.text(min_size=1, max_size=5)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(0, 9)
    | st.text(max_size=20)
    | st.lists(st.integers(0, 9), max_size=6),
    lambda inner: st.dictionaries(names, inner, max_size=4),
    max_leaves=15,
)
objects = st.lists(st.dictionaries(names, values, max_size=4), max_size=4)


@pytest.mark.parametrize(
    ("items", "features"),
    [
        ([], 0),
        ([{}], 0),
        ([{"x": None}], 0),
        ([{"x": []}], 0),
        ([{"x": {"y": {}}}], 0),
        ([{"x": 0}, {"y": False}, {"z": ""}], 3),
        ([{"x": [1, 2, 3]}], 3),
        ([{"x": {"y": 1, "z": {"w": [1, 2]}}}], 3),
        ([{"_text": "to be or not to be"}], 6),
        ([{"_text": ""}], 1),
        ([{"text": "to be or not to be"}], 1),
        ([{"x": {"_text": "to be"}}], 2),
        ([{"_text": 7}], 1),
    ],
)
def test_features_are_counted(items: Features, features: int) -> None:
    assert request_size.count_features(items) == features


def test_pairs_grow_with_the_square() -> None:
    assert request_size.count_pairs(10, [10, 30]) == (20**2 + 40**2) // 2


@given(context=objects, actions=st.lists(objects, min_size=1, max_size=3), escaped=st.booleans())
def test_a_glance_never_lets_through_what_counting_would_not(
    context: Features, actions: list[Features], escaped: bool
) -> None:
    limits = Limits(features=12, feature_pairs=100)
    body = json.dumps({"contextFeatures": context, "actions": [{"features": items} for items in actions]})
    if escaped:
        body = body.replace("_text", "_t\\u0065xt")
    if request_size.fits_at_a_glance(body.encode(), actions=len(actions), limits=limits):
        each = [request_size.count_features(items) for items in actions]
        assert request_size.count_features(context) + sum(each) <= limits.features
        assert request_size.count_pairs(request_size.count_features(context), each) <= limits.feature_pairs


def test_an_ordinary_request_is_not_counted() -> None:
    actions = [{"id": f"a{number}", "features": [{"x": 1, "y": 2, "z": "é"}]} for number in range(50)]
    body = json.dumps({"contextFeatures": [{"u": number} for number in range(20)], "actions": actions}).encode()
    assert request_size.fits_at_a_glance(body, actions=50, limits=Limits())
