"""What the second-order engine's explanations say: what matters scores, what never changes does not."""

import random
from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from sartor.dsjson.single_slot import encode_outcome_line
from sartor.explore.decide import decide
from sartor.explore.slots import decide_slots
from sartor.explore.why import DecisionExplanation, explain_decision
from sartor.inference import request_probabilities, slot_predictor
from sartor.learn.engines import create_engine
from sartor.ports import Engine
from sartor.records import Action, Decision, LoggedDecision, MultiSlotInput, RankInput, SlotInput
from sartor.testing.builders import make_outcome

ACTIONS = (
    Action("sports", b'[{"topic":"sports","size":1}]'),
    Action("news", b'[{"topic":"news","size":1}]'),
    Action("never", b'[{"topic":"travel","size":1}]'),
)


def make_context(device: str) -> bytes:
    return b'[{"device":"%b","site":"ours"}]' % device.encode()


def ask(device: str, actions: Sequence[Action] = ACTIONS, *, event_id: str = "e") -> RankInput:
    return RankInput(event_id=event_id, context=make_context(device), actions=tuple(actions), excluded=(2,))


def answer(engine: Engine | None, request: RankInput) -> Decision:
    return decide(
        request,
        probabilities=request_probabilities(engine, request),
        loop_id="l",
        model_id="m",
        settings_version=1,
    )


@pytest.fixture(scope="module")
def engine() -> Engine:
    """It learned that sports is wanted on mobiles and news elsewhere; size and site are always the same."""
    made, rng = create_engine("--sartor"), random.Random(5)
    for number in range(300):
        device = rng.choice(("mobile", "desktop"))
        decision = answer(None, ask(device, event_id=f"e{number}"))
        reward = float((decision.chosen == 0) == (device == "mobile"))
        line = encode_outcome_line(LoggedDecision(number, 1, decision), make_outcome(number, reward=reward))
        made.learn(line)
    return made


def scores(found: DecisionExplanation, action_id: str) -> dict[str, float]:
    (one,) = (one for one in found.actions if one.id == action_id)
    return {feature.name: feature.score for feature in one.features}


@pytest.mark.parametrize(
    ("device", "wanted", "other"), [("mobile", "sports", "news"), ("desktop", "news", "sports")]
)
def test_what_matters_speaks_for_the_wanted_action_and_against_the_other(
    engine: Engine, device: str, wanted: str, other: str
) -> None:
    found = explain_decision(engine, answer(engine, ask(device)))
    assert found.measure == "reward"
    assert {one.id for one in found.actions} == {"sports", "news"}  # nothing is said of what is excluded
    assert scores(found, wanted)["Context.device"] > 0.2
    assert scores(found, other)["Context.device"] < -0.2
    for name in (wanted, other):
        said = scores(found, name)
        assert abs(said["Context.site"]) < 0.05 < abs(said["Context.device"]) / 2
        assert abs(said["Action.size"]) < 0.05
    by_id = {one.id: one.score for one in found.actions}
    assert by_id[wanted] > by_id[other] + 0.5


@pytest.mark.parametrize(
    "ids", [("sports", "sports", "x"), ("", "news", "x"), ("", "", "")], ids=["twice", "empty", "all empty"]
)
def test_ids_that_are_empty_or_there_twice_are_explained(engine: Engine, ids: tuple[str, ...]) -> None:
    actions = [replace(action, id=name) for action, name in zip(ACTIONS, ids, strict=True)]
    decision = answer(engine, ask("mobile", actions))
    found = explain_decision(engine, decision)
    assert [one.id for one in found.actions] == [ids[index] for index in decision.ranking if index != 2]
    for one in found.actions:
        names = [feature.name for feature in one.features]
        assert ("Action.id" in names) is bool(one.id)
        assert {"Context.device", "Action.topic"} <= set(names)


def test_one_that_learned_nothing_says_nothing_of_any_feature() -> None:
    fresh = create_engine("--sartor")
    found = explain_decision(fresh, answer(fresh, ask("mobile")))
    assert {feature.score for one in found.actions for feature in one.features} == {0.0}


@pytest.mark.parametrize("mode", ["Apprentice", "LoggingOnly"])
def test_decisions_of_every_mode_are_explained(engine: Engine, mode: str) -> None:
    request = ask("mobile")
    decision = decide(
        request,
        probabilities=request_probabilities(engine, request),
        loop_id="l",
        model_id="m",
        settings_version=1,
        mode=mode,  # type: ignore[arg-type]
    )
    found = explain_decision(engine, decision)
    assert scores(found, "sports")["Context.device"] > 0.2


def ask_for_slots(device: str, event_id: str = "e") -> MultiSlotInput:
    slots = (
        SlotInput(id="top", features=b'[{"place":"top"}]', baseline=0, excluded=(2,)),
        SlotInput(id="side", features=b'[{"place":"side"}]', baseline=1),
    )
    return MultiSlotInput(event_id=event_id, context=make_context(device), actions=ACTIONS, slots=slots)


def fill(engine: Engine | None, request: MultiSlotInput) -> Decision:
    predict = slot_predictor(engine, request)
    return decide_slots(request, predict=predict, loop_id="l", model_id="m", settings_version=1)


def test_each_slot_has_its_own_reasons() -> None:
    """Sports is wanted on mobiles on top; at the side one thing is as good as another."""
    made, rng = create_engine("--sartor --ccb_explore_adf"), random.Random(5)
    for number in range(300):
        device = rng.choice(("mobile", "desktop"))
        decision = fill(None, ask_for_slots(device, f"e{number}"))
        reward = float((decision.slots[0].chosen == 0) == (device == "mobile"))
        outcome = replace(make_outcome(number, reward=reward), slot_rewards=(reward, 0.5))
        made.learn(encode_outcome_line(LoggedDecision(number, 1, decision), outcome))
    decision = fill(made, ask_for_slots("mobile"))
    top, side = (explain_decision(made, decision, slot=slot) for slot in (0, 1))
    assert scores(top, "sports")["Context.device"] > 0.2
    assert scores(top, "sports")["Context.device"] > 4 * abs(scores(top, "sports")["Context.site"])
    chosen = decision.actions[decision.slots[0].chosen].id
    assert {one.id for one in top.actions} == {"sports", "news"}
    assert {one.id for one in side.actions} == {"sports", "news", "never"} - {chosen}
    assert all(abs(said["Context.device"]) < 0.2 for said in (scores(side, one.id) for one in side.actions))
