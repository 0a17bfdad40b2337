"""The engine with several slots: exact, unchanged by questions, and never harmed by a request."""

import json
import math
import resource

import msgspec
import pytest
from hypothesis import given, settings
from msgspec.structs import replace

from sartor.dsjson.context_json import encode_context
from sartor.dsjson.multi_slot import encode_slot_query
from sartor.errors import EngineRefused
from sartor.inference import decision_probabilities
from sartor.learn.policy import check_policy
from sartor.learn.vw import VowpalWabbit, create_engine
from sartor.records import Action, Decision
from sartor.settings import VW_ARGUMENTS
from tests.unit.learn.samples import features, make_line, requests
from tests.unit.learn.slot_samples import make_slots_decision, make_slots_line, slot_answers, slot_lines

SEVERAL = VW_ARGUMENTS.replace("--cb_", "--ccb_", 1)
SOFTMAX = "--ccb_explore_adf --softmax --lambda 3"

POLICIES = [
    SEVERAL,
    "--ccb_explore_adf --epsilon 0.2 --power_t 0 -l 0.001 --cb_type mtr -q ::",
    "--ccb_explore_adf --epsilon 0.2 --first_only",
    "--ccb_explore_adf --squarecb --epsilon 0.1 --coin",
    "--ccb_explore_adf --regcb --cb_min_cost -1 --cb_max_cost 1 -q ::",
    "--ccb_explore_adf --regcb --regcbopt --cb_min_cost -1 --cb_max_cost 1",
    "--ccb_explore_adf --first 300 --epsilon 0.1",
    "--ccb_explore_adf --bag 4 --random_seed 9 --cb_type dr",
    "--ccb_explore_adf --bag 3 --sgd --power_t 0.3",
    "--ccb_explore_adf --cover 3 --cb_type dr --epsilon 0.1 --random_seed 4",
    "--ccb_explore_adf --synthcover --synthcoversize 20 --epsilon 0.1",
    "--ccb_explore_adf --rnd 3 --coin --random_seed 3",
    f"{SOFTMAX} --cb_type ips",
    f"{SOFTMAX} --cb_type dm",
    f"{SOFTMAX} --cb_type sm --coin",
    f"{SOFTMAX} --l1 1e-3 --l2 1e-3 -q ::",
    f"{SOFTMAX} --interactions :::",
    f"{SOFTMAX} --marginal i --decay 0.001",
    f"{SOFTMAX} --ngram 2",
    f"{SOFTMAX} --hash all --hash_seed 3",
]

REQUESTS = range(10_000, 10_012)


def train_engine(arguments: str, first: int, last: int) -> VowpalWabbit:
    made = create_engine(arguments)
    for line in slot_lines(first, last):
        made.learn(line)
    return made


@pytest.mark.parametrize("arguments", POLICIES)
def test_a_loaded_dump_goes_on_bit_for_bit(arguments: str) -> None:
    assert check_policy(arguments) == arguments
    going = train_engine(arguments, 0, 80)
    loaded = create_engine(arguments, going.dump())
    assert slot_answers(loaded, REQUESTS) == slot_answers(going, REQUESTS)
    for seed in range(80, 140):
        line = make_slots_line(seed)
        going.learn(line)
        loaded.learn(line)
        if seed % 30 == 0:
            loaded = create_engine(arguments, loaded.dump())
    assert slot_answers(loaded, REQUESTS) == slot_answers(going, REQUESTS)


@pytest.mark.parametrize("arguments", POLICIES)
def test_asking_changes_nothing(arguments: str) -> None:
    query, not_queried = create_engine(arguments), create_engine(arguments)
    for number, line in enumerate(slot_lines(0, 60)):
        query.learn(line)
        not_queried.learn(line)
        if number % 3 == 0:
            slot_answers(query, REQUESTS)
    first = slot_answers(query, REQUESTS)
    assert slot_answers(query, REQUESTS) == first == slot_answers(not_queried, REQUESTS)


