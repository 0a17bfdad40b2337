"""``sartor import`` and ``sartor export``: what they read, write and print."""

import json
from pathlib import Path

import pytest
from pyarrow import parquet

from tests.unit.cli.conftest import Sartor
from tests.unit.transfer import saved


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A folder with a log of five decisions and a line that is none."""
    folder = tmp_path / "saved" / "20220901000000" / "data" / "2022" / "09"
    folder.mkdir(parents=True)
    (folder / "01_0000000000.json").write_bytes(saved.log(0, 5) + b'[{"checkpoint":1}]\n')
    return tmp_path / "saved"


@pytest.fixture
def home(empty: Path, sartor: Sartor) -> Path:
    """A data folder with a loop 'default'."""
    assert sartor("loop", "create", "default").code == 0
    return empty


def test_an_import_prints_a_summary(sartor: Sartor, home: Path, log: Path) -> None:
    result = sartor("import", "default", "--from", str(log))
    assert (result.code, result.err) == (0, "")
    assert "Read 6 lines of 1 files. Decisions imported: 5 single-slot." in result.out
    assert "skipped 1 (checkpoint): a record of offsets, not of a decision" in result.out
    assert "Learned 5 outcomes" in result.out
    assert "Healthy." in sartor("doctor", "--replay").out


def test_an_import_prints_its_summary_as_json(sartor: Sartor, home: Path, log: Path) -> None:
    for taken, repeated in ((5, 0), (0, 5)):
        moved = sartor("import", "default", "--from", str(log), "--json").json
        assert sum(moved["logs"]["taken"].values()) == taken
        assert moved["logs"]["skipped"].get("repeated", {"lines": 0})["lines"] == repeated
    assert moved["loop"] == "default"


def test_a_log_without_probabilities_is_rejected_with_a_reason(
    sartor: Sartor, home: Path, tmp_path: Path
) -> None:
    (tmp_path / "log").write_bytes(saved.log(0, 2).replace(b'"p":', b'"q":'))
    result = sartor("import", "default", "--from", str(tmp_path / "log"))
    assert result.code == 1
    assert "Decisions imported: none." in result.out
    assert "skipped 2 (no probabilities): it has no p" in result.out


def test_a_dry_run_says_so(sartor: Sartor, home: Path, log: Path) -> None:
    result = sartor("import", "default", "--from", str(log), "--dry-run")
    assert result.code == 0
    assert result.out.startswith("This is a dry run: nothing is written.")
    assert sartor("export", "default").out == ""


def test_settings_and_policy_are_imported(sartor: Sartor, home: Path, tmp_path: Path) -> None:
    (tmp_path / "policy").write_text('{"name":"mine","arguments":"--cb_explore_adf -q ::"}')
    (tmp_path / "config").write_text('{"rewardWaitTime":"PT1H","logMirrorEnabled":true}')
    flags = ("--policy", str(tmp_path / "policy"), "--config", str(tmp_path / "config"))
    result = sartor("import", "default", *flags)
    assert result.code == 0
    assert "Settings: rewardWaitTime." in result.out
    assert "left out logMirrorEnabled" in result.out
    shown = sartor("loop", "show", "default", "--json").json
    assert shown["policy"] == {"name": "mine", "arguments": "--cb_explore_adf -q ::"}
    assert shown["settings"]["rewardWaitTime"] == "PT3600S"


@pytest.mark.parametrize(
    ("flags", "code", "said"),
    [
        pytest.param((), 2, "Specify --from", id="nothing to import"),
        pytest.param(("--from", "/nowhere"), 1, "There is nothing at /nowhere", id="no such folder"),
        pytest.param(("--policy", "/nowhere"), 1, "There is nothing at /nowhere", id="no such file"),
    ],
)
def test_a_wrong_import_is_an_error(
    sartor: Sartor, home: Path, flags: tuple[str, ...], code: int, said: str
) -> None:
    result = sartor("import", "default", *flags)
    assert result.code == code
    assert said in result.err


def test_the_log_of_a_loop_moves_to_another_byte_for_byte(sartor: Sartor, taught: Path, tmp_path: Path) -> None:
    log = tmp_path / "log.dsjson"
    assert sartor("export", "default", "--output", str(log)).code == 0
    loop_id = sartor("loop", "show", "default", "--json").json["loopId"]
    other = ("--data", str(tmp_path / "other"))
    assert sartor("loop", "create", "default", "--id", loop_id, *other).code == 0
    assert sartor("import", "default", "--from", str(log), *other).code == 0
    assert sartor("export", "default", *other).out.encode() == log.read_bytes()
    assert sartor("loop", "show", "default", "--json", *other).json["loopId"] == loop_id


def test_an_id_is_used_once(sartor: Sartor, home: Path) -> None:
    loop_id = sartor("loop", "show", "default", "--json").json["loopId"]
    result = sartor("loop", "create", "another", "--id", loop_id)
    assert (result.code, result.err) == (1, f"sartor: The loop 'default' has the id '{loop_id}'.\n")
    assert sartor("loop", "create", "another", "--id", "../up").code == 1


def test_tables_are_written_to_files(sartor: Sartor, taught: Path, tmp_path: Path) -> None:
    printed = sartor("export", "default", "--format", "csv").out
    assert printed.splitlines()[0].startswith("outcome,decision,event_id,")
    assert len(printed.splitlines()) == 41
    file = tmp_path / "log.parquet"
    assert sartor("export", "default", "--format", "parquet", "-o", str(file)).code == 0
    assert parquet.read_table(file).num_rows == 40


def test_a_time_range_is_selected(sartor: Sartor, taught: Path) -> None:
    lines = sartor("export", "default").out.splitlines()
    times = [json.loads(line)["Timestamp"] for line in lines]
    later = sartor("export", "default", "--from", times[30]).out.splitlines()
    assert later == [line for line, time in zip(lines, times, strict=True) if time >= times[30]]
    earlier = sartor("export", "default", "--to", times[30]).out.splitlines()
    assert sorted(earlier + later) == sorted(lines)
    assert sartor("export", "default", "--to", "2020-01-01").out == ""
    assert "is not a time" in sartor("export", "default", "--from", "soon").err


def test_a_mirror_is_shown(sartor: Sartor, home: Path, tmp_path: Path) -> None:
    assert sartor("loop", "show", "default", "--json").json["mirror"] is None
    sartor("loop", "set", "default", "logMirrorEnabled=true", f"logMirrorSasUri={tmp_path}/there")
    assert f"{tmp_path}/there: 0 of 0 outcomes" in sartor("loop", "show", "default").out
    assert sartor("loop", "show", "default", "--json").json["mirror"]["last"] == 0
