"""Lines of one slot, of every age, and what is refused with which reason."""

import json
from typing import Any

import pytest

from sartor.dsjson.parse.lines import RejectedLine, parse_line
from sartor.records import Action, ImportedDecision, JoinedObservation

AT_US = 1_662_000_227_123_456
LINE: dict[str, Any] = {
    "_label_cost": -0.5,
    "_label_probability": 0.8,
    "_label_Action": 2,
    "_labelIndex": 1,
    "o": [{"v": 0.5, "EventId": "e", "ActionTaken": False}],
    "Timestamp": "2022-09-01T02:43:47.1234567Z",
    "Version": "1",
    "EventId": "e",
    "a": [2, 1, 3],
    "c": {
        "FromUrl": [{"device": "mobile"}],
        "_multi": [
            {"_tag": "x", "i": {"constant": 1, "id": "x"}, "j": [{"topic": "a"}]},
            {"_tag": "y", "i": {"constant": 1, "id": "y"}, "j": [{"topic": "b"}]},
            {"_tag": "z", "i": {"constant": 1, "id": "z"}, "j": [{"topic": "c"}]},
        ],
    },
    "p": [0.8, 0.1, 0.1],
    "VWState": {"m": "app/model"},
    "_original_label_cost": -0.5,
}


def line(*without: str, **changes: object) -> bytes:
    members = {name: value for name, value in (LINE | changes).items() if name not in without}
    return json.dumps(members).encode()


def taken(text: bytes) -> ImportedDecision:
    found = parse_line(text)
    assert isinstance(found, ImportedDecision), found
    return found


def refused(text: bytes) -> RejectedLine:
    found = parse_line(text)
    assert isinstance(found, RejectedLine)
    return found


def context(**actions: object) -> dict[str, object]:
    return {"FromUrl": [], "_multi": [{"_tag": tag, "j": features} for tag, features in actions.items()]}


def test_everything_is_taken() -> None:
    found = taken(line())
    decision, outcome = found.decision, found.outcome
    assert found.made_at_us == AT_US
    assert (decision.event_id, decision.context) == ("e", b'[{"device":"mobile"}]')
    assert decision.actions == (
        Action("x", b'[{"topic":"a"}]'),
        Action("y", b'[{"topic":"b"}]'),
        Action("z", b'[{"topic":"c"}]'),
    )
    assert (decision.ranking, decision.chosen) == ((1, 0, 2), 1)
    assert decision.probabilities == (0.1, 0.8, 0.1)
    assert (decision.model_id, decision.mode, decision.deferred) == ("app/model", "Online", False)
    assert (outcome.event_id, outcome.reward, outcome.learnable) == ("e", 0.5, True)
    assert outcome.joined == (JoinedObservation(0, AT_US, 0.5),)


def test_the_order_of_the_members_does_not_matter() -> None:
    members = json.loads(line())
    assert parse_line(json.dumps(dict(reversed(members.items()))).encode()) == parse_line(line())


@pytest.mark.parametrize("without", ["_label_Action", "_labelIndex"])
def test_one_name_of_the_chosen_action_is_enough(without: str) -> None:
    assert taken(line(without)).decision.chosen == 1


def test_without_a_name_the_first_of_the_order_was_chosen() -> None:
    assert taken(line("_label_Action", "_labelIndex", a=[3, 1, 2], _label_probability=0.8)).decision.chosen == 2


def test_without_observations_nothing_was_joined() -> None:
    assert taken(line("o")).outcome.joined == ()
    assert taken(line(o=None)).outcome.joined == ()


@pytest.mark.parametrize(
    ("observed", "deferred"),
    [
        pytest.param({"EventId": "e", "ActionTaken": True}, True, id="an activation"),
        pytest.param({"EventId": "e", "DeferredAction": False}, True, id="an activation of old logs"),
        pytest.param({"v": 0.5, "EventId": "e", "DeferredAction": True}, False, id="a reward of old logs"),
    ],
)
def test_what_has_no_value_is_an_activation(observed: dict[str, object], deferred: bool) -> None:
    found = taken(line(o=[observed]))
    assert found.outcome.joined == (JoinedObservation(0, AT_US, None if deferred else 0.5),)
    assert (found.decision.deferred, found.outcome.learnable) == (deferred, True)