@pytest.mark.parametrize("arguments", POLICIES)
def test_the_probabilities_of_each_slot_are_a_distribution_over_what_is_left(arguments: str) -> None:
    fresh = create_engine(arguments)
    for seed in range(40):
        decision = make_slots_decision(seed)
        for found in decision_probabilities(fresh, decision):
            assert abs(math.fsum(found) - 1) <= 1e-12
            assert all(odd >= 0 for odd in found)
        fresh.learn(make_slots_line(seed))


def test_the_number_of_a_slot_is_a_feature_from_the_first_request_on() -> None:
    """An engine that has not seen several slots yet answers as it will afterwards."""
    single = [make_slots_line(seed, decision=_first_slot_only(seed)) for seed in range(30)]
    fresh, query = create_engine(SEVERAL), create_engine(SEVERAL)
    slot_answers(query, REQUESTS)
    for line in single:
        fresh.learn(line)
        query.learn(line)
    assert slot_answers(fresh, REQUESTS) == slot_answers(query, REQUESTS)


def _first_slot_only(seed: int) -> Decision:
    decision = make_slots_decision(seed)
    return replace(decision, slots=decision.slots[:1])


def test_what_was_put_into_earlier_slots_matters_only_as_it_is_gone() -> None:
    """Their features are not sent: the probabilities of a slot are the same with them."""
    trained = train_engine(SEVERAL, 0, 200)
    decision = make_slots_decision(7)
    shared, count = encode_context(decision.context, decision.actions), len(decision.actions)
    offered = [index for index in range(count) if index != 1]
    short = encode_slot_query(shared, b'[{"place":{"row":1}}]', taken=[1], offered=offered)
    full = short.replace(b'"_inc":[1]}', b'"_inc":[1],"sj":[{"place":{"size":"l","row":3}}]}')
    assert full != short
    answers = [trained.slot_probabilities(text, count, slots=2, offered=offered) for text in (short, full)]
    assert answers[0] == answers[1]


def test_it_learns_what_belongs_into_which_slot() -> None:
    learner = create_engine(SEVERAL)
    for seed in range(300):
        decision = _of_places(seed)
        rewards = [float(slot.chosen == 1 - number) for number, slot in enumerate(decision.slots)]
        line = make_slots_line(seed, decision=decision, reward=0.0)
        for place, reward in enumerate(rewards):
            line = line.replace(
                b'"_label_cost":0.0,"_id":"s%d"' % place, b'"_label_cost":%d,"_id":"s%d"' % (-reward, place)
            )
        learner.learn(line)
    top, side = decision_probabilities(learner, _of_places(4))  # the third action was put into the first slot
    assert top[1] > 0.8
    assert side[0] > 0.8


def _of_places(seed: int) -> Decision:
    decision = make_slots_decision(seed)
    actions = tuple(Action(f"a{n}", b'[{"n":%d}]' % n) for n in range(3))
    first, second = [(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)][seed % 6]
    base = decision.slots[0]
    slots = [
        replace(
            base,
            id=f"s{number}",
            features=b"[]",
            excluded=(),
            probabilities=(1 / 3, 1 / 3, 1 / 3),
            ranking=(chosen, *(n for n in range(3) if n != chosen)),
            chosen=chosen,
        )
        for number, chosen in enumerate((first, second))
    ]
    return replace(decision, context=b"[]", actions=actions, slots=tuple(slots))


@settings(max_examples=150)
@given(request=requests, slot=features)
def test_whatever_the_wire_lets_through_is_ranked_and_learned(
    request: tuple[bytes, list[Action]], slot: bytes
) -> None:
    shared, actions = request
    ranks = create_engine(SEVERAL)
    count = len(actions)
    try:
        seen = encode_context(shared, actions)
        first = ranks.slot_probabilities(
            encode_slot_query(seen, slot, taken=[], offered=list(range(count))),
            count,
            slots=1,
            offered=range(count),
        )
        assert math.fsum(first) == pytest.approx(1)
        base = make_slots_decision(0).slots[0]
        uniform = (1 / count,) * count
        chosen = replace(
            base,
            features=slot,
            excluded=(),
            probabilities=uniform,
            ranking=tuple(range(count)),
            chosen=0,
            baseline=0,
        )
        decision = replace(
            make_slots_decision(0), context=shared, actions=tuple(actions), slots=(chosen,), chosen=0
        )
        ranks.learn(make_slots_line(1, decision=decision))
        assert slot_answers(ranks, range(3)) is not None
    finally:
        ranks.close()


