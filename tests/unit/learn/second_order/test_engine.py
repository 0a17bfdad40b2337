"""The second-order engine keeps the promises of every engine: exact, unchanged by questions, never harmed."""

import itertools
import json
import random
from collections.abc import Iterator, Mapping

import numpy as np
import pytest

from sartor.errors import Corrupt, EngineRefused
from sartor.learn.engines import create_engine
from sartor.learn.second_order.dump_header import MAGIC, is_second_order_model
from sartor.learn.second_order.engine import SecondOrderEngine, create_second_order_engine
from sartor.learn.second_order.state import count_bytes
from tests.unit.learn.samples import answers, lines, make_line
from tests.unit.learn.slot_samples import make_slots_line, slot_answers, slot_lines

ONE = "--sartor --columns 32 --pairs 4"
SEVERAL = f"{ONE} --ccb_explore_adf"
REQUESTS = range(10_000, 10_008)


def teach(arguments: str, taught: Iterator[bytes], dump: bytes | None = None) -> SecondOrderEngine:
    made = create_second_order_engine(arguments, dump)
    for line in taught:
        made.learn(line)
    return made


RELOADED = (0, 1, 7, 8, 9, 20, 63, 64, 300, 511, 512, 513, 530)


@pytest.fixture(scope="module")
def dumps() -> dict[int, tuple[bytes, bytes]]:
    """What an engine writes after so many outcomes, and what one writes that was loaded again and again."""
    whole, loaded, found = create_second_order_engine(ONE), create_second_order_engine(ONE), {}
    for number, line in enumerate(lines(0, RELOADED[-1] + 10)):
        if number in RELOADED:
            assert answers(loaded, REQUESTS) == answers(whole, REQUESTS)
            found[number] = whole.dump(), loaded.dump()
            loaded = create_second_order_engine(ONE, loaded.dump())
        whole.learn(line)
        loaded.learn(line)
    return {**found, RELOADED[-1] + 10: (whole.dump(), loaded.dump())}


@pytest.mark.parametrize("learned", [*RELOADED, RELOADED[-1] + 10])
def test_a_loaded_dump_goes_on_bit_for_bit(dumps: dict[int, tuple[bytes, bytes]], learned: int) -> None:
    whole, loaded = dumps[learned]
    assert loaded == whole
    assert create_second_order_engine(ONE, whole).dump() == whole


@pytest.mark.parametrize("first", [0, 5, 30])
def test_a_loaded_dump_of_several_slots_goes_on_bit_for_bit(first: int) -> None:
    whole = teach(SEVERAL, slot_lines(0, first))
    again = create_second_order_engine(SEVERAL, whole.dump())
    for line in slot_lines(first, first + 20):
        whole.learn(line)
        again.learn(line)
    assert slot_answers(again, REQUESTS) == slot_answers(whole, REQUESTS)
    assert again.dump() == whole.dump()


def test_the_same_outcomes_make_the_same_model() -> None:
    assert teach(ONE, lines(0, 70)).dump() == teach(ONE, lines(0, 70)).dump()
    assert teach(ONE, lines(0, 70)).dump() != teach(ONE, lines(1, 71)).dump()


def test_asking_changes_nothing() -> None:
    asked, silent = teach(ONE, lines(0, 0)), teach(ONE, lines(0, 0))
    for line in lines(0, 80):
        answers(asked, REQUESTS[:3])
        asked.learn(line)
        silent.learn(line)
    assert answers(asked, REQUESTS) == answers(asked, REQUESTS) == answers(silent, REQUESTS)
    assert asked.dump() == silent.dump()


def test_asking_about_slots_changes_nothing() -> None:
    asked = teach(SEVERAL, slot_lines(0, 40))
    before = asked.dump()
    slot_answers(asked, REQUESTS)
    assert asked.dump() == before


@pytest.mark.parametrize("learned", [0, 3, 40])
def test_probabilities_are_those_of_a_draw(learned: int) -> None:
    for found in answers(teach(f"{ONE} --epsilon 0.2", lines(0, learned)), REQUESTS):
        assert sum(found) == pytest.approx(1.0, abs=1e-12)
        assert min(found) >= 0.2 / len(found) * (1 - 1e-9)


def encode_request(actions: Mapping[str, object], context: object = ()) -> bytes:
    return json.dumps(
        {
            "FromUrl": [context] if context else [],
            "_multi": [{"i": {"id": name}, "j": [features]} for name, features in actions.items()],
        }
    ).encode()


def encode_line(request: bytes, place: int, reward: float) -> bytes:
    return b'{"_label_cost":%r,"_labelIndex":%d,"c":%b}' % (-reward, place, request)


