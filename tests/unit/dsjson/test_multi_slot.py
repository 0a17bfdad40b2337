"""Lines of several slots: their order of keys, their values, and the question about one slot."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from sartor.dsjson import single_slot
from sartor.dsjson.context_json import drop_action_id, encode_context
from sartor.dsjson.multi_slot import encode_slot_query
from sartor.records import Action, Decision, JoinedObservation, LoggedDecision, Outcome, Slot
from tests.unit.dsjson.test_single_slot import features, made_safe, names_in, texts


def made_slot(
    slot_id: str,
    features: bytes,
    *,
    baseline: int,
    chosen: int,
    probabilities: tuple[float, ...],
    ranking: tuple[int, ...],
    excluded: tuple[int, ...] = (),
) -> Slot:
    return Slot(
        id=slot_id,
        features=features,
        excluded=excluded,
        baseline=baseline,
        probabilities=probabilities,
        ranking=ranking,
        chosen=chosen,
    )


DECISION = Decision(
    event_id="event/é",
    context=b'[{"device":"mobile"}]',
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
    slots=(
        made_slot(
            "top",
            b'[{"size":"big"}]',
            baseline=0,
            chosen=2,
            probabilities=(0.1, 0.7, 0.2),
            ranking=(2, 1, 0),
        ),
        made_slot(
            "side",
            b"[]",
            baseline=2,
            chosen=0,
            probabilities=(1.0, 0.0, 0.0),
            ranking=(0, 1, 2),
            excluded=(1,),
        ),
    ),
)
LOGGED = LoggedDecision(4, 1_662_013_447_000_042, DECISION)
OUTCOME = Outcome(
    decision_seq=4,
    event_id="event/é",
    reward=0.5,
    learnable=True,
    joined=(
        JoinedObservation(1, 50, None),
        JoinedObservation(2, 51, 0.5, "top"),
        JoinedObservation(3, 52, -1.0, "side"),
    ),
    settled_at_us=60,
    settings_version=1,
    slot_rewards=(0.5, -1.0),
)
CONTEXT = (
    '{"FromUrl":[{"device":"mobile"}],"_multi":['
    '{"_tag":"sports","i":{"constant":1,"id":"sports"},"j":[{"topic":"sports"}]},'
    '{"_tag":"finance","i":{"constant":1,"id":"finance"},"j":[{"topic":"finance"}]},'
    '{"_tag":"travel","i":{"constant":1,"id":"travel"},"j":[{"topic":"travel"}]}],'
    '"_slots":[{"_id":"top","sj":[{"size":"big"}]},{"_id":"side","sj":[],"_inc":[0,2]}]}'
)


def test_a_line_in_full() -> None:
    assert single_slot.encode_outcome_line(LOGGED, OUTCOME).decode() == (
        '{"Timestamp":"2022-09-01T06:24:07.000042Z","Version":"1","EventId":"event/é",'
        f'"c":{CONTEXT},"_outcomes":['
        '{"_label_cost":-0.5,"_id":"top","_a":[2,1,0],"_p":[0.2,0.7,0.1],"_o":['
        '{"EventId":"event/é","ActionTaken":true},'
        '{"v":0.5,"EventId":"event/é","Index":"top","ActionTaken":false}],"_original_label_cost":-0.5},'
        '{"_label_cost":1.0,"_id":"side","_a":[0],"_p":[1.0],"_o":['
        '{"v":-1.0,"EventId":"event/é","Index":"side","ActionTaken":false}],"_original_label_cost":1.0}],'
        '"_ba":[0,2],"VWState":{"m":"m7"}}'
    )


def test_what_is_not_to_be_learned_is_marked_where_the_engine_looks() -> None:
    line = json.loads(single_slot.encode_outcome_line(LOGGED, replace(OUTCOME, learnable=False)))
    assert list(line)[:3] == ["Timestamp", "_skipLearn", "Version"]


def test_slots_without_observations_have_no_list_of_them() -> None:
    line = json.loads(single_slot.encode_outcome_line(LOGGED, replace(OUTCOME, joined=())))
    assert [list(slot) for slot in line["_outcomes"]] == [
        ["_label_cost", "_id", "_a", "_p", "_original_label_cost"]
    ] * 2


def test_a_decision_that_is_not_settled_is_marked_and_has_no_costs() -> None:
    line = json.loads(single_slot.encode_pending_line(LOGGED))
    assert (line["_pending"], line["_skipLearn"], line["EventId"]) == (True, True, "event/é")
    assert [list(slot) for slot in line["_outcomes"]] == [["_id", "_a", "_p"]] * 2


def test_apprentice_learns_to_choose_the_baseline_of_each_slot() -> None:
    imitating = replace(
        DECISION, mode="Apprentice", slots=(replace(DECISION.slots[0], baseline=2), DECISION.slots[1])
    )
    line = json.loads(single_slot.encode_outcome_line(replace(LOGGED, decision=imitating), OUTCOME))
    labels = [(slot["_label_cost"], slot["_original_label_cost"]) for slot in line["_outcomes"]]
    assert labels == [(-1.0, -0.5), (0.0, 1.0)]
    assert "_skipLearn" not in line


def test_logging_only_learns_nothing_and_keeps_the_rewards() -> None:
    line = json.loads(
        single_slot.encode_outcome_line(
            replace(LOGGED, decision=replace(DECISION, mode="LoggingOnly")), OUTCOME
        )
    )
    assert line["_skipLearn"] is True
    assert [slot["_original_label_cost"] for slot in line["_outcomes"]] == [-0.5, 1.0]


def test_apprentice_learns_to_choose_the_baseline_of_a_single_slot() -> None:
    single = replace(DECISION, slots=(), mode="Apprentice", chosen=2)
    outcome = replace(OUTCOME, slot_rewards=())
    line = single_slot.encode_outcome_line(replace(LOGGED, decision=single), outcome)
    assert line.startswith(b'{"_label_cost":0.0,')
    assert line.endswith(b',"_original_label_cost":-0.5}')
    same = replace(single, chosen=0, ranking=(0, 1, 2))
    assert single_slot.encode_outcome_line(replace(LOGGED, decision=same), outcome).startswith(
        b'{"_label_cost":-1.0,'
    )


def test_logging_only_learns_nothing_of_a_single_slot() -> None:
    single = replace(DECISION, slots=(), mode="LoggingOnly")
    line = json.loads(
        single_slot.encode_outcome_line(replace(LOGGED, decision=single), replace(OUTCOME, slot_rewards=()))
    )
    assert (line["_skipLearn"], line["_original_label_cost"]) == (True, -0.5)


def test_a_question_leaves_the_slots_before_no_choice_and_offers_the_rest() -> None:
    shared = encode_context(DECISION.context, DECISION.actions)
    query = json.loads(encode_slot_query(shared, b'[{"size":"big"}]', taken=[2], offered=[0, 1]))
    assert {name: query[name] for name in ("FromUrl", "_multi")} == json.loads(shared)
    assert query["_slots"] == [
        {"_tag": "seed=0", "_inc": [2]},
        {"_tag": "seed=0", "_inc": [0, 1], "sj": [{"size": "big"}]},
    ]


@given(features)
def test_features_of_a_slot_are_made_safe_for_the_engine(value: list[object]) -> None:
    blob = msgspec.json.encode(value)
    query = json.loads(
        encode_slot_query(encode_context(b"[]", DECISION.actions), blob, taken=[], offered=[0, 1, 2])
    )
    assert query["_slots"][0]["sj"] == made_safe(value)
    hostile = replace(DECISION, slots=(replace(DECISION.slots[0], features=blob), DECISION.slots[1]))
    line = json.loads(single_slot.encode_outcome_line(replace(LOGGED, decision=hostile), OUTCOME))
    inside = names_in(line["c"]["_slots"][0]["sj"])
    assert all(name[:1] != "_" or (name == "_text" and isinstance(inner, str)) for name, inner in inside)


@given(texts, texts)
def test_a_context_without_the_id_of_an_action_lacks_nothing_else(one: str, other: str) -> None:
    actions = (Action(one, b'[{"x":1}]'), Action(f"{other}!", b"[]"))
    whole = json.loads(encode_context(b"[]", actions))
    less = json.loads(drop_action_id(encode_context(b"[]", actions), actions[0]))
    del whole["_multi"][0]["i"]["id"]
    assert less == whole


@pytest.mark.parametrize("reward", [0.0, -0.0])
def test_a_cost_of_zero_has_no_sign(reward: float) -> None:
    line = single_slot.encode_outcome_line(LOGGED, replace(OUTCOME, slot_rewards=(reward, reward)))
    assert line.count(b'"_label_cost":0.0,') == 2
    assert line.count(b'"_original_label_cost":0.0}') == 2


@st.composite
def decisions(draw: st.DrawFn) -> Decision:
    count = draw(st.integers(1, 5))
    chosen = draw(st.permutations(range(count)))[: draw(st.integers(1, count))]
    slots = []
    for number, index in enumerate(chosen):
        others = [i for i in range(count) if i != index]
        excluded = draw(st.lists(st.sampled_from(others), unique=True)) if others else []
        slots.append(
            made_slot(
                draw(texts),
                msgspec.json.encode(draw(features)),
                baseline=index,
                chosen=chosen[number],
                probabilities=tuple(draw(st.floats(1e-6, 1.0)) for _ in range(count)),
                ranking=tuple(draw(st.permutations(range(count)))),
                excluded=tuple(sorted(excluded)),
            )
        )
    return replace(
        DECISION,
        actions=tuple(Action(draw(texts), msgspec.json.encode(draw(features))) for _ in range(count)),
        slots=tuple(slots),
    )


@given(decisions(), st.data())
def test_a_line_reads_back_to_the_values_that_went_in(decision: Decision, data: st.DataObject) -> None:
    rewards = [data.draw(st.floats(-1e300, 1e300)) for _ in decision.slots]
    outcome = replace(OUTCOME, slot_rewards=tuple(rewards), joined=())
    blob = single_slot.encode_outcome_line(replace(LOGGED, decision=decision), outcome)
    line = json.loads(blob)
    assert b"\n" not in blob
    assert list(line) == ["Timestamp", "Version", "EventId", "c", "_outcomes", "_ba", "VWState"]
    assert line["_ba"] == [slot.baseline for slot in decision.slots]
    taken: list[int] = []
    for slot, found, query, reward in zip(
        decision.slots, line["_outcomes"], line["c"]["_slots"], rewards, strict=True
    ):
        closed = {*taken, *slot.excluded}
        assert (found["_id"], query["_id"], -found["_label_cost"]) == (slot.id, slot.id, reward)
        assert found["_a"] == [index for index in slot.ranking if index not in closed]
        assert found["_p"] == [slot.probabilities[index] for index in found["_a"]]
        allowed = [index for index in range(len(decision.actions)) if index not in slot.excluded]
        assert query.get("_inc", list(range(len(decision.actions)))) == allowed
        taken.append(slot.chosen)
