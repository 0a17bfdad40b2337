import math
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sartor.dsjson import context_json, single_slot
from sartor.errors import Corrupt, EngineRefused, InvalidPolicy, StoreUnavailable
from sartor.learn.policy import check_policy
from sartor.learn.vw import create_engine
from sartor.records import Action, Decision, LoggedDecision, Outcome
from sartor.settings import AZURE_ARGUMENTS, VW_ARGUMENTS
from tests.unit.learn.samples import answer, answers, lines, make_line, requests

# Softmax shows the smallest difference between two engines; greedy exploration would hide it.
SOFTMAX = "--cb_explore_adf --softmax --lambda 3"

POLICIES = [
    VW_ARGUMENTS,
    AZURE_ARGUMENTS,
    *(
        f"--cb_explore_adf {rest}"
        for rest in [
            "--epsilon 0.2 --first_only",
            "--squarecb --gamma_scale 1000 --gamma_exponent 0.2 -q ::",
            "--squarecb --epsilon 0.1 --coin",
            "--regcb --cb_min_cost -1 --cb_max_cost 1 -q ::",
            "--regcb --regcbopt --cb_min_cost -1 --cb_max_cost 1",
            "--first 300 --epsilon 0.1",
            "--first 1000",
            "--bag 4 --greedify --epsilon 0.1",
            "--bag 4 --random_seed 9 --cb_type dr",
            "--bag 3 --coin -q ::",
            "--bag 3 --sgd --power_t 0.3",
            "--cover 4",
            "--cover 4 --nounif --psi 0.1 --coin",
            "--cover 3 --cb_type dr --epsilon 0.1 --random_seed 4",
            "--synthcover --synthcoverpsi 0.3 --synthcoversize 20 --epsilon 0.1",
            "--rnd 3 --epsilon 0.1",
            "--rnd 3 --coin --rnd_alpha 0.5 --rnd_invlambda 0.5 --random_seed 3",
            "--large_action_space --max_actions 2 --squarecb",
        ]
    ),
    *(
        f"{SOFTMAX} {rest}"
        for rest in [
            "--cb_type ips",
            "--cb_type dm",
            "--cb_type dr --clip_p 0.2",
            "--cb_type sm --coin",
            "--power_t 0 -l 0.001",
            "--initial_t 5 --power_t 0.7",
            "--l1 1e-3 --l2 1e-3 -q ::",
            "--sgd --power_t 0.3 --initial_t 3",
            "--sgd --l1 1e-3",
            "--adaptive",
            "--invariant",
            "--normalized",
            "--adaptive --invariant",
            "--normalized --invariant",
            "--coin --ftrl_alpha 3 --ftrl_beta 2 -q ::",
            "--ftrl --l1 0.01 --l2 0.01",
            "--pistol",
            "--loss_function logistic --logistic_min -1 --logistic_max 0",
            "--loss_function classic",
            "--loss_function hinge",
            "--loss_function quantile --quantile_tau 0.3",
            "--min_prediction -1 --max_prediction 0",
            "-b 10",
            "-b 20 -q ::",
            "-q uk -q ut",
            "--cubic ukt",
            "--interactions :::",
            "--experimental_full_name_interactions user|topic",
            "--ignore i",
            "--ignore_linear i -q ::",
            "--keep u --keep i",
            "--redefine a:=t",
            "--marginal i --decay 0.001",
            "--marginal i --initial_numerator 0.1 --initial_denominator 2 -q ::",
            "--ngram 2",
            "--hash all --hash_seed 3",
            "--noconstant",
            "-C -0.5",
        ]
    ),
]

REQUESTS = range(10_000, 10_012)


@pytest.mark.parametrize("arguments", POLICIES)
def test_a_loaded_dump_goes_on_bit_for_bit(arguments: str) -> None:
    assert check_policy(arguments) == arguments
    going = create_engine(arguments)
    for line in lines(0, 150):
        going.learn(line)
    loaded = create_engine(arguments, going.dump())
    assert answers(loaded, REQUESTS) == answers(going, REQUESTS)
    for seed in range(150, 300):
        line = make_line(seed)
        going.learn(line)
        loaded.learn(line)
        if seed % 50 == 0:
            loaded = create_engine(arguments, loaded.dump())
        assert answer(loaded, 10_000 + seed) == answer(going, 10_000 + seed)


