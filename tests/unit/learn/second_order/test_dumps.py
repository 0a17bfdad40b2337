"""Dumps of the second-order engine: whole ones go on as they were, others are refused or do no harm."""

import math
import random
import zlib
from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec
import numpy as np
import pytest

from sartor.errors import Corrupt, EngineRefused, InvalidModel
from sartor.learn import dumps
from sartor.learn.engines import create_engine
from sartor.learn.model_import import convert_model
from sartor.learn.second_order.arguments import parse_settings
from sartor.learn.second_order.dump_header import frame_dump, open_dump
from tests.unit.learn.samples import answer, make_line

OWN = "--sartor --columns 40 --pairs 4"
VOWPAL_WABBIT = "--cb_explore_adf --squarecb --cb_type mtr -q ::"
COUNTS = (0, 5, 40, 520)


@cache
def train(count: int, arguments: str = OWN) -> bytes:
    engine = create_engine(arguments)
    for seed in range(count):
        engine.learn(make_line(seed))
    return engine.dump()


def use(blob: bytes) -> None:
    """Rank, learn, rank again, as a loop would."""
    engine = create_engine(OWN, blob)
    for seed in range(600, 604):
        for call in (lambda: answer(engine, seed), lambda: engine.learn(make_line(seed)), engine.dump):  # noqa: B023
            try:
                call()
            except EngineRefused:
                continue


def forge(change: Callable[[Any], None], *, count: int) -> bytes:
    content = msgspec.msgpack.decode(zlib.decompress(open_dump(train(count))))
    change(content)
    return frame_dump(zlib.compress(msgspec.msgpack.encode(content)), parse_settings(OWN))


@pytest.mark.parametrize("count", COUNTS)
def test_a_loaded_engine_goes_on_bit_for_bit(count: int) -> None:
    first, second = create_engine(OWN), create_engine(OWN, train(count))
    for seed in range(count):
        first.learn(make_line(seed))
    for seed in range(count, count + 30):
        assert answer(first, seed) == answer(second, seed)
        first.learn(make_line(seed))
        second.learn(make_line(seed))
    assert first.dump() == second.dump()


@pytest.mark.parametrize("count", COUNTS)
def test_a_model_is_taken_into_a_loop_with_the_same_structure(count: int) -> None:
    assert convert_model(train(count), f"{OWN} --epsilon 0.2 --gamma_scale 3") == train(count)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ("--sartor --columns 41 --pairs 4", r"--columns 40, the loop's learning settings say 41"),
        ("--sartor --columns 40 --pairs 5", r"--pairs 4, the loop's learning settings say 5"),
        ("--sartor --columns 40 --pairs 4 --half_life 9000", r"--half_life 500, .* say 9000"),
        (f"{OWN} --ccb_explore_adf", r"without --ccb_explore_adf"),
        (VOWPAL_WABBIT, r"they are for Vowpal Wabbit, the model is for --sartor"),
    ],
)
def test_a_model_is_refused_by_a_loop_with_another_structure(arguments: str, reason: str) -> None:
    with pytest.raises(InvalidModel, match=reason):
        convert_model(train(40), arguments)
    with pytest.raises(Corrupt):
        create_engine(arguments, train(40))


def test_a_model_of_vowpal_wabbit_is_refused_by_a_loop_of_this_engine() -> None:
    made = dumps.export_file(create_engine(VOWPAL_WABBIT).dump())
    assert made.name == dumps.name_file(made.content) == "model.vw"
    with pytest.raises(InvalidModel, match=r"they are for --sartor.*Its own are: .*--squarecb"):
        convert_model(made.content, OWN)
    with pytest.raises(InvalidModel, match="do not begin as a model"):
        convert_model(b"nothing", OWN)
    with pytest.raises(Corrupt):
        create_engine(OWN, dumps.import_file(made.content))


def test_the_file_of_a_dump_is_the_dump() -> None:
    exported = dumps.export_file(train(40))
    assert (exported.name, exported.content) == ("model.sartor", train(40))
    assert dumps.import_file(exported.content) == train(40)
    dumps.check_options(train(40))
    assert dumps.is_dump(train(40))
    assert not dumps.is_dump(train(40)[:-1])


