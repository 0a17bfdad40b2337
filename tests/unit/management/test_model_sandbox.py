"""Taking in a model in a process of its own."""

import sys
from pathlib import Path

import pytest

from sartor.errors import InvalidModel
from sartor.learn.model_file import strip_checksum
from sartor.learn.vw import create_engine
from sartor.management import model_sandbox

OWN = "--cb_explore_adf --epsilon 0.2 --cb_type mtr -q ::"


def model() -> bytes:
    made = create_engine(OWN)
    try:
        return strip_checksum(made.dump())
    finally:
        made.close()


def test_a_sound_model_comes_back_as_a_dump() -> None:
    create_engine(OWN, model_sandbox.convert_in_sandbox(model(), OWN)).close()


def test_a_model_that_does_not_fit_is_refused_before_a_process_is_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "executable", "/there/is/no/such/program")
    with pytest.raises(InvalidModel, match="made without --squarecb"):
        model_sandbox.convert_in_sandbox(model(), "--cb_explore_adf --squarecb --cb_type mtr -q ::")


def test_what_the_engines_reader_refuses_is_told() -> None:
    sound = model()
    # The first weight that is read belongs to a place that there is not.
    with pytest.raises(InvalidModel, match="can't be loaded"):
        model_sandbox.convert_in_sandbox(sound + b"\xff\xff\xff\x7f\0\0\0\0" * 4, OWN)


@pytest.mark.parametrize(
    "program",
    ["import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "raise SystemExit(3)", "print('hello')", ""],
)
def test_a_crash_of_the_engines_reader_is_a_refusal(
    program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = tmp_path / "python"
    fake.write_text(f"#!{sys.executable}\n{program}\n")
    fake.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(fake))
    with pytest.raises(InvalidModel, match="broke down"):
        model_sandbox.convert_in_sandbox(model(), OWN)


def test_a_reader_that_does_not_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "python"
    fake.write_text(f"#!{sys.executable}\nimport time\ntime.sleep(60)\n")
    fake.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(fake))
    with pytest.raises(InvalidModel, match="took longer"):
        model_sandbox.convert_in_sandbox(model(), OWN, timeout_s=0.3)
