"""Taking in a model in a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sartor.errors import InvalidModel
from sartor.learn.model_file import strip_checksum
from sartor.learn.vw import create_engine
from sartor.management import model_sandbox
from tests.unit.learn.forged_models import FILE_OPTIONS, forge

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


@pytest.mark.parametrize("option", FILE_OPTIONS)
def test_no_file_appears_for_an_option_that_names_one(
    option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    made = create_engine(OWN)
    forged = strip_checksum(forge(made.dump(), f"--{option} {tmp_path / 'absolute'} --{option} relative"))
    made.close()
    with pytest.raises(InvalidModel, match="not accepted"):
        model_sandbox.convert_in_sandbox(forged, OWN)
    assert not list(tmp_path.iterdir())


_WITHOUT_THE_CHECK = """
import sys
from pathlib import Path
from sartor.learn import model_import, vw
from sartor.management import model_sandbox
vw.read_header = model_import.check_fit = lambda *_: None
model_sandbox._limit_resources(Path(sys.argv[2]))
model_sandbox._convert(Path(sys.argv[3]).read_bytes(), sys.argv[1])
"""

_CAN_CONFINE = (
    "import sys; from sartor.management.confinement import confine_writes as c; print(c(sys.argv[1]))"
)


def can_confine(folder: Path) -> bool:
    command = [sys.executable, "-c", _CAN_CONFINE, str(folder)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout == "True\n"


@pytest.mark.parametrize("option", ["final_regressor", "predictions", "raw_predictions"])
def test_without_the_check_the_child_still_writes_nowhere_else(option: str, tmp_path: Path) -> None:
    if not can_confine(tmp_path):
        pytest.skip("this kernel has no Landlock")
    inside, outside, source = tmp_path / "inside", tmp_path / "outside", tmp_path / "source"
    inside.mkdir()
    outside.mkdir()
    made = create_engine(OWN)
    source.write_bytes(strip_checksum(forge(made.dump(), f"--{option} {outside / 'written'}")))
    made.close()
    command = [sys.executable, "-c", _WITHOUT_THE_CHECK, OWN, str(inside), str(source)]
    env = {**os.environ, "TMPDIR": str(inside)}
    subprocess.run(command, check=False, cwd=inside, env=env, timeout=60)
    assert not list(outside.iterdir())


def test_the_child_gets_no_secret_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SARTOR_SECRET_KEY", "a secret of the service")
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setattr("tempfile.tempdir", None)
    (tmp_path / "temporary").mkdir()
    fake = tmp_path / "python"
    said = tmp_path / "said"
    fake.write_text(
        f"#!{sys.executable}\nimport json, os, pathlib\n"
        f"pathlib.Path({str(said)!r}).write_text(json.dumps([dict(os.environ), os.getcwd(), os.listdir()]))\n"
    )
    fake.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(fake))
    with pytest.raises(InvalidModel):
        model_sandbox.convert_in_sandbox(model(), OWN)
    environment, folder, entries = json.loads(said.read_text())
    assert "SARTOR_SECRET_KEY" not in environment
    assert folder.startswith(str(tmp_path / "temporary"))
    assert entries == []
    assert not list((tmp_path / "temporary").iterdir())


def test_a_confined_process_starts_no_program_and_calls_nobody(tmp_path: Path) -> None:
    if not can_confine(tmp_path):
        pytest.skip("this kernel has no Landlock")
    program = f"""
import socket, subprocess
from sartor.management.confinement import confine_writes
confine_writes({str(tmp_path)!r})
open({str(tmp_path / "inside")!r}, "w").close()
for attempt in (
    lambda: open({str(tmp_path.parent / "outside")!r}, "w"),
    lambda: open({__file__!r}, "a"),
    lambda: subprocess.run(["/bin/true"]),
):
    try:
        attempt()
    except PermissionError:
        continue
    raise SystemExit("it was let")
"""
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=60).returncode == 0
    assert (tmp_path / "inside").exists()