MALFORMED = [
    b"{}",
    b"",
    b"nonsense",
    b'{"FromUrl":[],"_multi":[]}',
    b'{"FromUrl":[],"_multi":[{"j":[{"x":1}]}]}',
    b'{"FromUrl":[],"_multi":[{"j":[{"x":1}]},{"j":[{"x":1}]}],"_slots":[]}',
    b'{"FromUrl":[],"_multi":[{"j":[{"x":1}]},{"j":[{"x":1}]}],"_slots":[{"sj":[{"x":[true]}]}]}',
    b'{"FromUrl":[],"_multi":[{"j":[{"x":1}]},{"j":[{"x":1}]}],"_slots":[{"sj":[]},{"sj":[]},{"sj":[]}]}',
    b'{"FromUrl":[],"_multi":[{"j":[{"x":1}]},{"j":[{"x":1}]}],"_slots":[{"_inc":["a"]}]}',
    b'{"FromUrl":[],"_multi":[{"j":[{"x":1}]},{"j":[{"x":1}]}],"_slots":[{"_multi":[]}]}',
    b'{"FromUrl":[{"x":1e999}],"_multi":[{"j":[{"x":1}]},{"j":[{"x":1}]}],"_slots":[{}]}',
]


@pytest.mark.parametrize("arguments", [SEVERAL, "--ccb_explore_adf --bag 3"])
def test_malformed_questions_are_refused_and_do_no_harm(arguments: str) -> None:
    ranks, untouched = train_engine(arguments, 0, 30), train_engine(arguments, 0, 30)
    for number in range(1_500):
        bad = MALFORMED[number % len(MALFORMED)]
        with pytest.raises(EngineRefused):
            ranks.slot_probabilities(bad, 2, slots=1, offered=[0, 1])
    assert slot_answers(ranks, REQUESTS) == slot_answers(untouched, REQUESTS)


def test_malformed_questions_leak_no_memory() -> None:
    ranks = train_engine(SEVERAL, 0, 10)

    def send_queries(times: int) -> None:
        for number in range(times):
            with pytest.raises(EngineRefused):
                ranks.slot_probabilities(MALFORMED[number % len(MALFORMED)], 2, slots=1, offered=[0, 1])

    send_queries(500)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    send_queries(1_500)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 10_000


def test_each_kind_of_engine_refuses_the_requests_and_lines_of_the_other() -> None:
    single, several = create_engine(VW_ARGUMENTS), create_engine(SEVERAL)
    decision = make_slots_decision(3)
    shared, count = encode_context(decision.context, decision.actions), len(decision.actions)
    query = encode_slot_query(shared, b"[]", taken=[], offered=list(range(count)))
    with pytest.raises(EngineRefused, match="fill several slots"):
        several.probabilities(shared, count)
    with pytest.raises(EngineRefused, match="fill no slots"):
        single.slot_probabilities(query, count, slots=1, offered=range(count))
    with pytest.raises(EngineRefused, match="not one of several slots"):
        several.learn(make_line(1))
    with pytest.raises(EngineRefused, match="does not begin with a label"):
        single.learn(make_slots_line(1))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"_label_cost":', b'"_label_cost":x'),
        (b'"_label_cost":', b'"_label_cost":1e999,"x":'),
        (b'"_p":[', b'"_p":[0,'),
        (b'"_p":[', b'"_p":[2,'),
        (b'"_label_cost"', b'"label_cost"'),
        (b'{"Timestamp":', b'{"_skipLearn":true,"Timestamp":'),
    ],
)
def test_lines_without_usable_labels_are_refused(old: bytes, new: bytes) -> None:
    learner = create_engine(SEVERAL)
    line = make_slots_line(1, reward=0.5).replace(old, new)
    with pytest.raises(EngineRefused):
        learner.learn(line)


