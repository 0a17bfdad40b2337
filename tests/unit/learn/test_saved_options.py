"""A model whose header names files to write is not loaded; what our own engine writes is."""

import subprocess
import sys
from pathlib import Path

import pytest

from sartor.errors import Corrupt, InvalidModel
from sartor.learn.model_file import add_checksum, read_header, strip_checksum
from sartor.learn.model_import import convert_model
from sartor.learn.options import ACCEPTED
from sartor.learn.vw import create_engine
from tests.unit.learn.forged_models import FILE_FLAGS, FILE_OPTIONS, Header, forge

OWN = "--cb_explore_adf --cb_type mtr"

_RAW_ENGINE = """
import sys, pylibvw
vw = pylibvw.vw(["--cb_explore_adf", "--cb_type", "mtr", "--quiet", "--dsjson",
    "--preserve_performance_counters", "--per_model_save_load", "-i", sys.argv[1]])
vw.finish()
"""


def dump(arguments: str = OWN) -> bytes:
    engine = create_engine(arguments)
    try:
        return engine.dump()
    finally:
        engine.close()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, in which relative names end up."""
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    return empty


@pytest.mark.parametrize("option", ["final_regressor", "predictions", "raw_predictions"])
def test_the_engine_alone_would_write_the_file(option: str, folder: Path, tmp_path: Path) -> None:
    model = tmp_path / "model.vw"
    model.write_bytes(strip_checksum(forge(dump(), f"--{option} {folder / 'written'}")))
    subprocess.run([sys.executable, "-c", _RAW_ENGINE, str(model)], check=True, cwd=folder, timeout=60)
    assert [path.name for path in folder.iterdir()] == ["written"]


def test_an_id_would_be_options_too(folder: Path, tmp_path: Path) -> None:
    model, header = tmp_path / "model.vw", Header(strip_checksum(dump()))
    header.id = f"x --predictions {folder / 'written'}"
    model.write_bytes(header.encode())
    subprocess.run([sys.executable, "-c", _RAW_ENGINE, str(model)], check=True, cwd=folder, timeout=60)
    assert [path.name for path in folder.iterdir()] == ["written"]
    (folder / "written").unlink()
    with pytest.raises(Corrupt, match="--id"):
        create_engine(OWN, add_checksum(header.encode()))
    assert not list(folder.iterdir())


_SPELLINGS = (
    "--{0} {1}",
    "--{0}={1}",
    "--{0}\t{1}",
    "--{0}\n{1}",
    "'--{0}' {1}",
    '"--{0}" "{1}"',
    "--{2} {1}",
    "--ignore a --{0} {1}",
    "--ignore '--{0} {1}",
    "--ignore save_resume --{0} {1}",
    "--ignore --{0} {1}",
    "@{1} --{0} {1}",
)


@pytest.mark.parametrize("spelling", _SPELLINGS)
@pytest.mark.parametrize("option", FILE_OPTIONS)
def test_no_option_that_names_a_file_is_loaded(option: str, spelling: str, folder: Path) -> None:
    blob = forge(dump(), spelling.format(option, folder / "written", option[:-2]))
    with pytest.raises(Corrupt):
        create_engine(OWN, blob)
    with pytest.raises(InvalidModel):
        convert_model(strip_checksum(blob), OWN)
    assert not list(folder.iterdir())


@pytest.mark.parametrize(
    "words", [*(f"--{flag}" for flag in FILE_FLAGS), "-f", "-p", "-r", "-i", "-c", "-d", "-k"]
)
def test_neither_flags_nor_letters_are_loaded(words: str, folder: Path) -> None:
    for options in (words, f"{words} written", f"{words}written"):
        with pytest.raises(Corrupt):
            create_engine(OWN, forge(dump(), options))
    assert not list(folder.iterdir())


@pytest.mark.parametrize(
    "version", ["7.10.2", "7.8.0", "6.1.3", "8.0.2", "010.1.0", "9.1", "9.1.0x", "0x9.1.0"]
)
def test_a_version_with_another_layout_of_the_header(version: str) -> None:
    header = Header(strip_checksum(dump()))
    header.version = version
    with pytest.raises(Corrupt):
        create_engine(OWN, add_checksum(header.encode()))


@pytest.mark.parametrize("ngram", [b"--f", b"a -", b"\t2\t", b"a9", b"--"])
def test_an_ngram_is_no_place_for_options(ngram: bytes) -> None:
    header = Header(strip_checksum(dump()))
    header.ngrams = [ngram]
    with pytest.raises(Corrupt, match="ngram"):
        create_engine(OWN, add_checksum(header.encode()))


def test_a_model_of_topics_is_refused() -> None:
    header = Header(strip_checksum(dump()))
    header.topics = 1_000_000
    with pytest.raises(Corrupt, match="--lda"):
        create_engine(OWN, add_checksum(header.encode()))


def test_more_weights_than_are_accepted() -> None:
    header = Header(strip_checksum(dump("--cb_explore_adf --cb_type mtr -b 24")))
    header.options += " --bag 16"
    with pytest.raises(InvalidModel, match="too much memory"):
        read_header(header.encode())


_VALUES = {
    "csoaa_ldf": "m",
    "cb_type": "ips",
    "loss_function": "hinge",
    "hash": "all",
    "redefine": "b:=a",
    "quadratic": "a!",
    "cubic": "abc",
    "interactions": "a:c",
    "experimental_full_name_interactions": "ab|c~d",
    "ngram": "a2",
    "marginal": "ab",
    "ignore": "ab!&(,",
    "ignore_linear": "ab",
    "keep": "ab",
}
_BESIDE = {
    "quantile_tau": "--loss_function quantile",
    "logistic_min": "--loss_function logistic",
    "logistic_max": "--loss_function logistic",
    "initial_denominator": "--marginal a",
    "initial_numerator": "--marginal a",
    "decay": "--marginal a",
}


def sample(name: str) -> str:
    """Learning settings with this option, at the low end of its range if it has one."""
    check = ACCEPTED[name]
    if name in ("cb_explore_adf", "cb_type"):
        return OWN
    numbers = ("1e-10", "0", "1", "10", "-1e9", "0.5")
    value = _VALUES.get(name) or next((text for text in numbers if check and check(text) is None), "")
    return " ".join((OWN, f"--{name}", value, _BESIDE.get(name, "")))


@pytest.mark.parametrize("name", sorted(set(ACCEPTED) - {"ccb_explore_adf", "cb_sample"}))
def test_what_our_own_engine_saves_is_loaded(name: str) -> None:
    arguments = sample(name)
    create_engine(arguments, dump(arguments)).close()


@pytest.mark.parametrize(
    "arguments",
    [
        OWN + "".join(f" -q {first}{second}" for first in "abcdefgh" for second in "stuvwxyz"),
        OWN + " --ignore abcdefghijklmnopqrstuvwxyz --ignore ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
        "--ccb_explore_adf --cb_type mtr -q ::",
        OWN + " --bag 3 --random_seed 18446744073709551615",
    ],
)
def test_headers_at_the_limits_are_loaded(arguments: str) -> None:
    create_engine(arguments, dump(arguments)).close()