@pytest.mark.parametrize("arguments", POLICIES)
def test_predicting_changes_nothing(arguments: str) -> None:
    queried, not_queried = create_engine(arguments), create_engine(arguments)
    for line in lines(0, 100):
        queried.learn(line)
        not_queried.learn(line)
    first = answers(queried, REQUESTS)
    for _ in range(80):
        assert answers(queried, REQUESTS) == first
    for line in lines(100, 150):
        queried.learn(line)
        not_queried.learn(line)
    assert answers(queried, REQUESTS) == answers(not_queried, REQUESTS)


@pytest.mark.parametrize("arguments", POLICIES)
def test_probabilities_are_a_distribution_from_the_first_request_on(arguments: str) -> None:
    fresh = create_engine(arguments)
    for seed in range(60):
        predicted = answer(fresh, seed)
        assert abs(math.fsum(predicted) - 1) <= 1e-12
        assert all(probability >= 0 for probability in predicted)
        fresh.learn(make_line(seed))


@pytest.mark.parametrize("rest", ["--cb_dro", "--lrq ui4", "--boosting 3", "--bootstrap 3"])
def test_what_would_not_go_on_exactly_is_refused(rest: str) -> None:
    with pytest.raises(InvalidPolicy, match="is not accepted"):
        create_engine(f"{SOFTMAX} {rest}")


@given(request=requests, seed=st.integers(0, 1000))
@settings(max_examples=100)
def test_whatever_the_wire_lets_through_is_ranked(request: tuple[bytes, list[Action]], seed: int) -> None:
    features, actions = request
    predicted = TRAINED.probabilities(context_json.encode_context(features, actions), len(actions))
    assert len(predicted) == len(actions)
    assert abs(math.fsum(predicted) - 1) <= 1e-12
    assert answer(TRAINED, seed) == answer(TWIN, seed)


@given(request=requests, reward=st.sampled_from([1.0, -1.0, 0.0, 1e300, -1e300, 1e39]), data=st.data())
@settings(max_examples=100)
def test_whatever_was_ranked_is_learned_and_others_are_still_ranked(
    request: tuple[bytes, list[Action]], reward: float, data: st.DataObject
) -> None:
    features, actions = request
    chosen = data.draw(st.integers(0, len(actions) - 1))
    line = single_slot.encode_outcome_line(*_settled(features, actions, chosen, reward, 1 / len(actions)))
    engines = create_engine(VW_ARGUMENTS), create_engine(VW_ARGUMENTS)
    for learner in engines:
        learner.learn(make_line(1))
        learner.learn(line)
        learner.learn(make_line(2))
    loaded = create_engine(VW_ARGUMENTS, engines[0].dump())
    assert answers(loaded, range(5)) == answers(engines[1], range(5))


def _settled(
    features: bytes, actions: list[Action], chosen: int, reward: float, propensity: float
) -> tuple[LoggedDecision, Outcome]:
    decision = Decision(
        event_id="e/é\x00",
        context=features,
        actions=tuple(actions),
        excluded=(),
        probabilities=tuple(propensity for _ in actions),
        ranking=(chosen, *(index for index in range(len(actions)) if index != chosen)),
        chosen=chosen,
        model_id="N/A",
        settings_version=1,
    )
    outcome = Outcome(
        decision_seq=1,
        event_id=decision.event_id,
        reward=reward,
        learnable=True,
        joined=(),
        settled_at_us=1,
        settings_version=1,
    )
    return LoggedDecision(1, 1, decision), outcome


TRAINED, TWIN = create_engine(VW_ARGUMENTS), create_engine(VW_ARGUMENTS)
for _line in lines(0, 200):
    TRAINED.learn(_line)
    TWIN.learn(_line)


