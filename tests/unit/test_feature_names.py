"""Features by name: each that the engine reads has exactly one name, and can be left out by it."""

import json
from collections import Counter
from collections.abc import Iterator

import msgspec
import pylibvw
import pytest
from hypothesis import given
from msgspec.structs import replace

from sartor.dsjson.context_json import strip_reserved_names
from sartor.feature_names import (
    ACTION_ID,
    CONTEXT,
    FeatureFilter,
    FeatureName,
    FeatureSelection,
    list_decision_features,
    list_feature_names,
    list_namespaces,
    read_decision_parts,
    remove_feature,
)
from sartor.inference import query_of
from sartor.learn.vw import VowpalWabbit, create_engine
from sartor.records import Action, Decision, Slot
from sartor.testing.builders import make_decision
from tests.unit.dsjson.test_single_slot import features


def leave_out(made: Decision, *names: FeatureName) -> Decision:
    return FeatureFilter(FeatureSelection(left_out=names)).apply(made)


@pytest.fixture(scope="module")
def engine() -> Iterator[VowpalWabbit]:
    made = create_engine("--cb_explore_adf")
    yield made
    made.close()


def read_features(engine: VowpalWabbit, blob: bytes) -> Counter[tuple[int, int, float]]:
    """What the engine makes of a context: namespace, hash and value of each feature, without its constant."""
    line = b'{"a":[1],"c":{"FromUrl":%b,"_multi":[{"j":[{"x":1}]}]}}' % strip_reserved_names(blob)
    examples = pylibvw.vw._parse(engine._workspace, line)
    shared = examples[0]
    read = Counter(
        (namespace, shared.feature(namespace, place), shared.feature_weight(namespace, place))
        for namespace in (shared.namespace(number) for number in range(shared.num_namespaces()))
        if namespace != 128  # that of the constant
        for place in range(shared.num_features_in(namespace))
    )
    pylibvw.vw.predict_multi(engine._workspace, examples)
    pylibvw.vw._finish_example_multi_ex(engine._workspace, examples)
    return read


@given(features)
def test_each_feature_that_the_engine_reads_belongs_to_exactly_one_name(
    engine: VowpalWabbit, value: list[object]
) -> None:
    blob = msgspec.json.encode(value)
    read = read_features(engine, blob)
    of_names: Counter[tuple[int, int, float]] = Counter()
    for name in list_feature_names(blob, namespace=CONTEXT):
        less = read_features(engine, remove_feature(blob, name, namespace=CONTEXT))
        assert less < read, f"{name} is nothing that the engine reads"
        of_names += read - less
    assert of_names == read


@pytest.mark.parametrize(
    ("blob", "expected"),
    [
        (b"[]", []),
        (b'[{"age":3}]', ["Context.age"]),
        (b'[{"user":{"age":3,"device":"m"}},{"hour":9}]', ["user.age", "user.device", "Context.hour"]),
        (b'[{"user":{"home":{"zip":"8000"}}}]', ["home.zip"]),
        (b'[{"vector":[1,2,3]}]', ["Context.vector"]),
        (
            b'[{"a":null,"b":false,"c":true,"d":0,"e":-0.0,"f":1e-50,"g":[],"h":[0,0.0],"i":""}]',
            ["Context.c", "Context.i"],
        ),
        (b'[{"h":[0,0.5]}]', ["Context.h"]),
        (b'[{"_text":"two words","_x":1}]', ["Context._text"]),
        (b'[{"_text":" \\t"}]', []),
        (b'[{"_text":["a"],"_x":{"y":1},"n":{"_text":1}}]', []),
        (b'[{"a":1},{"a":2}]', ["Context.a"]),
        ('[{"é":{"x":1},"ü":[1],"ö":1}]'.encode(), ["é.x", "Context.ü", "Context.ö"]),
        ('[{"é":{"x":1},"%é":{"y":1}}]'.encode(), ["%é.y"]),
    ],
)
def test_a_feature_is_named_after_the_nearest_name_around_it(
    engine: VowpalWabbit, blob: bytes, expected: list[str]
) -> None:
    assert [str(name) for name in list_feature_names(blob, namespace=CONTEXT)] == expected
    assert bool(read_features(engine, blob)) is bool(expected)


def test_every_feature_of_a_name_is_removed_and_nothing_else() -> None:
    blob = b'[{"a":1,"b":2},{"u":{"a":3}},{"a":[1,2]}]'
    outer = remove_feature(blob, FeatureName("Context", "a"), namespace=CONTEXT)
    assert json.loads(outer) == [{"b": 2}, {"u": {"a": 3}}, {}]
    inner = remove_feature(blob, FeatureName("u", "a"), namespace=CONTEXT)
    assert json.loads(inner) == [{"a": 1, "b": 2}, {"u": {}}, {"a": [1, 2]}]


@given(features)
def test_without_each_of_them_nothing_is_left(value: list[object]) -> None:
    blob = msgspec.json.encode(value)
    for name in list_feature_names(blob, namespace=CONTEXT):
        blob = remove_feature(blob, name, namespace=CONTEXT)
        assert name not in list_feature_names(blob, namespace=CONTEXT)
    assert list_feature_names(blob, namespace=CONTEXT) == []


