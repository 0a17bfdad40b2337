"""A model with prepared numbers leaves and comes back as one file, and fits loops of its own kind only."""

import msgspec
import pytest

from sartor.errors import Corrupt, InvalidModel
from sartor.learn import vw
from sartor.learn.dumps import check_fit, check_options, export_file, import_file, is_dump, name_file
from sartor.learn.model_file import HEADER_BYTES, strip_checksum
from sartor.learn.model_import import convert_model
from sartor.learn.preparation.prepared_dump import read_dump, write_dump
from sartor.learn.preparation.prepared_engine import create_prepared_engine
from tests.unit.learn.forged_models import forge
from tests.unit.learn.samples import answers, lines

PLAIN = "--cb_explore_adf --squarecb --cb_type mtr -q :: -b 12"
PREPARED = f"{PLAIN} --prepare"
REQUESTS = range(10_000, 10_008)


def make_dump(learned: int) -> bytes:
    made = create_prepared_engine(PREPARED)
    for line in lines(0, learned):
        made.learn(line)
    return made.dump()


@pytest.fixture(scope="module", params=[0, 40, 520])
def dump(request: pytest.FixtureRequest) -> bytes:
    return make_dump(request.param)


def test_the_file_is_the_dump_with_both_parts(dump: bytes) -> None:
    file = export_file(dump)
    assert (file.name, file.content) == ("model.sartor", dump)
    assert name_file(dump) == "model.sartor"
    assert import_file(file.content) == dump
    assert is_dump(dump)
    check_options(dump)


def test_what_comes_back_goes_on_as_it_was(dump: bytes) -> None:
    one = create_prepared_engine(PREPARED, dump)
    other = create_prepared_engine(PREPARED, convert_model(dump, PREPARED))
    for line in lines(520, 530):
        one.learn(line)
        other.learn(line)
    assert answers(one, REQUESTS) == answers(other, REQUESTS)


def test_whether_it_fits_is_seen_at_its_beginning(dump: bytes) -> None:
    check_fit(dump[:HEADER_BYTES], PREPARED)
    check_fit(dump[:HEADER_BYTES], f"{PREPARED} --gamma_scale 50")
    for other in (PLAIN, "--sartor", f"{PREPARED} --coin", PREPARED.replace("-b 12", "-b 13")):
        with pytest.raises(InvalidModel, match="does not fit"):
            check_fit(dump[:HEADER_BYTES], other)


def test_a_model_without_preparation_does_not_fit_settings_with_it() -> None:
    plain = strip_checksum(vw.create_engine(PLAIN).dump())
    with pytest.raises(InvalidModel, match="made without --prepare"):
        convert_model(plain, PREPARED)
    with pytest.raises(InvalidModel, match="made with --prepare"):
        convert_model(make_dump(0), PLAIN)


def test_a_model_file_within_that_names_files_is_refused() -> None:
    state, _ = read_dump(make_dump(0))
    forged = write_dump(state, strip_checksum(forge(vw.create_engine(PLAIN).dump(), "--final_regressor x")))
    with pytest.raises(InvalidModel, match="final_regressor"):
        check_options(forged)
    with pytest.raises(InvalidModel, match="final_regressor"):
        convert_model(forged, PREPARED)
    with pytest.raises(Corrupt, match="final_regressor"):
        create_prepared_engine(PREPARED, forged)


@pytest.mark.parametrize(
    "change",
    [{"rate": float("nan")}, {"center": 1e300}, {"column": 10**6}, {"period": 0.0}, {"knots": (1.0, 0.0)}],
)
def test_a_plan_that_is_none_is_corrupt(change: dict[str, object]) -> None:
    state, model = read_dump(make_dump(40))
    assert state.plan is not None
    numbers = state.plan.contexts.numbers
    numbers["hour"] = msgspec.structs.replace(numbers["hour"], **change)
    with pytest.raises(Corrupt):
        create_prepared_engine(PREPARED, write_dump(state, model))


def test_lines_that_are_none_are_left_out_when_the_plan_is_made_again() -> None:
    state, model = read_dump(make_dump(12))
    assert state.lines is not None
    state.lines = [*state.lines, b"", b"{}", b'{"c":{"FromUrl":[{"a":[[1]]}],"_multi":[]}}']
    made = create_prepared_engine(PREPARED, write_dump(state, model))
    for line in lines(15, 40):
        made.learn(line)
    assert answers(made, REQUESTS)