@pytest.mark.parametrize("arguments", [VW_ARGUMENTS, AZURE_ARGUMENTS, "--cb_explore_adf --regcb --coin"])
@pytest.mark.parametrize("magnitude", [1e6, 1e15])
def test_huge_rewards_and_features_never_make_weights_infinite(arguments: str, magnitude: float) -> None:
    learner = create_engine(arguments)
    for number in range(60):
        sign = -1 if number % 2 else 1
        features = msgspec.json.encode(
            [{"user": {"age": sign * magnitude, "device": "a"}, "hour": magnitude / 3}]
        )
        actions = [Action("action-0", features), Action("action-1", b'[{"width":%r}]' % (1 / magnitude))]
        reward = sign * 1e300
        learner.learn(single_slot.encode_outcome_line(*_settled(features, actions, number % 2, reward, 1e-16)))
        learner.learn(make_line(number))
    assert len(answers(learner, range(100))) == 100


def test_it_learns_which_action_is_better_and_answers_in_the_order_of_the_request() -> None:
    actions = [Action(name, b'[{"name":"%b"}]' % name.encode()) for name in ("good", "bad", "ugly")]
    learner = create_engine(VW_ARGUMENTS)
    for number in range(300):
        reward = 1.0 if number % 3 == 0 else 0.0
        learner.learn(single_slot.encode_outcome_line(*_settled(b"[]", actions, number % 3, reward, 1 / 3)))
    predicted = learner.probabilities(context_json.encode_context(b"[]", actions), 3)
    reverse = learner.probabilities(context_json.encode_context(b"[]", actions[::-1]), 3)
    assert predicted[0] > 0.8
    assert reverse[2] > 0.8


def test_one_action_is_certain() -> None:
    assert create_engine(VW_ARGUMENTS).probabilities(
        context_json.encode_context(b"[]", [Action("a", b"[]")]), 1
    ) == [1.0]


def test_fifty_actions_are_ranked() -> None:
    actions = [Action(f"action-{number}", b'[{"width":%d}]' % number) for number in range(50)]
    assert len(create_engine(VW_ARGUMENTS).probabilities(context_json.encode_context(b"[]", actions), 50)) == 50


MALFORMED = [
    b"",
    b"junk",
    b"null",
    b"[]",
    b"{}",
    b"\xff",
    b'{"FromUrl":',
    b'{"FromUrl":[],"_multi":[]}',
    b'{"FromUrl":[{"a":1e999}],"_multi":[{"j":[{"x":1}]},{"j":[{"y":1}]}]}',
    b'{"FromUrl":[{"a":["x"]}],"_multi":[{"j":[{"x":1}]},{"j":[{"y":1}]}]}',
    b'{"FromUrl":[{"a":"\\ud800"}],"_multi":[{"j":[{"x":1}]},{"j":[{"y":1}]}]}',
    b'{"FromUrl":[],"_multi":[{"j":[{"x":1}]},{"j":[{"y":1}]},{"j":[{"z":1}]}]}',
    b'{"FromUrl":[],"_multi":[{"j":[{"x":1,"_slots":[{"z":1}]}]},{"j":[{"y":1}]}]}',
]


@pytest.mark.parametrize("arguments", [VW_ARGUMENTS, AZURE_ARGUMENTS, "--cb_explore_adf --cover 3"])
def test_malformed_contexts_are_refused_and_do_no_harm(arguments: str) -> None:
    attacked, untouched = create_engine(arguments), create_engine(arguments)
    for seed in range(200):
        for context in MALFORMED:
            with pytest.raises(EngineRefused):
                attacked.probabilities(context, 2)
        with pytest.raises(EngineRefused):
            attacked.learn(make_line(seed)[: -20 - seed])
        attacked.learn(make_line(seed))
        untouched.learn(make_line(seed))
        assert answer(attacked, seed) == answer(untouched, seed)
    assert answers(create_engine(arguments, attacked.dump()), REQUESTS) == answers(untouched, REQUESTS)