@pytest.mark.parametrize("mark", ["_skipLearn", "_deferred"])
def test_what_was_never_activated_is_not_to_be_learned(mark: str) -> None:
    found = taken(line(**{mark: True}))
    assert (found.decision.deferred, found.outcome.learnable) == (True, False)


def test_a_reward_that_is_no_number_is_left_out() -> None:
    assert taken(line(o=[{"v": "much"}, {"v": True}, {"v": 1}])).outcome.joined == (
        JoinedObservation(0, AT_US, 1.0),
    )


def test_without_an_original_cost_the_cost_is_the_reward() -> None:
    assert taken(line("_original_label_cost")).outcome.reward == 0.5
    assert str(taken(line("_original_label_cost", _label_cost=0)).outcome.reward) == "0.0"


@pytest.mark.parametrize(("index", "cost"), [(0, -1.0), (1, 0.0)])
def test_an_apprentice_learned_something_else_than_the_reward(index: int, cost: float) -> None:
    text = line("_label_Action", "_label_probability", _labelIndex=index, _label_cost=cost)
    found = taken(text)
    assert (found.decision.mode, found.outcome.reward) == ("Apprentice", 0.5)


def test_costs_that_no_apprentice_has_are_rewards() -> None:
    found = taken(line(_label_cost=-0.25))
    assert (found.decision.mode, found.outcome.reward) == ("Online", 0.25)


def test_a_sampled_log_keeps_what_it_left_out() -> None:
    assert taken(line(pdrop=0.5)).decision.dropped == 0.5
    assert taken(line(pdrop=0.5, _label_probability=0.4)).decision.propensity == 0.8
    assert refused(line(pdrop=1)).kind == "invalid"


def test_a_line_that_names_no_model() -> None:
    assert taken(line("VWState")).decision.model_id == "unknown"


def test_a_mark_of_bytes_and_spaces_at_the_ends_do_no_harm() -> None:
    assert taken(b"\xef\xbb\xbf" + line() + b" \r\n") == taken(line())


@pytest.mark.parametrize(
    ("text", "at_us"),
    [
        ("2022-09-01T02:43:47.123456Z", AT_US),
        ("2022-09-01T02:43:47.123456", AT_US),
        ("2022-09-01T04:43:47.123456+02:00", AT_US),
        ("2022-09-01T02:43:47.1Z", AT_US - 23_456),
        ("2022-09-01T02:43:47Z", AT_US - 123_456),
        ("1969-12-31T23:59:59.5Z", -500_000),
    ],
)
def test_times_of_every_age(text: str, at_us: int) -> None:
    assert taken(line(Timestamp=text)).made_at_us == at_us


def test_ids_of_actions_are_found_where_they_are() -> None:
    actions = [{"i": {"constant": 1, "id": "x"}}, {"_tag": 7, "j": []}, {"j": {"topic": "c"}}]
    found = taken(line(c={"_multi": actions})).decision.actions
    assert found == (Action("x", b"[]"), Action("7", b"[]"), Action("2", b'[{"topic":"c"}]'))


def test_members_of_other_ages_are_kept_as_features() -> None:
    first = {"_tag": "x", "i": {"constant": 1, "id": "x", "extra": 2}, "j": [{"a": 1}], "s": {"b": 2}, "f": 3}
    found = taken(
        line("_label_Action", a=[1], p=[1], _labelIndex=0, _label_probability=1).replace(
            json.dumps(LINE["c"]).encode(), json.dumps({"GUser": {"age": 3}, "_multi": [first]}).encode()
        )
    ).decision
    assert found.context == b'[{"GUser":{"age":3}}]'
    assert json.loads(found.actions[0].features) == [{"a": 1}, {"s": {"b": 2}, "f": 3, "i": {"extra": 2}}]


