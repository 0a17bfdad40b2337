"""The line of the joined log: its order of keys, its values, and the names that never reach the engine."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from sartor.dsjson import context_json, single_slot
from sartor.records import Action, Decision, JoinedObservation, LoggedDecision, Outcome

DECISION = Decision(
    event_id="event/é",
    context=b'[{"device":"mobile"},{"hour":13}]',
    actions=(
        Action("sports", b'[{"topic":"sports"}]'),
        Action("finance", b'[{"topic":"finance"}]'),
        Action("travel", b'[{"topic":"travel"}]'),
    ),
    excluded=(),
    probabilities=(0.1, 0.7, 0.2),
    ranking=(2, 1, 0),
    chosen=2,
    model_id="m7",
    settings_version=1,
)
LOGGED = LoggedDecision(4, 1_662_013_447_000_042, DECISION)
OUTCOME = Outcome(
    decision_seq=4,
    event_id="event/é",
    reward=0.5,
    learnable=True,
    joined=(
        JoinedObservation(1, 1_662_013_447_000_050, None),
        JoinedObservation(2, 1_662_013_448_000_000, 0.5),
    ),
    settled_at_us=1_662_013_448_000_001,
    settings_version=1,
)


def test_a_line_in_full() -> None:
    context = (
        '{"FromUrl":[{"device":"mobile"},{"hour":13}],"_multi":['
        '{"_tag":"sports","i":{"constant":1,"id":"sports"},"j":[{"topic":"sports"}]},'
        '{"_tag":"finance","i":{"constant":1,"id":"finance"},"j":[{"topic":"finance"}]},'
        '{"_tag":"travel","i":{"constant":1,"id":"travel"},"j":[{"topic":"travel"}]}]}'
    )
    assert single_slot.encode_outcome_line(LOGGED, OUTCOME).decode() == (
        '{"_label_cost":-0.5,"_label_probability":0.2,"_label_Action":3,"_labelIndex":2,'
        '"o":[{"EventId":"event/é","ActionTaken":true},{"v":0.5,"EventId":"event/é","ActionTaken":false}],'
        '"Timestamp":"2022-09-01T06:24:07.000042Z","Version":"1","EventId":"event/é",'
        f'"a":[3,2,1],"c":{context},"p":[0.2,0.7,0.1],"VWState":{{"m":"m7"}},"_original_label_cost":-0.5}}'
    )


def test_excluded_actions_are_not_in_the_line_and_the_others_are_counted_without_them() -> None:
    decision = replace(DECISION, excluded=(0,), probabilities=(0.0, 0.75, 0.25), ranking=(0, 2, 1), chosen=2)
    line = json.loads(single_slot.encode_outcome_line(LoggedDecision(4, 0, decision), OUTCOME))
    assert (line["_label_Action"], line["_labelIndex"], line["_label_probability"]) == (2, 1, 0.25)
    assert (line["a"], line["p"]) == ([2, 1], [0.25, 0.75])
    assert [action["_tag"] for action in line["c"]["_multi"]] == ["finance", "travel"]


def test_what_is_not_to_be_learned_is_marked() -> None:
    line = json.loads(single_slot.encode_outcome_line(LOGGED, replace(OUTCOME, learnable=False)))
    assert line["_skipLearn"] is True
    assert list(line).index("_skipLearn") < list(line).index("c")


def test_a_decision_that_is_not_settled_is_marked_and_has_no_label() -> None:
    line = json.loads(single_slot.encode_pending_line(LOGGED))
    assert (line["_pending"], line["_skipLearn"], line["EventId"]) == (True, True, "event/é")
    assert not [name for name in line if name.startswith("_label")]


def test_an_outcome_without_observations_has_an_empty_list() -> None:
    assert json.loads(single_slot.encode_outcome_line(LOGGED, replace(OUTCOME, joined=())))["o"] == []


@pytest.mark.parametrize("reward", [0.0, -0.0])
def test_a_cost_of_zero_has_no_sign(reward: float) -> None:
    assert single_slot.encode_outcome_line(LOGGED, replace(OUTCOME, reward=reward)).startswith(
        b'{"_label_cost":0.0,'
    )


names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6) | st.sampled_from(
    ["_multi", "_slots", "_label", "_label_cost", "_tag", "_inc", "_text", "_", "__proto__", "a_b"]
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6) | st.sampled_from(['"_multi":', "_label"])
numbers = st.integers(-(10**15), 10**15) | st.floats(-1e15, 1e15)
values = st.recursive(
    texts | numbers | st.booleans() | st.none() | st.lists(numbers, max_size=3),
    lambda inner: st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)
features = st.lists(st.dictionaries(names, values, max_size=3), max_size=3)


def names_in(value: object) -> list[tuple[str, object]]:
    """Every name at any depth, with what it names."""
    if isinstance(value, dict):
        below = [found for inner in value.values() for found in names_in(inner)]
        return [*value.items(), *below]
    if isinstance(value, list):
        return [found for inner in value for found in names_in(inner)]
    return []


def made_safe(value: object) -> object:
    """The rule in its plainest form, for comparison."""
    if isinstance(value, list):
        return [made_safe(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    safe: dict[str, object] = {}
    for name, inner in value.items():
        if name.startswith("_") and not (name == "_text" and isinstance(inner, str)):
            continue
        foreign = name >= "\x80" and isinstance(inner, dict | list)
        safe["%" + name if foreign else name] = made_safe(inner)
    return safe


@given(features)
def test_names_that_the_engine_would_obey_are_dropped_and_nothing_else(value: list[object]) -> None:
    safe = json.loads(context_json.strip_reserved_names(msgspec.json.encode(value)))
    assert safe == made_safe(value)
    assert all(
        not name.startswith("_") or (name == "_text" and isinstance(inner, str))
        for name, inner in names_in(safe)
    )


@given(features)
def test_what_is_safe_already_passes_through_byte_for_byte(value: list[object]) -> None:
    safe = context_json.strip_reserved_names(msgspec.json.encode(value))
    assert context_json.strip_reserved_names(safe) == safe


def test_a_text_to_be_split_into_words_stays_and_anything_else_of_that_name_goes() -> None:
    blob = b'[{"_text":"two words","n":{"_text":"inner"}},{"_text":["a"]},{"_text":{"_text":1}}]'
    assert context_json.strip_reserved_names(blob) == b'[{"_text":"two words","n":{"_text":"inner"}},{},{}]'


def test_a_namespace_that_does_not_begin_with_ascii_gets_a_percent_sign_and_a_feature_does_not() -> None:
    blob = '[{"é":{"é":1},"ünder":[1],"né":{"a":1},"日":"é"}]'.encode()
    assert (
        context_json.strip_reserved_names(blob)
        == '[{"%é":{"é":1},"%ünder":[1],"né":{"a":1},"日":"é"}]'.encode()
    )


@given(features, st.lists(st.tuples(texts, features), min_size=1, max_size=4))
def test_a_context_holds_what_is_safe_of_the_request_and_each_action_once(
    context: list[object], actions: list[tuple[str, list[object]]]
) -> None:
    made = context_json.encode_context(
        msgspec.json.encode(context), [Action(name, msgspec.json.encode(value)) for name, value in actions]
    )
    assert json.loads(made) == {
        "FromUrl": made_safe(context),
        "_multi": [
            {"_tag": name, "i": {"constant": 1, "id": name}, "j": made_safe(value)} for name, value in actions
        ],
    }


@st.composite
def settled(draw: st.DrawFn) -> tuple[LoggedDecision, Outcome]:
    count = draw(st.integers(1, 6))
    excluded = tuple(sorted(draw(st.sets(st.integers(0, count - 1), max_size=count - 1))))
    rankable = [index for index in range(count) if index not in excluded]
    probabilities = [0.0 if index in excluded else draw(st.floats(1e-6, 1.0)) for index in range(count)]
    decision = Decision(
        event_id=draw(texts),
        context=msgspec.json.encode(draw(features)),
        actions=tuple(Action(draw(texts), msgspec.json.encode(draw(features))) for _ in range(count)),
        excluded=excluded,
        probabilities=tuple(probabilities),
        ranking=tuple(draw(st.permutations(range(count)))),
        chosen=draw(st.sampled_from(rankable)),
        model_id=draw(texts),
        settings_version=1,
    )
    rewards = draw(st.lists(st.none() | st.floats(-1e15, 1e15), max_size=3))
    outcome = Outcome(
        decision_seq=1,
        event_id=decision.event_id,
        reward=draw(st.floats(-1e300, 1e300)),
        learnable=draw(st.booleans()),
        joined=tuple(JoinedObservation(n + 1, n, reward) for n, reward in enumerate(rewards)),
        settled_at_us=9,
        settings_version=1,
    )
    return LoggedDecision(1, draw(st.integers(0, 4 * 10**15)), decision), outcome


@given(settled())
def test_a_line_reads_back_to_the_values_that_went_in(case: tuple[LoggedDecision, Outcome]) -> None:
    logged, outcome = case
    decision, blob = logged.decision, single_slot.encode_outcome_line(logged, outcome)
    line = json.loads(blob)
    rankable = decision.rankable
    assert b"\n" not in blob
    assert (-line["_label_cost"], line["_label_probability"]) == (outcome.reward, decision.propensity)
    assert rankable[line["_labelIndex"]] == rankable[line["_label_Action"] - 1] == decision.chosen
    assert ("_skipLearn" not in line) is outcome.learnable
    assert [seen.get("v") for seen in line["o"]] == [joined.reward for joined in outcome.joined]
    assert (line["EventId"], line["VWState"]["m"]) == (decision.event_id, decision.model_id)
    ranked = [rankable[number - 1] for number in line["a"]]
    assert ranked == [index for index in decision.ranking if index in rankable]
    assert line["p"] == [decision.probabilities[index] for index in ranked]
    assert line["c"] == json.loads(context_json.encode_decision_context(decision, rankable))


@given(settled())
def test_the_label_comes_before_the_context(case: tuple[LoggedDecision, Outcome]) -> None:
    names_of_line = list(json.loads(single_slot.encode_outcome_line(*case)))
    assert names_of_line[:4] == ["_label_cost", "_label_probability", "_label_Action", "_labelIndex"]
    assert names_of_line[-1] == "_original_label_cost"
