"""Features by name: found where the engine sees them, and left out everywhere at once."""

import msgspec
from msgspec.structs import replace

from sartor.estimators.feature_names import Feature, list_features, list_namespaces, without_feature
from sartor.records import Action, Decision, Slot
from sartor.testing.builders import make_decision


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


def test_each_feature_is_in_the_nearest_namespace() -> None:
    assert {str(found) for found in list_features(decision())} == {
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
    assert Feature("Slot", "size") in set(list_features(slotted()))


def test_a_feature_is_left_out_of_its_own_namespace_only() -> None:
    less = without_feature(decision(), Feature("user", "age"))
    assert msgspec.json.decode(less.context)[0]["user"] == {"home": {"city": "Bonn"}}
    assert less.actions == decision().actions, "an action's age is another feature"


def test_a_namespace_is_left_out_with_all_that_is_in_it() -> None:
    less = without_feature(decision(), Feature("Context"))
    left = {str(found) for found in list_features(less)}
    assert left & {"Context.device", "Context.hour"} == set()
    assert {"user.age", "home.city", "Action.topic"} <= left


def test_a_feature_of_every_action_goes_from_every_action() -> None:
    less = without_feature(decision(), Feature("Action", "topic"))
    assert [b"topic" in action.features for action in less.actions] == [False, False]
    assert [action.id for action in less.actions] == ["a", "b"]


def test_without_their_ids_actions_are_nameless() -> None:
    less = without_feature(decision(), Feature("Action", "id"))
    assert [action.id for action in less.actions] == ["", ""]
    assert [action.features for action in less.actions] == [a.features for a in decision().actions]
    assert [action.id for action in without_feature(decision(), Feature("Action")).actions] == ["", ""]


def test_a_feature_of_slots_goes_from_slots() -> None:
    less = without_feature(slotted(), Feature("Slot", "size"))
    assert less.slots[0].features == b"[{}]"


def test_what_is_not_there_changes_nothing() -> None:
    same = without_feature(decision(), Feature("user", "height"))
    assert same == decision()
    assert without_feature(decision(), Feature("nowhere")) == decision()


def test_namespaces_with_more_than_one_feature() -> None:
    found = [Feature("a", "x"), Feature("a", "y"), Feature("b", "x")]
    assert list_namespaces(found) == [Feature("a")]
    assert str(Feature("a")) == "a"
