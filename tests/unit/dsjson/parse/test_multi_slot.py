"""Lines of several slots, and what is refused with which reason."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from sartor.dsjson.parse.lines import RejectedLine, parse_line
from sartor.records import ImportedDecision, JoinedObservation

AT_US = 1_662_000_227_000_000
LINE: dict[str, Any] = {
    "Timestamp": "2022-09-01T02:43:47Z",
    "Version": "1",
    "EventId": "e",
    "c": {
        "FromUrl": [{"device": "mobile"}],
        "_multi": [{"_tag": tag, "i": {"constant": 1, "id": tag}, "j": [{"t": tag}]} for tag in "xyz"],
        "_slots": [{"_id": "top", "sj": [{"size": "big"}], "_inc": [0, 2]}, {"_id": "side", "sj": []}],
    },
    "_outcomes": [
        {
            "_label_cost": -1.0,
            "_id": "top",
            "_a": [2, 0],
            "_p": [0.75, 0.25],
            "_o": [
                {"EventId": "e", "ActionTaken": True},
                {"v": 1.0, "EventId": "e", "Index": "top", "ActionTaken": False},
            ],
            "_original_label_cost": -1.0,
        },
        {"_label_cost": 0.5, "_id": "side", "_a": [1, 0], "_p": [0.5, 0.5], "_original_label_cost": 0.5},
    ],
    "_ba": [0, 1],
    "VWState": {"m": "model"},
}

Change = Callable[[dict[str, Any]], object]


def changed(change: Change) -> bytes:
    members = copy.deepcopy(LINE)
    change(members)
    return json.dumps(members).encode()


def taken(change: Change = lambda _: None) -> ImportedDecision:
    found = parse_line(changed(change))
    assert isinstance(found, ImportedDecision), found
    return found


def test_everything_is_taken() -> None:
    found = taken()
    decision, outcome = found.decision, found.outcome
    top, side = decision.slots
    assert (top.id, top.features, top.excluded, top.baseline) == ("top", b'[{"size":"big"}]', (1,), 0)
    assert (top.chosen, top.probabilities, top.ranking) == (2, (0.25, 0.0, 0.75), (2, 1, 0))
    assert (side.chosen, side.probabilities, side.ranking) == (1, (0.5, 0.5, 0.0), (1, 0, 2))
    assert (decision.chosen, decision.baseline, decision.propensity) == (2, 0, 0.75)
    assert (decision.deferred, decision.mode, decision.model_id) == (True, "Online", "model")
    assert (outcome.reward, outcome.slot_rewards, outcome.learnable) == (1.0, (1.0, -0.5), True)
    assert outcome.joined == (JoinedObservation(0, AT_US, None), JoinedObservation(0, AT_US, 1.0, "top"))


def test_an_activation_in_each_slot_counts_once() -> None:
    def activate(members: dict[str, Any]) -> None:
        members["_outcomes"][1]["_o"] = [{"EventId": "e", "ActionTaken": True}]

    assert taken(activate).outcome.joined == taken().outcome.joined


def test_without_baselines_they_are_the_first_that_could_be_taken() -> None:
    decision = taken(lambda members: members.pop("_ba")).decision
    assert [slot.baseline for slot in decision.slots] == [0, 0]


def test_actions_that_the_order_leaves_out_had_no_chance() -> None:
    def shorten(members: dict[str, Any]) -> None:
        members["_outcomes"][1] |= {"_a": [1], "_p": [1.0]}

    _, side = taken(shorten).decision.slots
    assert (side.probabilities, side.ranking) == ((0.0, 1.0, 0.0), (1, 0, 2))


def test_an_apprentice_learned_something_else_than_the_rewards() -> None:
    def imitate(members: dict[str, Any]) -> None:
        for filled, cost in zip(members["_outcomes"], (0.0, -1.0), strict=True):
            filled["_label_cost"] = cost

    found = taken(imitate)
    assert (found.decision.mode, found.outcome.slot_rewards) == ("Apprentice", (1.0, -0.5))


def _slot(place: int, **members: object) -> Change:
    return lambda line: line["_outcomes"][place].update(members)


def _without(place: int, name: str) -> Change:
    return lambda line: line["_outcomes"][place].pop(name)


@pytest.mark.parametrize(
    ("change", "kind", "word"),
    [
        pytest.param(_without(1, "_p"), "no probabilities", "no _p", id="a slot without probabilities"),
        pytest.param(_without(0, "_a"), "invalid", "_a", id="a slot without an order"),
        pytest.param(_without(0, "_label_cost"), "invalid", "_label_cost", id="a slot without a cost"),
        pytest.param(_slot(0, _a=[1, 0]), "invalid", "could not take", id="an excluded action"),
        pytest.param(_slot(1, _a=[2, 0]), "invalid", "could not take", id="an action of an earlier slot"),
        pytest.param(_slot(1, _a=[1, 1]), "invalid", "twice", id="an action twice"),
        pytest.param(_slot(1, _a=[1, 3]), "invalid", "could not take", id="no such action"),
        pytest.param(_slot(1, _p=[1.0]), "invalid", "_p holds 1", id="a probability too few"),
        pytest.param(_slot(1, _p=[0.4, 0.5]), "invalid", "sum to 1", id="less than all"),
        pytest.param(_slot(1, _id="top"), "invalid", "same _id", id="a slot twice"),
        pytest.param(lambda line: line.update(_ba=[0]), "invalid", "_ba", id="a baseline too few"),
        pytest.param(lambda line: line.update(_ba=[1, 0]), "invalid", "_ba", id="an excluded baseline"),
        pytest.param(lambda line: line.update(_outcomes=[]), "invalid", "0 slots", id="no slots"),
        pytest.param(lambda line: line["c"].pop("_slots"), "invalid", "c 0", id="no slots in the context"),
        pytest.param(lambda line: line.pop("c"), "invalid", "context", id="no context"),
        pytest.param(lambda line: line.update(_pending=True), "pending", "", id="an open decision"),
    ],
)
def test_what_gives_no_decision_says_why(change: Change, kind: str, word: str) -> None:
    found = parse_line(changed(change))
    assert isinstance(found, RejectedLine)
    assert found.kind == kind
    assert word in found.reason