def decision() -> Decision:
    return replace(
        make_decision(actions=2),
        context=b'[{"device":"mobile","user":{"age":30,"home":{"city":"Bonn"}}},{"hour":9,"_private":1,"off":false}]',
        actions=(
            Action("a", b'[{"topic":"sports","age":2}]'),
            Action("b", b'[{"topic":"travel","vec":[1,2],"none":null,"_text":"good one"}]'),
        ),
    )


def slotted() -> Decision:
    slot = Slot(
        id="top",
        features=b'[{"size":"big"}]',
        excluded=(),
        baseline=0,
        probabilities=(0.5, 0.5),
        ranking=(0, 1),
        chosen=0,
    )
    return replace(decision(), slots=(slot,))


def names_of(decision: Decision) -> set[str]:
    return {str(name) for name in list_decision_features(decision)}


def test_each_feature_of_a_decision_is_in_the_nearest_namespace() -> None:
    assert names_of(decision()) == {
        "Context.device",
        "Context.hour",
        "user.age",
        "home.city",
        "Action.id",
        "Action.topic",
        "Action.age",
        "Action.vec",
        "Action._text",
    }
    assert names_of(slotted()) == names_of(decision()) | {"Slot.size"}


def test_features_of_excluded_actions_are_not_read_unless_a_slot_may_take_them() -> None:
    assert "Action.vec" not in names_of(replace(decision(), excluded=(1,)))
    assert "Action.vec" in names_of(replace(slotted(), excluded=(1,)))


def test_an_empty_id_names_nothing() -> None:
    nameless = replace(decision(), actions=(Action("", b'[{"topic":"sports"}]'),), excluded=())
    assert ACTION_ID not in list_decision_features(nameless)


@given(features, features, features)
def test_what_the_engine_is_sent_changes_with_each_name(
    context: list[object], one: list[object], other: list[object]
) -> None:
    encode = msgspec.json.encode
    sent = replace(
        slotted(),
        context=encode(context),
        actions=(Action("a", encode(one)), Action("b", encode(other))),
        slots=(replace(slotted().slots[0], features=encode(other)),),
    )
    for made in (sent, replace(sent, slots=())):
        for name in list_decision_features(made):
            less = leave_out(made, name)
            assert query_of(less).encode() != query_of(made).encode()
            assert name not in list_decision_features(less)


def test_a_feature_is_left_out_of_its_own_namespace_only() -> None:
    less = leave_out(decision(), FeatureName("user", "age"))
    assert msgspec.json.decode(less.context)[0]["user"] == {"home": {"city": "Bonn"}}
    assert less.actions == decision().actions, "an action's age is another feature"


def test_a_namespace_is_left_out_with_all_that_is_in_it() -> None:
    left = names_of(leave_out(decision(), FeatureName("Context")))
    assert left & {"Context.device", "Context.hour"} == set()
    assert {"user.age", "home.city", "Action.topic"} <= left


def test_a_feature_of_every_action_goes_from_every_action() -> None:
    less = leave_out(decision(), FeatureName("Action", "topic"))
    assert [b"topic" in action.features for action in less.actions] == [False, False]
    assert [action.id for action in less.actions] == ["a", "b"]


def test_without_their_ids_actions_are_nameless() -> None:
    less = leave_out(decision(), ACTION_ID)
    assert [action.id for action in less.actions] == ["", ""]
    assert [action.features for action in less.actions] == [a.features for a in decision().actions]
    without_namespace = leave_out(decision(), FeatureName("Action"))
    assert [action.id for action in without_namespace.actions] == ["", ""]


def test_a_feature_of_slots_goes_from_slots() -> None:
    less = leave_out(slotted(), FeatureName("Slot", "size"))
    assert less.slots[0].features == b"[{}]"


def test_what_is_not_there_changes_nothing() -> None:
    assert leave_out(decision(), FeatureName("user", "height")) == decision()
    assert leave_out(decision(), FeatureName("nowhere")) == decision()


def test_several_features_are_left_out_at_once_and_a_filter_is_used_again_and_again() -> None:
    left_out = (FeatureName("user", "age"), FeatureName("Action"))
    kept = FeatureFilter(FeatureSelection(left_out=left_out))
    expected = leave_out(leave_out(decision(), left_out[0]), left_out[1])
    assert [kept.apply(decision()) for _ in range(2)] == [expected, expected]


def test_features_that_are_not_known_can_be_left_out() -> None:
    known = frozenset({FeatureName("Context", "device"), FeatureName("Action", "topic")})
    less = FeatureFilter(FeatureSelection(known=known)).apply(decision())
    assert set(list_decision_features(less)) == known
    assert names_of(FeatureFilter(FeatureSelection()).apply(decision())) == names_of(decision())


def test_a_decision_is_read_part_by_part_with_values() -> None:
    parts = list(read_decision_parts(slotted()))
    assert [name for name, _ in parts] == ["Context", "Action", "Action", "Slot"]
    assert (ACTION_ID, "a") in parts[1][1]
    names = {name for _, features in parts for name, _ in features}
    assert names == set(list_decision_features(slotted()))


def test_namespaces_with_more_than_one_feature() -> None:
    names = [FeatureName("a", "x"), FeatureName("a", "y"), FeatureName("b", "x")]
    assert list_namespaces(names) == [FeatureName("a")]
    assert str(FeatureName("a")) == "a"
