"""What a model file says of itself, read without the engine."""

import struct

import pytest

from sartor.errors import InvalidModel
from sartor.learn import model_file
from sartor.learn.model_file import strip_checksum
from sartor.learn.vw import create_engine

OWN = "--cb_explore_adf --epsilon 0.2 --power_t 0 -l 0.001 --cb_type mtr -q ::"


def made(arguments: str = OWN) -> bytes:
    fresh = create_engine(arguments)
    try:
        return strip_checksum(fresh.dump())
    finally:
        fresh.close()


def text(content: str) -> bytes:
    return struct.pack("<I", len(content) + 1) + content.encode() + b"\0"


def forged(options: str, *, version: str = "9.1.0", bits: int = 18, mark: bytes = b"m") -> bytes:
    """The head of a file with any options, as version 9 of the engine writes it."""
    head = text(version) + text("") + mark + struct.pack("<ffII", -1.0, 0.0, bits, 0)
    return head + struct.pack("<II", 0, 0) + text(options) + b"\4\0\0\0checksum"


def misfit(model: bytes, arguments: str) -> str | None:
    return model_file.find_mismatch(model_file.read_header(model), model_file.read_header(made(arguments)))


def test_the_head_of_a_file_of_the_engine_is_read() -> None:
    head = model_file.read_header(made(OWN + " --ngram F2 -b 16"))
    assert (head.bits, head.ngrams) == (16, ("F2",))
    assert head.options.values("quadratic") == ["::"]
    assert head.options.values("cb_type") == ["mtr"]


def test_the_head_of_the_retired_services_file_is_read() -> None:
    # The options that were seen in one (contract, section 3.5).
    options = (
        " --cb_adf --cb_explore_adf --cb_type mtr --csoaa_ldf multiline --csoaa_rank "
        "--epsilon 0.200000003 --learning_rate 0.001 --power_t 0 --quadratic ::"
    )
    head = model_file.read_header(forged(options))
    assert head.version == "9.1.0"
    assert misfit(forged(options), OWN) is None


@pytest.mark.parametrize(
    "option",
    [
        "--predictions /tmp/there",
        "--final_regressor here",
        "--readable_model x",
        "--daemon",
        "-f x",
        "--id a --extra_metrics b",
        "--initial_regressor /etc/passwd",
        "words",
        "--bag 100000",
        "--cats 4",
    ],
)
def test_an_option_that_is_not_for_learning_is_refused(option: str) -> None:
    with pytest.raises(InvalidModel, match="options that are not accepted"):
        model_file.read_header(forged(f" --cb_explore_adf --cb_type mtr {option}"))


@pytest.mark.parametrize("length", [0, 1, 4, 11, 20, 40, 60])
def test_a_file_that_ends_early_is_refused(length: int) -> None:
    with pytest.raises(InvalidModel):
        model_file.read_header(made()[:length])


@pytest.mark.parametrize(
    "content",
    [
        b"not a model at all, but long enough to be one, or so it seems to the reader",
        b"\xff" * 200,
        b"\0" * 200,
        forged("--cb_explore_adf", mark=b"x"),
        forged("--cb_explore_adf", version="latest"),
        forged("--cb_explore_adf", bits=31),
        forged("--cb_explore_adf", bits=0),
        forged("--cb_explore_adf \x80"),
    ],
)
def test_what_is_no_model_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidModel):
        model_file.read_header(content)


def test_skips_are_refused() -> None:
    head = forged("--cb_explore_adf --cb_type mtr")
    place = head.index(text("--cb_explore_adf --cb_type mtr")) - 4
    with pytest.raises(InvalidModel, match="--skips"):
        model_file.read_header(head[:place] + struct.pack("<I", 1) + b"F1\0" + head[place + 4 :])


@pytest.mark.parametrize(
    "arguments",
    [
        OWN.replace("0.2", "0.5"),
        OWN.replace("-l 0.001", "-l 0.5"),
        OWN.replace("--power_t 0", "--power_t 0.5"),
        OWN + " --l1 1e-7",
    ],
)
def test_how_fast_to_learn_and_how_much_to_explore_may_differ(arguments: str) -> None:
    assert misfit(made(), arguments) is None


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (OWN.replace("-q ::", ""), "it was made with --quadratic ::"),
        (OWN + " --ignore_linear F", "it was made without --ignore_linear F"),
        (OWN + " -b 20", "18 bits of weights, the loop's learning settings say 20"),
        (OWN.replace("mtr", "ips"), "made with --cb_type mtr and it was made without --cb_type ips"),
        (OWN.replace("--epsilon 0.2", "--squarecb"), "made without --squarecb"),
        (OWN + " --ngram F2", "without --ngram F2"),
        (OWN + " --coin", "without --coin"),
    ],
)
def test_what_the_weights_mean_may_not_differ(arguments: str, says: str) -> None:
    assert says in (misfit(made(), arguments) or "it fits")
