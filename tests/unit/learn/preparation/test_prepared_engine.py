"""Vowpal Wabbit behind a preparation of numbers keeps every promise of an engine, and never sees our option."""

import json
import random
from collections.abc import Iterator, Mapping

import pytest
from hypothesis import given, settings

from sartor.dsjson.context_json import encode_context
from sartor.errors import Corrupt, EngineRefused, InvalidPolicy
from sartor.learn import vw
from sartor.learn.arguments import parse_arguments, parse_saved_options
from sartor.learn.engines import create_engine, fills_several_slots, spell_arguments
from sartor.learn.model_file import read_header
from sartor.learn.policy import check_policy
from sartor.learn.preparation.prepared_dump import MAGIC, is_prepared_model, read_dump, skip_to_model
from sartor.learn.preparation.prepared_engine import PreparedVowpalWabbit, create_prepared_engine
from sartor.records import Action
from sartor.settings import AZURE_ARGUMENTS, VW_ARGUMENTS
from tests.unit.learn.samples import answer, answers, lines, make_decision, make_line, requests
from tests.unit.learn.slot_samples import make_slots_line, slot_answers, slot_lines

ONE = "--cb_explore_adf --squarecb --cb_type mtr -q :: -b 12 --prepare"
SEVERAL = ONE.replace("--cb_e", "--ccb_e")
REQUESTS = range(10_000, 10_008)
RELOADED = (0, 1, 7, 8, 9, 63, 64, 300, 511, 512, 513, 560)


def teach(arguments: str, taught: Iterator[bytes]) -> PreparedVowpalWabbit:
    made = create_prepared_engine(arguments)
    for line in taught:
        made.learn(line)
    return made


def test_the_engine_never_gets_our_option() -> None:
    parsed = parse_arguments(ONE)
    assert parsed.prepares
    assert "--prepare" not in parsed.tokens()
    made = create_prepared_engine(ONE)
    assert "prepare" not in str(read_header(skip_to_model(made.dump())).options)
    with pytest.raises(InvalidPolicy, match="--prepare"):
        vw.create_engine(ONE)
    with pytest.raises(InvalidPolicy, match="--prepare"):
        parse_saved_options("--cb_explore_adf --cb_type mtr --prepare", bits=18)


def test_the_option_stands_last_in_the_one_spelling_of_learning_settings() -> None:
    spelled = "--cb_explore_adf --epsilon 0.1 --prepare"
    for text in (
        spelled,
        "--prepare --cb_explore_adf  --epsilon=0.1",
        "--cb_explore_adf --prepare --epsilon 0.1",
    ):
        assert check_policy(text) == spell_arguments(text) == spelled
    assert check_policy("--ccb_explore_adf --prepare") == "--ccb_explore_adf --prepare"
    assert fills_several_slots(SEVERAL)
    assert not fills_several_slots(ONE)


@pytest.mark.parametrize(
    "text", ["--prepare --prepare", "--prepare=1", "--prepare 1", "-prepare", "--prepared", "--no-prepare"]
)
def test_other_spellings_are_refused(text: str) -> None:
    with pytest.raises(InvalidPolicy):
        parse_arguments(f"--cb_explore_adf {text}")
    with pytest.raises(InvalidPolicy):
        parse_arguments(f"--prepare {text}")


@pytest.mark.parametrize("arguments", [VW_ARGUMENTS, AZURE_ARGUMENTS, "--cb_explore_adf"])
def test_settings_without_it_mean_what_they_meant(arguments: str) -> None:
    assert not parse_arguments(arguments).prepares
    made = create_engine(arguments)
    assert isinstance(made, vw.VowpalWabbit)
    made.close()


