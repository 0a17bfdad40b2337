"""What the engine gets of a context: numbers prepared, all else as it was and where it was."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings

from sartor.dsjson.context_json import encode_context
from sartor.learn.preparation.prepared_context import (
    ContextPreparer,
    find_context,
    make_plan,
    read_numbers,
    split_context,
)
from sartor.records import Action
from tests.unit.learn.samples import make_line, requests
from tests.unit.learn.slot_samples import make_slots_line


def encode(context: dict[str, Any], features: dict[str, Any] | None = None) -> bytes:
    actions = [Action("a", json.dumps([features or {}]).encode()), Action("b", b"[]")]
    return encode_context(json.dumps([context]).encode(), actions)


def prepare(seen: list[dict[str, Any]], asked: dict[str, Any]) -> dict[str, Any]:
    preparer = ContextPreparer(make_plan([split_context(encode(one)) for one in seen]))
    found: dict[str, Any] = json.loads(preparer.prepare_context(encode(asked)))["FromUrl"][0]
    return found


def test_a_number_is_standardised_under_its_own_name() -> None:
    seen = [{"x": 1000.0 + n} for n in range(101)]
    assert prepare(seen, {"x": 1050.0})["x"] == pytest.approx(0.0, abs=1e-9)
    assert prepare(seen, {"x": 1e15})["x"] == 3.0
    assert prepare(seen, {"x": -1e15})["x"] == -3.0


def test_whole_numbers_steps_clocks_and_presence_are_further_features() -> None:
    seen: list[dict[str, Any]] = [
        {"hour": n % 24, "x": n / 7} if n % 2 else {"hour": n % 24} for n in range(96)
    ]
    found = prepare(seen, {"hour": 6, "x": 3.3})
    assert sorted({name.partition("#")[0] for name in found}) == ["hour", "x"]
    assert len([name for name in found if name.startswith("hour")]) == 4  # itself, its value, sine and cosine
    assert len([name for name in found if name.startswith("x")]) == 4  # itself, its presence, two steps
    assert not any(name.startswith("x") for name in prepare(seen, {"hour": 6}))


def test_what_is_no_number_stays_as_it_is() -> None:
    kept = {"device": "mobile", "city": "New York", "ok": True, "no": False, "none": None, "_text": "a b c d"}
    assert prepare([kept] * 10, kept) == kept


def test_namespaces_stay_where_they_are() -> None:
    seen = [{"user": {"geo": {"lat": float(n)}}, "v": [n, 2 * n]} for n in range(10)]
    found = prepare(seen, {"user": {"geo": {"lat": 3.0}, "os": "x"}, "v": [1, 2]})
    assert set(found) == {"user", "v"}
    assert set(found["user"]) == {"geo", "os"}
    assert "lat" in found["user"]["geo"]
    assert {"v[0]", "v[1]"} <= set(found["v"])


def test_a_long_text_is_its_words_and_a_time_its_clock() -> None:
    seen = [{"title": "one", "at": f"2026-11-{day:02}T{day:02}:00:00Z"} for day in range(1, 24)]
    found = prepare(seen, {"title": "Three cheap phones", "at": "2026-11-05T05:30:00Z"})
    assert {"title~three", "title~cheap", "title~phones", "at#.hour", "at#.weekday"} <= set(found)
    assert not {"title", "at"} & set(found)


def test_numbers_of_actions_are_compared_among_the_actions() -> None:
    seen = [split_context(encode({}, {"price": 100.0 + n})) for n in range(50)]
    preparer = ContextPreparer(make_plan(seen))
    read = json.loads(preparer.prepare_context(encode({"price": 1}, {"price": 124.5})))
    assert read["_multi"][0]["j"][0]["price"] == pytest.approx(0.0, abs=0.02)
    assert read["_multi"][0]["i"] == {"constant": 1, "id": "a"}
    assert read["_multi"][1] == json.loads(encode({}))["_multi"][1]
    assert read["FromUrl"] == [{}]


@pytest.mark.parametrize("make", [make_line, make_slots_line])
def test_of_a_line_only_the_context_changes(make: Any) -> None:
    line = make(3)
    plan = make_plan([split_context(find_context(make(seed))) for seed in range(40)])
    prepared = ContextPreparer(plan).prepare_line(line)
    one, other = json.loads(line), json.loads(prepared)
    assert one.pop("c") != other.pop("c")
    assert one == other
    assert list(json.loads(line)) == list(json.loads(prepared))


def test_slots_are_prepared_by_a_plan_of_their_own() -> None:
    plan = make_plan([split_context(find_context(make_slots_line(seed))) for seed in range(40)])
    assert "place.row" in plan.slots.numbers
    assert "place.row" not in plan.contexts.numbers
    context = json.loads(ContextPreparer(plan).prepare_context(find_context(make_slots_line(3))))
    original = json.loads(find_context(make_slots_line(3)))
    for one, other in zip(context["_slots"], original["_slots"], strict=True):
        assert one["sj"][0]["place"]["size"] == other["sj"][0]["place"]["size"]
        assert one["sj"] != other["sj"]
        assert one["_id"] == other["_id"]


@settings(max_examples=40, deadline=None)
@given(requests)
def test_every_number_that_is_planned_is_written_where_it_is_read(request: tuple[bytes, list[Action]]) -> None:
    """The two walks through features, of the plan and of the preparation, find the same numbers."""
    context, actions = request
    encoded = encode_context(context, actions)
    parts = split_context(encoded)
    names = read_numbers(parts.context).numbers
    plan = make_plan([parts, parts])
    for name in names:  # all are constant here, so they are given a column by hand
        plan.contexts.numbers[name] = msgspec.structs.replace(_scaled(), column=1)
    prepared = json.loads(ContextPreparer(plan).prepare_context(encoded))["FromUrl"]
    assert _count_numbers(prepared) >= len({name.rpartition(".")[2] for name in names})


def _scaled() -> Any:
    from sartor.learn.second_order.columns import NumberColumns

    return NumberColumns(mean=-1.0)


def _count_numbers(value: object) -> int:
    if isinstance(value, dict):
        return sum(map(_count_numbers, value.values()))
    if isinstance(value, list):
        return sum(map(_count_numbers, value))
    return isinstance(value, float)


def test_where_numbers_are_many_they_have_no_steps() -> None:
    seen = [{f"x{k}": float((n * (k + 3)) % 101) for k in range(20)} for n in range(101)]
    found = prepare(seen, seen[5])
    assert sorted(found) == sorted(seen[5])


def test_numbers_of_actions_have_neither_steps_nor_whole_values() -> None:
    seen = [split_context(encode({}, {"price": n / 7, "size": n % 5})) for n in range(50)]
    found = json.loads(ContextPreparer(make_plan(seen)).prepare_context(encode({}, {"price": 2.2, "size": 3})))
    assert sorted(found["_multi"][0]["j"][0]) == ["price", "size"]