def test_malformed_contexts_leak_no_memory() -> None:
    attacked = create_engine(VW_ARGUMENTS)
    before = None
    for _ in range(2):
        for number in range(5_000):
            with pytest.raises(EngineRefused):
                attacked.probabilities(MALFORMED[number % len(MALFORMED)], 2)
        before, grown = _resident_bytes(), _resident_bytes() - (before or 0)
    assert grown < 20e6  # a leak takes 30 kB each, 150 MB in all


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b'{"c":{}}', id="no label"),
        pytest.param(b'{"_label_cost":null,"_label_probability":0.5,"c":{}}', id="cost null"),
        pytest.param(b'{"_label_cost":1e999,"_label_probability":0.5,"c":{}}', id="infinite cost"),
        pytest.param(b'{"_label_cost":1,"_label_probability":0,"c":{}}', id="impossible"),
        pytest.param(b'{"_label_cost":1,"_label_probability":1.5,"c":{}}', id="more than certain"),
        pytest.param(b'{"_label_cost":1,"_label_probability":NaN,"c":{}}', id="not a number"),
    ],
)
def test_lines_without_a_usable_label_are_refused(line: bytes) -> None:
    with pytest.raises(EngineRefused):
        TRAINED.learn(line)
    assert answers(TRAINED, REQUESTS) == answers(TWIN, REQUESTS)


def test_costs_beyond_the_bound_are_learned_as_the_bound() -> None:
    bounded, huge = create_engine(SOFTMAX), create_engine(SOFTMAX)
    bounded.learn(make_line(1, reward=1e9))
    huge.learn(make_line(1, reward=1e300))
    assert answers(huge, REQUESTS) == answers(bounded, REQUESTS)


def test_triples_of_too_many_features_are_refused_at_once() -> None:
    wide = msgspec.json.encode([{f"feature-{number}": 1 for number in range(2_000)}])
    actions = [Action("a", b"[]"), Action("b", b"[]")]
    with pytest.raises(EngineRefused, match="its features cross to"):
        create_engine(f"{SOFTMAX} --interactions :::").probabilities(
            context_json.encode_context(wide, actions), 2
        )


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda blob: b"", id="nothing"),
        pytest.param(lambda blob: b"junk", id="junk"),
        pytest.param(lambda blob: blob[:-1], id="cut by a byte"),
        pytest.param(lambda blob: blob[: len(blob) // 2], id="cut in half"),
        pytest.param(lambda blob: blob + b"x", id="longer"),
        pytest.param(lambda blob: blob[:900] + bytes([blob[900] ^ 1]) + blob[901:], id="a changed bit"),
    ],
)
def test_bytes_that_are_not_a_dump_are_corrupt(spoil: Callable[[bytes], bytes]) -> None:
    with pytest.raises(Corrupt):
        create_engine(VW_ARGUMENTS, spoil(TRAINED.dump()))


def test_a_dump_of_other_arguments_is_corrupt() -> None:
    with pytest.raises(Corrupt):
        create_engine(AZURE_ARGUMENTS, create_engine("--cb_explore_adf --cb_type ips --epsilon 0.3").dump())


def test_arguments_that_are_not_accepted_make_no_engine() -> None:
    with pytest.raises(InvalidPolicy):
        create_engine("--cb_explore_adf -f /tmp/x")


def test_no_room_for_temporary_files_is_unavailable_and_passes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learner = create_engine(VW_ARGUMENTS)
    learner.learn(make_line(1))
    with monkeypatch.context() as full:
        full.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
        with pytest.raises(StoreUnavailable, match="temporary folder"):
            learner.dump()
    assert answers(create_engine(VW_ARGUMENTS, learner.dump()), REQUESTS) == answers(learner, REQUESTS)


def test_dumping_leaves_no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    create_engine(VW_ARGUMENTS, create_engine(VW_ARGUMENTS).dump()).close()
    assert list(tmp_path.iterdir()) == []


def test_closing_twice_is_fine() -> None:
    closed = create_engine(VW_ARGUMENTS)
    closed.close()
    closed.close()


def test_the_engine_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    learner = create_engine("--cb_explore_adf --loss_function logistic")
    learner.learn(make_line(1))
    with pytest.raises(EngineRefused):
        learner.probabilities(b'{"FromUrl":', 2)
    learner.close()
    assert capfd.readouterr() == ("", "")