def test_a_loaded_dump_goes_on_bit_for_bit() -> None:
    whole, loaded = create_prepared_engine(ONE), create_prepared_engine(ONE)
    for number, line in enumerate(lines(0, RELOADED[-1] + 1)):
        if number in RELOADED:
            assert answers(loaded, REQUESTS) == answers(whole, REQUESTS)
            assert loaded.dump() == whole.dump()
            again = create_prepared_engine(ONE, loaded.dump())
            loaded.close()
            loaded = again
        whole.learn(line)
        loaded.learn(line)
    assert loaded.dump() == whole.dump()


@pytest.mark.parametrize("first", [0, 7, 40])
def test_a_loaded_dump_of_several_slots_goes_on_bit_for_bit(first: int) -> None:
    whole = teach(SEVERAL, slot_lines(0, first))
    loaded = create_prepared_engine(SEVERAL, whole.dump())
    for line in slot_lines(first, first + 30):
        whole.learn(line)
        loaded.learn(line)
    assert slot_answers(loaded, REQUESTS) == slot_answers(whole, REQUESTS)
    assert loaded.dump() == whole.dump()


def test_the_same_outcomes_make_the_same_model_and_asking_changes_nothing() -> None:
    asked, silent = create_prepared_engine(ONE), create_prepared_engine(ONE)
    for line in lines(0, 70):
        answers(asked, REQUESTS[:2])
        asked.estimates(encode_request({"a": {}, "b": {}}, {"hour": 3}), 2)
        asked.learn(line)
        silent.learn(line)
    for line in lines(70, 80):
        asked.learn(line)
        silent.learn(line)
    assert answers(asked, REQUESTS) == answers(silent, REQUESTS)


@pytest.mark.parametrize("learned", [0, 7, 8, 40])
def test_one_parse_predicts_and_learns_the_same(learned: int) -> None:
    one, two = teach(ONE, lines(0, learned)), teach(ONE, lines(0, learned))
    for seed in range(learned, learned + 12):
        expected = answer(one, seed)
        one.learn(make_line(seed))
        actions = len(make_decision(seed).actions)
        assert two.predict_then_learn(make_line(seed), actions) == expected
    assert answers(one, REQUESTS) == answers(two, REQUESTS)


def encode_request(actions: Mapping[str, object], context: object = ()) -> bytes:
    decoded = [Action(name, json.dumps([features]).encode()) for name, features in actions.items()]
    return encode_context(json.dumps([context] if context else []).encode(), decoded)


def encode_line(request: bytes, place: int, reward: float) -> bytes:
    return (
        b'{"_label_cost":%r,"_label_probability":0.5,"_label_Action":%d,"_labelIndex":%d,"a":[1,2],"c":%b}'
        % (
            -reward,
            place + 1,
            place,
            request,
        )
    )


def teach_hours(arguments: str, scale: float, shift: float, *, count: int = 300) -> PreparedVowpalWabbit:
    """One action is the better before noon, and one after it."""
    made, rng = create_prepared_engine(arguments), random.Random(1)
    for number in range(count):
        hour = rng.randrange(24)
        request = encode_request({"a": {}, "b": {}}, {"at": hour * scale + shift})
        made.learn(encode_line(request, number % 2, float((hour < 12) == (number % 2 == 0))))
    return made


@pytest.mark.parametrize(("scale", "shift"), [(1, 0), (1, 1000), (1e6, 0), (0.001, 5)])
def test_what_is_learned_depends_neither_on_the_unit_of_a_number_nor_on_its_zero(
    scale: float, shift: float
) -> None:
    plain, changed = teach_hours(ONE, 1, 0, count=100), teach_hours(ONE, scale, shift, count=100)
    for hour in (0, 5, 11, 12, 23):
        one, other = (
            made.probabilities(encode_request({"a": {}, "b": {}}, {"at": at}), 2)
            for made, at in ((plain, hour), (changed, hour * scale + shift))
        )
        assert one == pytest.approx(other, abs=1e-3)
        assert one[0 if hour < 12 else 1] > 0.6