def test_an_engine_that_knows_nothing_chooses_evenly() -> None:
    request = encode_request({"a": {}, "b": {}, "c": {}})
    assert create_engine("--sartor").probabilities(request, 3) == pytest.approx([1 / 3] * 3)


def test_it_finds_out_which_action_is_better_and_where() -> None:
    engine, rng = create_second_order_engine(ONE), random.Random(1)
    for number in range(200):
        hour = float(rng.randrange(24))
        request = encode_request({"a": {}, "b": {}}, {"hour": hour})
        engine.learn(encode_line(request, number % 2, float((hour < 12) == (number % 2 == 0))))
    for hour, better in ((3, 0), (20, 1)):
        assert engine.probabilities(encode_request({"a": {}, "b": {}}, {"hour": hour}), 2)[better] > 0.9
        estimates = engine.estimates(encode_request({"a": {}, "b": {}}, {"hour": hour}), 2)
        assert estimates[better] == pytest.approx(1.0, abs=0.25)
        assert estimates[1 - better] == pytest.approx(0.0, abs=0.25)


def test_a_new_action_is_expected_to_be_like_those_with_its_features() -> None:
    engine, rng = create_second_order_engine(ONE), random.Random(2)
    kinds = ("good", "bad")
    for number in range(300):
        offered = {f"{kind}-{rng.randrange(8)}": {"kind": kind} for kind in kinds}
        engine.learn(encode_line(encode_request(offered), number % 2, float(number % 2 == 0)))
    request = encode_request({"unseen-1": {"kind": "bad"}, "unseen-2": {"kind": "good"}})
    estimates = engine.estimates(request, 2)
    assert estimates[1] > estimates[0] + 0.5
    assert engine.probabilities(request, 2)[1] > 0.8


def test_actions_that_come_and_go_stay_within_the_memory_and_the_oldest_is_forgotten() -> None:
    engine = create_second_order_engine("--sartor")
    rng = random.Random(3)

    def show(name: str, reward: float) -> None:
        context = {f"n{k}": rng.random() for k in range(40)}
        engine.learn(encode_line(encode_request({name: {}, "other": {}}, context), 0, reward))

    for number in range(512):
        show(f"first-{number % 3}", float(number % 2))
    for number in range(200):
        show("stays", 1.0)
        show(f"new-{number}", float(number % 2))
    regressors = engine._state.regressors
    assert regressors is not None
    assert regressors.row_bytes * len(regressors.details) <= 3_500_000
    assert len(regressors.rows) == len(regressors.details)
    assert sorted(regressors.rows.values()) == list(range(len(regressors.details)))
    assert "new-199" in regressors.rows
    assert "stays" in regressors.rows
    assert "first-0" not in regressors.rows
    again = create_second_order_engine("--sartor", engine.dump())
    assert again.dump() == engine.dump()


BROKEN = [
    b"",
    b"[]",
    b'{"c":{"FromUrl":[],"_multi":[]}}',
    make_line(1)[:-20],
    make_line(1).replace(b'"_labelIndex":', b'"_labelIndex":9'),
    make_line(1).replace(b'"_label_cost":', b'"_other":'),
    make_line(1).replace(b'"j":[', b'"j":[3,'),
    make_line(1).replace(b'"j":[', b'"j":[{"a":[[1]]},'),
    make_line(1).replace(b'"FromUrl":[', b'"FromUrl":[{"a":[[1]]},', 1),
    make_slots_line(1),
]


@pytest.mark.parametrize("learned", [0, 7, 64, 513])
def test_a_refused_line_changes_nothing(dumps: dict[int, tuple[bytes, bytes]], learned: int) -> None:
    engine = create_second_order_engine(ONE, dumps[learned][0])
    before, answered = engine.dump(), answers(engine, REQUESTS)
    for line in BROKEN:
        with pytest.raises(EngineRefused):
            engine.learn(line)
    assert engine.dump() == before
    assert answers(engine, REQUESTS) == answered


def break_last_slot(line: bytes) -> Iterator[bytes]:
    parts = json.loads(line)
    changes: list[dict[str, object]] = [{"_label_cost": None}, {"_a": []}, {"_a": [99]}]
    for change in changes:
        outcomes = [*parts["_outcomes"][:-1], {**parts["_outcomes"][-1], **change}]
        yield json.dumps({**parts, "_outcomes": outcomes}).encode()
    yield json.dumps({**parts, "_outcomes": parts["_outcomes"][:-1]}).encode()
    last = parts["_outcomes"][-1]["_a"][0]
    parts["c"]["_multi"][last]["j"] = [{"a": [[1]]}]
    yield json.dumps(parts).encode()


