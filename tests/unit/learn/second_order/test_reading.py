"""Features as numbers and tokens; and garbage, which is refused and nothing else."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sartor.dsjson.context_json import encode_context
from sartor.errors import EngineRefused
from sartor.learn.second_order.engine import create_second_order_engine
from sartor.learn.second_order.reading import (
    RawFeatures,
    find_period,
    read_action_features,
    read_context,
    read_features,
    read_line,
    read_slot_features,
)
from sartor.records import Action
from tests.unit.learn.samples import requests

JsonObjects = list[dict[str, Any]]


def read(*objects: dict[str, Any]) -> RawFeatures:
    return read_features(objects)


def test_numbers_have_the_path_to_them_as_their_name() -> None:
    assert read({"user": {"age": 30, "geo": {"lat": 1.5}}}, {"hour": 9}).numbers == {
        "user.age": 30.0,
        "user.geo.lat": 1.5,
        "hour": 9.0,
    }


def test_arrays_of_numbers_are_numbers_by_place() -> None:
    assert read({"v": [1, 0.5, None, True]}).numbers == {"v[0]": 1.0, "v[1]": 0.5, "v[3]": 1.0}


def test_arrays_of_objects_and_texts_are_read_like_their_members() -> None:
    assert read({"v": [{"a": 1}, "x", {"b": "y"}]}) == RawFeatures({"v.a": 1.0}, ("v=x", "v.b=y"))


def test_true_is_a_token_and_false_and_null_are_nothing() -> None:
    assert read({"a": True, "b": False, "c": None}) == RawFeatures({}, ("a=true",))


def test_short_texts_are_categories_and_long_ones_words() -> None:
    assert read({"a": "New York"}).tokens == ("a=New York",)
    assert read({"a": "one Two, two three"}).tokens == ("a~one", "a~two", "a~three")
    assert read({"_text": "word"}).tokens == ("_text~word",)


def test_of_a_long_text_the_first_words_count() -> None:
    tokens = read({"a": " ".join(f"w{n}" for n in range(500))}).tokens
    assert tokens[0] == "a~w0"
    assert len(tokens) == 64


@pytest.mark.parametrize(
    ("text", "hour", "weekday"),
    [
        ("2026-11-30T06:30:00Z", 6.5, 0.0),
        ("2026-11-29 23:00", 23.0, 6.0),
        ("2026-11-28T12:15:00.5+02:00", 12.25, 5.0),
    ],
)
def test_a_time_is_a_clock_and_a_weekday(text: str, hour: float, weekday: float) -> None:
    assert read({"at": text}) == RawFeatures({"at#.hour": hour, "at#.weekday": weekday}, ())


@pytest.mark.parametrize("text", ["2026-13-30T06:30:00Z", "2026-11-30T06:30:xx", "2026-11-30T06:30+99:99"])
def test_what_only_looks_like_a_time_is_a_category(text: str) -> None:
    assert read({"at": text}) == RawFeatures({}, (f"at={text}",))


@pytest.mark.parametrize("name", ["timestamp", "created_at_time", "ts", "Date", "lastDateTime"])
def test_seconds_and_milliseconds_since_1970_have_a_clock(name: str) -> None:
    for value in (1_764_484_200, 1_764_484_200_000):  # 2025-11-30 06:30 UTC, a Sunday
        assert read({name: value}).numbers == {
            name: float(value),
            f"{name}#.hour": 6.5,
            f"{name}#.weekday": 6.0,
        }


@pytest.mark.parametrize(("name", "value"), [("price", 1_764_484_200), ("ts", 5), ("ts", 1e15), ("ts", -1e12)])
def test_other_numbers_have_no_clock(name: str, value: float) -> None:
    assert read({name: value}).numbers == {name: value}


def test_a_slot_adds_its_features_and_its_number_to_the_context() -> None:
    line = b'{"FromUrl":[{"a":1,"b":"x"}],"_multi":[],"_slots":[{"sj":[{"a":2,"size":"big"}]},{}]}'
    found = read_context(line, 0)
    context = read_features(found.context)
    assert read_slot_features(context, found.slots[0], 0) == RawFeatures(
        {"a": 1.0, "slot#.a": 2.0}, ("b=x", "slot#0", "slot#.size=big")
    )
    assert read_slot_features(context, found.slots[1], 1) == RawFeatures({"a": 1.0}, ("b=x", "slot#1"))
    assert context == RawFeatures({"a": 1.0}, ("b=x",))


def test_periods_are_found_by_the_last_part_of_a_name() -> None:
    assert [find_period(name) for name in ("hour", "user.Day_Of_Week", "at#.weekday", "month")] == [
        24,
        7,
        7,
        12,
    ]
    assert find_period("hours") is find_period("hour.x") is find_period("") is None


DEEP = b'{"a":' * 3000 + b"1" + b"}" * 3000
HUGE = b"9" * 400


@pytest.mark.parametrize(
    "features",
    [
        b'[{"a":[[1]]}]',
        b'[{"a":%b}]' % HUGE,
        b'[{"a":[%b]}]' % HUGE,
        b'[{"a":1e400}]',
        b"[%b]" % DEEP,
        b"[3]",
        b"{}",
        b"null",
        b"[",
        b"",
        b'[{"\\ud800":1}]',
    ],
)
def test_features_that_are_none_are_refused(features: bytes) -> None:
    context = b'{"FromUrl":%b,"_multi":[{"i":{"id":"a"},"j":[]},{"i":{"id":"b"},"j":[]}]}' % features
    engine = create_second_order_engine("--sartor")
    with pytest.raises(EngineRefused):
        engine.probabilities(context, 2)
    with pytest.raises(EngineRefused):
        engine.learn(b'{"_label_cost":-1,"_labelIndex":0,"c":%b}' % context)
    with pytest.raises(EngineRefused):
        read_action_features(features)


@pytest.mark.parametrize("line", [b"", b"{}", b"[]", b'{"c":{}}', b"\xff", b'{"c":' * 9000])
def test_lines_that_are_none_are_refused(line: bytes) -> None:
    with pytest.raises(EngineRefused):
        read_line(line)


_scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
_json = st.recursive(
    _scalars,
    lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(max_size=4), v, max_size=3),
    max_leaves=5,
)


def refuses_or_reads(features: bytes) -> None:
    try:
        found = read_action_features(features)
    except EngineRefused:
        return
    assert all(isinstance(value, float) for value in found.numbers.values())


@settings(max_examples=40, deadline=None)
@given(st.lists(st.dictionaries(st.text(max_size=4), _json, max_size=3), max_size=3))
def test_any_objects_are_read_or_refused(objects: JsonObjects) -> None:
    refuses_or_reads(json.dumps(objects).encode())


@settings(max_examples=40, deadline=None)
@given(_json)
def test_any_json_is_read_or_refused(value: object) -> None:
    refuses_or_reads(json.dumps(value).encode())


@settings(max_examples=30, deadline=None)
@given(requests)
def test_every_request_that_the_wire_lets_through_is_ranked_and_learned(
    request: tuple[bytes, list[Action]],
) -> None:
    context, actions = request
    encoded = encode_context(context, actions)
    engine = create_second_order_engine("--sartor")
    for number in range(9):
        engine.learn(b'{"_label_cost":%d,"_labelIndex":%d,"c":%b}' % (-number, number % len(actions), encoded))
    probabilities = engine.probabilities(encoded, len(actions))
    assert sum(probabilities) == pytest.approx(1.0, abs=1e-12)
    assert min(probabilities) >= 0


def test_names_with_dots_and_unicode_and_without_characters_are_names() -> None:
    features = msgspec.json.encode([{"a.b": 1, "é": 2, "": 3, "😀": "😀"}])
    assert read_action_features(features) == RawFeatures({"a.b": 1.0, "é": 2.0, "": 3.0}, ("😀=😀",))


def test_tokens_are_bounded_and_long_ones_are_still_different() -> None:
    one, other = (read_features([{"a": "x" * 100_000 + end, "_text": "w" * 9_000 + end}]) for end in "12")
    assert all(len(token) <= 600 for token in (*one.tokens, *other.tokens))
    assert not set(one.tokens) & set(other.tokens)