def test_a_changed_bit_is_noticed_wherever_it_is() -> None:
    blob = train(5)
    for place in (*range(120), *range(120, len(blob), 97)):
        changed = bytearray(blob)
        changed[place] ^= 1
        with pytest.raises(Corrupt):
            create_engine(OWN, bytes(changed))


def test_a_dump_that_unpacks_to_more_than_any_has_is_refused_before_it_is_unpacked() -> None:
    bomb = frame_dump(zlib.compress(b"\0" * 80_000_000, 9), parse_settings(OWN))
    with pytest.raises(Corrupt, match="more than"):
        create_engine(OWN, bomb)


def assign(*path: str | int, value: object) -> Callable[[Any], None]:
    def change(content: Any) -> None:
        for step in path[:-1]:
            content = content[step]
        content[path[-1]] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        assign("regressors", "contexts", "size", value=2**40),
        assign("regressors", "contexts", "linear", value=0),
        assign("regressors", "contexts", "tokens", value={"user.device=a": 40}),
        assign("regressors", "contexts", "spare", value=[-1]),
        assign("regressors", "contexts", "hashed", value=39),
        assign("regressors", "contexts", "buckets", value=0),
        assign("regressors", "crossed", value=[0, 10_000]),
        assign("regressors", "crossed", value=[1, 2]),
        assign("regressors", "crossed", value=[0] * 2000),
        assign("regressors", "first", value=[0]),
        assign("regressors", "rows", value={"one": 0, "other": 0}),
        assign("regressors", "rows", value={"one": 7_000_000}),
        assign("regressors", "details", value=[]),
        assign("regressors", "priors", value=b""),
        assign("regressors", "per_action", value=[]),
        assign("regressors", "per_action", 0, 0, value=b"\0" * 8),
        assign("regressors", "per_action", 0, 0, value=np.full(8, math.nan).tobytes()),
        assign("regressors", "shared_weights", value=b"\0" * 7),
        assign("regressors", "recentred", value=-1),
        assign("regressors", "details", 0, 0, value=[1.0]),
        assign("regressors", "details", 0, 0, value=b"[1"),
        assign("aggregate", "losses", value=[0.0]),
        assign("aggregate", "mean", value=math.nan),
        assign("aggregate", "squares", 0, value=math.inf),
        assign("aggregate", "count", value=-5),
        assign("aggregate", "count", value=41),
        assign("first_outcomes", 0, 3, value=math.inf),
        assign("first_outcomes", 0, 2, value=b"nothing"),
        assign("offered", value=[b"{}"]),
    ],
)
def test_a_forged_state_is_refused(change: Callable[[Any], None]) -> None:
    with pytest.raises(Corrupt, match="can't be loaded"):
        create_engine(OWN, forge(change, count=40))


_ODD: tuple[object, ...] = (
    *(-1, 0, 1, 2**31, -(2**63), 2**64 - 1, 0.0, -1.0, 1e-300, 1e300, math.nan, math.inf, -math.inf),
    *(None, True, "", b"", "text", b"\xff" * 8, [], [0], {}, {"a": 1}, [[1]], "\x00", [math.nan] * 8),
)


def mutate(content: Any, rng: random.Random) -> None:
    """Replace one value anywhere below by an odd one, or by another number."""
    while True:
        keys = list(content) if isinstance(content, dict) else list(range(len(content)))
        if not keys:
            return
        key = rng.choice(keys)
        inner = content[key]
        if isinstance(inner, dict | list) and inner and rng.random() < 0.9:
            content = inner
            continue
        if isinstance(inner, bytes) and inner and rng.random() < 0.7:
            changed = bytearray(inner)
            for _ in range(rng.choice((1, 4, 64))):
                changed[rng.randrange(len(changed))] = rng.randrange(256)
            content[key] = bytes(changed)
        elif isinstance(inner, int | float) and rng.random() < 0.5:
            content[key] = inner * rng.choice((-1, 2, 1e3, 0.5)) + rng.choice((-1, 0, 1))
        else:
            content[key] = rng.choice(_ODD)
        return


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_mutated_state_is_refused_or_does_no_harm() -> None:
    rng = random.Random(20)
    refused = 0
    for _ in range(250):
        blob = forge(
            lambda content: mutate(content, rng),
            count=rng.choice(COUNTS[1:]),
        )
        try:
            use(blob)
        except Corrupt:
            refused += 1
    assert 50 < refused < 250