def test_costs_beyond_the_bound_are_learned_as_the_bound() -> None:
    huge, bound = create_engine(f"{SOFTMAX} -q ::"), create_engine(f"{SOFTMAX} -q ::")
    for seed in range(3):
        huge.learn(make_slots_line(seed, reward=1e300))
        bound.learn(make_slots_line(seed, reward=1e9))
    assert slot_answers(huge, REQUESTS) == slot_answers(bound, REQUESTS)


@pytest.mark.parametrize("slot_id", ["seed=4", '"_label_cost":9,', "é日", "a\\b\n", "{}[]", ""])
def test_the_id_of_a_slot_is_only_a_name(slot_id: str) -> None:
    named, plain = create_engine(SEVERAL), create_engine(SEVERAL)
    for seed in range(20):
        decision = make_slots_decision(seed)
        other = tuple(replace(slot, id=f"{slot_id}{n}") for n, slot in enumerate(decision.slots))
        named.learn(make_slots_line(seed, decision=replace(decision, slots=other)))
        plain.learn(make_slots_line(seed, decision=decision))
    assert slot_answers(named, REQUESTS) == slot_answers(plain, REQUESTS)


def test_as_many_slots_as_actions_are_filled() -> None:
    count = 50
    actions = [Action(f"a{n}", b'[{"n":%d}]' % n) for n in range(count)]
    ranks = create_engine(SEVERAL)
    seen = encode_context(b"[]", actions)
    for number in (0, 25, 49):
        offered = list(range(number, count))
        query = encode_slot_query(seen, b"[]", taken=list(range(number)), offered=offered)
        found = ranks.slot_probabilities(query, count, slots=number + 1, offered=offered)
        assert len(found) == count - number


@pytest.mark.parametrize("rest", ["--bag 3", "--cover 3", "--rnd 2"])
def test_an_exploration_with_several_models_has_no_single_estimate(rest: str) -> None:
    ranks = create_engine(f"--cb_explore_adf {rest}")
    assert ranks.estimates(encode_context(b"[]", [Action("a", b'[{"x":1}]')]), 1) is None


@pytest.mark.parametrize("rest", ["--epsilon 0.2", "--squarecb", "--softmax", "--first 10", "--regcb"])
@pytest.mark.parametrize("kind", ["--cb_explore_adf", "--ccb_explore_adf"])
def test_an_estimate_is_the_reward_that_was_learned(kind: str, rest: str) -> None:
    ranks = create_engine(f"{kind} {rest} --cb_type mtr -l 0.5")
    actions = [Action(name, b'[{"x":1}]') for name in "abc"]
    seen = encode_context(b"[]", actions)
    query = encode_slot_query(seen, b"[]", taken=[], offered=[0, 1, 2]) if kind == "--ccb_explore_adf" else seen
    slots = int(kind == "--ccb_explore_adf")
    for turn in range(600):
        place = turn % 3
        ranks.learn(_line(json.loads(query), place, reward=[0.0, 0.5, 1.0][place], slots=slots))
    found = ranks.estimates(query, 3, slots=slots)
    assert found == pytest.approx([0.0, 0.5, 1.0], abs=0.1)


def _line(seen: object, place: int, *, reward: float, slots: int) -> bytes:
    text = msgspec.json.encode(seen)
    if slots:
        others = [n for n in range(3) if n != place]
        outcome = {"_label_cost": -reward, "_id": "s", "_a": [place, *others], "_p": [1 / 3] * 3}
        return b'{"Timestamp":"x","c":%b,"_outcomes":[%b]}' % (text, msgspec.json.encode(outcome))
    return (
        b'{"_label_cost":%b,"_label_probability":0.333,"_label_Action":%d,"_labelIndex":%d,"a":[1,2,3],"c":%b}'
        % (
            msgspec.json.encode(-reward),
            place + 1,
            place,
            text,
        )
    )
