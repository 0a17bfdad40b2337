"""An explanation gives what the engine predicts without each feature, for every exploration."""

import msgspec
import pytest
from hypothesis import given
from msgspec.structs import replace

from sartor.explore.decide import decide
from sartor.explore.why import ExplainedAction, explain_decision
from sartor.feature_names import list_decision_features
from sartor.inference import request_probabilities
from sartor.learn.vw import VowpalWabbit, create_engine
from sartor.records import Action, Decision, RankInput
from tests.unit.dsjson.test_single_slot import features
from tests.unit.learn.slot_samples import make_slots_decision, slot_lines

ACTIONS = (
    Action("good", b'[{"topic":"sports","size":1}]'),
    Action("bad", b'[{"topic":"finance","size":1}]'),
    Action("never", b'[{"topic":"travel"}]'),
)
UNTRAINED = create_engine("--cb_explore_adf")
REQUEST = RankInput(event_id="e", context=b'[{"user":{"age":30}},{"hour":9}]', actions=ACTIONS, excluded=(2,))


def train_engine(arguments: str) -> VowpalWabbit:
    """It has learned that 'good' is worth something, and that the hour is worth nothing."""
    made = create_engine(arguments)
    for turn in range(300):
        place = turn % 2
        reward = -1.0 if place == 0 else 0.0
        made.learn(
            b'{"_label_cost":%d,"_label_probability":0.5,"_label_Action":%d,"_labelIndex":%d,"a":[1,2],"c":'
            b'{"FromUrl":[{"user":{"age":30}}],"_multi":['
            b'{"_tag":"good","i":{"constant":1,"id":"good"},"j":[{"topic":"sports","size":1}]},'
            b'{"_tag":"bad","i":{"constant":1,"id":"bad"},"j":[{"topic":"finance","size":1}]}]}}'
            % (reward, place + 1, place)
        )
    return made


def decision(engine: VowpalWabbit, request: RankInput = REQUEST) -> Decision:
    return decide(
        request,
        probabilities=request_probabilities(engine, request),
        loop_id="l",
        model_id="m",
        settings_version=1,
    )


def scores(explanation: ExplainedAction) -> dict[str, float]:
    return {one.name: one.score for one in explanation.features}


@pytest.mark.parametrize("exploration", ["--epsilon 0.2", "--squarecb", "--softmax", "--regcb", "--first 5"])
def test_what_speaks_for_an_action_has_a_positive_score(exploration: str) -> None:
    engine = train_engine(f"--cb_explore_adf {exploration} --cb_type mtr")
    found = explain_decision(engine, decision(engine))
    assert found.measure == "reward"
    by_id = {one.id: one for one in found.actions}
    assert set(by_id) == {"good", "bad"}
    good = scores(by_id["good"])
    assert good["Action.id"] > 0.1
    assert good["Action.topic"] > 0.1
    assert good["Context.hour"] == 0.0
    assert set(good) == {"Action.id", "Action.topic", "Action.size", "user.age", "Context.hour"}
    assert by_id["good"].score > by_id["bad"].score + 0.5


@pytest.mark.parametrize("exploration", ["--bag 3", "--cover 3", "--rnd 2 --epsilon 0.1"])
def test_where_there_are_several_models_scores_are_probabilities(exploration: str) -> None:
    engine = train_engine(f"--cb_explore_adf {exploration}")
    made = decision(engine)
    found = explain_decision(engine, made)
    assert found.measure == "probability"
    for one in found.actions:
        place = [action.id for action in ACTIONS].index(one.id)
        assert one.score == pytest.approx(made.probabilities[place])


def test_a_score_is_the_difference_that_the_feature_makes() -> None:
    engine = train_engine("--cb_explore_adf --bag 3 --greedify --epsilon 0.1")
    made = decision(engine)
    without_age = replace(REQUEST, context=b'[{"user":{}},{"hour":9}]')
    expected = made.probabilities[0] - decision(engine, without_age).probabilities[0]
    (good,) = (one for one in explain_decision(engine, made).actions if one.id == "good")
    assert scores(good)["user.age"] == pytest.approx(expected)


def test_features_are_sorted_by_how_much_they_matter_and_actions_as_answered() -> None:
    engine = train_engine("--cb_explore_adf --squarecb")
    made = decision(engine)
    found = explain_decision(engine, made)
    ranked = [ACTIONS[index].id for index in made.ranking if index != 2]
    assert [one.id for one in found.actions] == ranked
    for one in found.actions:
        sizes = [abs(feature.score) for feature in one.features]
        assert sizes == sorted(sizes, reverse=True)


def test_only_the_chosen_action_is_explained_when_asked() -> None:
    engine = train_engine("--cb_explore_adf --squarecb")
    made = decision(engine)
    found = explain_decision(engine, made, only_chosen=True)
    assert [one.id for one in found.actions] == [ACTIONS[made.chosen].id]


def test_a_budget_is_spent_on_the_chosen_action_first_and_the_rest_is_counted() -> None:
    engine = train_engine("--cb_explore_adf --squarecb")
    made = decision(engine)
    found = explain_decision(engine, made, budget_bytes=1_000)
    assert found.left_out > 0
    names = set(scores(found.actions[0]))
    assert names <= {"Action.id", "Action.topic", "Action.size", "user.age", "Context.hour"}
    assert "Action.id" in names
    everything = explain_decision(engine, made)
    explained = sum(len(one.features) for one in everything.actions)
    assert explained == 10
    assert everything.left_out == 0


def test_the_same_name_in_context_and_action_is_named_twice() -> None:
    engine = train_engine("--cb_explore_adf --squarecb -q ::")
    alike = replace(
        REQUEST,
        context=b'[{"topic":{"name":"x"}}]',
        actions=(Action("good", b'[{"topic":{"name":"y"}}]'), *ACTIONS[1:]),
    )
    (good,) = (one for one in explain_decision(engine, decision(engine, alike)).actions if one.id == "good")
    assert [one.name for one in good.features].count("topic.name") == 2


def test_explaining_changes_nothing() -> None:
    engine = train_engine("--cb_explore_adf --squarecb -q ::")
    before = decision(engine)
    explain_decision(engine, before)
    assert decision(engine) == before


def test_a_slot_is_explained_given_what_was_put_into_those_before() -> None:
    engine = create_engine("--ccb_explore_adf --squarecb -q ::")
    for line in slot_lines(0, 100):
        engine.learn(line)
    made = next(d for d in map(make_slots_decision, range(100)) if len(d.slots) > 1)
    found = explain_decision(engine, made, slot=1)
    closed = {made.slots[0].chosen, *made.slots[1].excluded}
    expected = [made.actions[index].id for index in made.slots[1].ranking if index not in closed]
    assert [one.id for one in found.actions] == expected
    assert {"place.size", "place.row", "Action.id"} <= set(scores(found.actions[0]))


@given(features, features, features)
def test_an_explanation_names_features_as_feature_importance_does(
    context: list[object], one: list[object], other: list[object]
) -> None:
    encode = msgspec.json.encode
    actions = (Action("a", encode(one)), Action("b", encode(other)), ACTIONS[2])
    request = RankInput(event_id="e", context=encode(context), actions=actions, excluded=(2,))
    made = decide(request, probabilities=[0.5, 0.5], loop_id="l", model_id="m", settings_version=1)
    explained = explain_decision(UNTRAINED, made).actions
    names = {feature.name for action in explained for feature in action.features}
    assert names == {str(name) for name in list_decision_features(made)}