def test_no_number_reaches_the_engine_before_its_unit_is_known() -> None:
    made = create_prepared_engine(ONE)
    for number in range(7):
        made.learn(encode_line(encode_request({"a": {}, "b": {}}, {"at": 1e6 * number}), number % 2, 1.0))
    asked = [encode_request({"a": {}, "b": {}}, {"at": at}) for at in (0, 1e15)]
    assert made.probabilities(asked[0], 2) == made.probabilities(asked[1], 2)


def test_a_number_that_appears_later_counts_from_when_it_was_seen_often() -> None:
    made = teach_hours(ONE, 1, 0, count=512)
    for number in range(300):
        request = encode_request({"a": {}, "b": {}}, {"late": 1e9 + number % 2})
        made.learn(encode_line(request, number // 2 % 2, float(number % 2 == number // 2 % 2)))
    for late in (0, 1):
        request = encode_request({"a": {}, "b": {}}, {"late": 1e9 + late})
        assert made.probabilities(request, 2)[late] > 0.6
    again = create_prepared_engine(ONE, made.dump())
    assert again.dump() == made.dump()


BROKEN = [
    b"",
    b"[]",
    b'{"c":{}}',
    b'{"c":{"FromUrl":[],"_multi":[{}]}}',
    make_line(1)[:-20],
    make_line(1).replace(b'"_label_cost":', b'"_other":'),
    make_line(1).replace(b'"j":[', b'"j":[3,', 1),
    make_line(1).replace(b'"j":[', b'"j":[{"a":[[1]]},', 1),
    make_line(1).replace(b'"FromUrl":[', b'"FromUrl":[{"a":[[1]]},', 1),
    make_slots_line(1),
]


@pytest.mark.parametrize("learned", [0, 7, 40])
def test_a_refused_line_changes_nothing(learned: int) -> None:
    made = teach(ONE, lines(0, learned))
    untouched, answered = teach(ONE, lines(0, learned)), answers(made, REQUESTS)
    for line in BROKEN:
        with pytest.raises(EngineRefused):
            made.learn(line)
        with pytest.raises(EngineRefused):
            made.predict_then_learn(line, 2)
    assert answers(made, REQUESTS) == answered
    for line in lines(learned, learned + 10):
        made.learn(line)
        untouched.learn(line)
    assert answers(made, REQUESTS) == answers(untouched, REQUESTS)


def test_large_lines_are_kept_within_bounds() -> None:
    made = create_prepared_engine(ONE)
    text = {f"t{n}": "x" * 1_000 for n in range(700)}
    for number in range(12):
        made.learn(encode_line(encode_request({"a": {}, "b": {}}, {"at": number, **text}), number % 2, 1.0))
    state, _ = read_dump(made.dump())
    assert state.lines is None
    assert state.plan is not None
    assert "at" in state.plan.contexts.numbers


@settings(max_examples=40, deadline=None)
@given(requests)
def test_every_request_that_the_wire_lets_through_is_ranked_and_learned(
    request: tuple[bytes, list[Action]],
) -> None:
    context, actions = request
    encoded = encode_context(context, actions)
    made = create_prepared_engine(ONE)
    for number in range(9):
        made.learn(encode_line(encoded, number % len(actions), -number / 9))
    assert sum(made.probabilities(encoded, len(actions))) == pytest.approx(1.0, abs=1e-12)
    made.close()


def test_bytes_that_are_not_a_whole_dump_are_corrupt() -> None:
    dump = teach(ONE, lines(0, 20)).dump()
    assert is_prepared_model(dump)
    changed = bytearray(dump)
    changed[-1] ^= 1
    for blob in (
        b"",
        MAGIC,
        dump[:-1],
        dump + b"x",
        bytes(changed),
        vw.create_engine("--cb_explore_adf").dump(),
    ):
        with pytest.raises(Corrupt):
            create_prepared_engine(ONE, blob)


def test_settings_without_preparation_are_for_another_engine() -> None:
    with pytest.raises(InvalidPolicy, match="--prepare"):
        create_prepared_engine("--cb_explore_adf")