@pytest.mark.parametrize(
    ("text", "kind", "word"),
    [
        pytest.param(b"", "blank", "", id="nothing"),
        pytest.param(b" \r\n", "blank", "", id="spaces"),
        pytest.param(b'[{"offset": 1}]', "checkpoint", "", id="a checkpoint"),
        pytest.param(b'{"EventId":"e","RewardValue":1,"EnqueuedTimeUtc":""}', "dangling", "", id="dangling"),
        pytest.param(b'{"Timestamp":"t","RewardValue":0.5}', "dangling", "", id="an old dangling reward"),
        pytest.param(line(_pending=True), "pending", "", id="an open decision"),
        pytest.param(line("p"), "no probabilities", "no p (no _p", id="no p"),
        pytest.param(line(p=[]), "no probabilities", "no p (no _p", id="an empty p"),
        pytest.param(line()[:-9], "corrupt", "", id="cut short"),
        pytest.param(b"\xff\xfe{", "corrupt", "", id="not UTF-8"),
        pytest.param(b"{" * 100_000, "corrupt", "", id="a tower"),
        pytest.param(b'{"name":"n","arguments":"--cb_explore_adf"}', "invalid", "c,", id="a policy"),
        pytest.param(line("_label_cost"), "invalid", "_label_cost", id="no cost"),
        pytest.param(line("a"), "invalid", "a,", id="no order"),
        pytest.param(line("EventId"), "invalid", "EventId", id="no event id"),
        pytest.param(line(EventId=""), "invalid", "EventId", id="an empty event id"),
        pytest.param(line(EventId="a\0"), "invalid", "NUL", id="a NUL"),
        pytest.param(line("Timestamp"), "invalid", "Timestamp", id="no time"),
        pytest.param(line(Timestamp="yesterday"), "invalid", "Timestamp", id="no such time"),
        pytest.param(line(Timestamp="2022-13-01T00:00:00Z"), "invalid", "Timestamp", id="month 13"),
        pytest.param(line(a=[1, 2]), "invalid", "each of the 3", id="an action too few"),
        pytest.param(line(a=[1, 2, 2]), "invalid", "each of the 3", id="an action twice"),
        pytest.param(line(p=[1.0]), "invalid", "p holds 1", id="a probability too few"),
        pytest.param(line(p=[0.8, 0.3, 0.1]), "invalid", "sum to 1", id="more than all"),
        pytest.param(line(p=[1.2, -0.1, -0.1]), "invalid", "negative", id="negative"),
        pytest.param(line(p=[0, 0.5, 0.5]), "invalid", "of 0", id="what could not be chosen"),
        pytest.param(line(_label_probability=0.5), "invalid", "_label_probability", id="two probabilities"),
        pytest.param(line(_labelIndex=0), "invalid", "contradict", id="two labels"),
        pytest.param(line("_labelIndex", _label_Action=4), "invalid", "no action", id="a label out of range"),
        pytest.param(line(c={"FromUrl": []}), "invalid", "no actions", id="no actions"),
        pytest.param(line(c=context(x=[{"a": 1e30}], y=[], z=[])), "invalid", "<= 1", id="a number too large"),
        pytest.param(line(c=context(x=[{"a": ["b"]}], y=[], z=[])), "invalid", "", id="an array of texts"),
        pytest.param(line(c=context(x=[{"": 1}], y=[], z=[])), "invalid", "", id="an empty name"),
    ],
)
def test_what_gives_no_decision_says_why(text: bytes, kind: str, word: str) -> None:
    found = refused(text)
    assert found.kind == kind
    assert word in found.reason


def test_a_text_that_looks_like_an_escaped_nul_is_none() -> None:
    assert taken(line(EventId="\\u0000")).decision.event_id == "\\u0000"