@pytest.mark.parametrize("learned", [0, 7, 60])
def test_a_line_of_which_one_slot_is_refused_changes_nothing(learned: int) -> None:
    several = next(line for line in slot_lines(900, 950) if line.count(b'"_id"') > 4)
    engine = teach(SEVERAL, slot_lines(0, learned))
    before = engine.dump()
    for line in break_last_slot(several):
        with pytest.raises(EngineRefused):
            engine.learn(line)
    assert engine.dump() == before


@pytest.mark.parametrize("cost", [b"1e400", b"NaN", b'"1"', b"null"])
def test_a_label_that_is_no_number_is_refused(cost: bytes) -> None:
    engine = create_second_order_engine(ONE)
    with pytest.raises(EngineRefused):
        engine.learn(b'{"_label_cost":%b,"_labelIndex":0,"c":%b}' % (cost, encode_request({"a": {}})))


def test_the_largest_rewards_are_learned_and_ranked() -> None:
    engine = create_second_order_engine(ONE)
    request = encode_request({"a": {}, "b": {}}, {"x": 1e15})
    for number in range(40):
        engine.learn(encode_line(request, number % 2, 1e300 * (-1) ** number))
    assert np.isfinite(engine.estimates(request, 2)).all()
    assert engine.probabilities(request, 2)[0] > 0.9


@pytest.mark.parametrize("reward", [0.0, 1.0, -1e9])
def test_rewards_that_are_all_the_same_leave_the_choice_even(reward: float) -> None:
    engine = create_second_order_engine(ONE)
    request = encode_request({"a": {}, "b": {}})
    for number in range(40):
        engine.learn(encode_line(request, number % 2, reward))
    assert engine.probabilities(request, 2) == pytest.approx([0.5, 0.5])
    assert engine.estimates(request, 2) == pytest.approx([reward, reward])


def test_requests_of_the_other_kind_are_refused() -> None:
    with pytest.raises(EngineRefused, match="fill no slots"):
        slot_answers(teach(ONE, lines(0, 10)), REQUESTS)
    with pytest.raises(EngineRefused, match="several slots"):
        answers(teach(SEVERAL, slot_lines(0, 10)), REQUESTS)
    with pytest.raises(EngineRefused, match="holds 2 actions, not 3"):
        create_engine(ONE).probabilities(encode_request({"a": {}, "b": {}}), 3)


@pytest.mark.parametrize("learned", [0, 20])
def test_bytes_that_are_not_a_whole_dump_are_corrupt(learned: int) -> None:
    dump = teach(ONE, lines(0, learned)).dump()
    assert is_second_order_model(dump)
    changed = bytearray(dump)
    changed[-1] ^= 1
    for blob in (b"", MAGIC, dump[:-1], dump + b"x", bytes(changed), b"x" + dump):
        with pytest.raises(Corrupt):
            create_second_order_engine(ONE, blob)


def test_numbers_that_do_not_come_in_order_are_no_matter() -> None:
    """Names in another order are the same context."""
    engine = teach(ONE, lines(0, 60))
    members = {"a": 1, "hour": 5, "device": "x"}
    found = {
        tuple(engine.probabilities(encode_request({"p": {}, "q": {}}, dict(order)), 2))
        for order in itertools.permutations(members.items())
    }
    assert len(found) == 1


def test_first_outcomes_that_are_large_are_kept_no_longer_than_their_bytes_allow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sartor.learn.second_order.engine._KEPT_BYTES", 8_000)
    whole, again = create_second_order_engine(ONE), create_second_order_engine(ONE)
    for number, line in enumerate(lines(0, 200)):
        if number % 20 == 10:  # what was kept is counted again after a load
            again = create_second_order_engine(ONE, again.dump())
        whole.learn(line)
        again.learn(line)
        kept = whole._state.first_outcomes
        assert kept is None or sum(map(count_bytes, kept)) <= 8_000
    assert whole._state.first_outcomes is None
    assert whole._state.offered == {}
    assert again.dump() == whole.dump()
    assert answers(again, REQUESTS) == answers(whole, REQUESTS)


def test_features_that_are_offered_are_kept_only_up_to_a_number_of_bytes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sartor.learn.second_order.engine._OFFERED_BYTES", 2_000)
    engine = create_second_order_engine(ONE)
    for number in range(60):
        engine.learn(encode_line(encode_request({f"a{number}": {"text": f"{number:0500d}"}}, {}), 0, 1.0))
        assert sum(map(len, engine._state.offered)) <= 2_000 + 600
