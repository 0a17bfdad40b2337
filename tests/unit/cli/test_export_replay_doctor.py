"""``sartor export``, ``replay`` and ``doctor`` on a folder that has learned."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from tests.unit.cli.conftest import Sartor


def test_the_joined_log_is_in_the_order_of_learning(sartor: Sartor, taught: Path) -> None:
    lines = sartor("export", "default", "--format", "dsjson").out.splitlines()
    assert [json.loads(line)["EventId"] for line in lines] == [f"event-{number}" for number in range(40)]
    assert all(line.startswith('{"_label_cost":') for line in lines)


def test_open_decisions_are_added_and_marked(sartor: Sartor, taught: Path) -> None:
    lines = [json.loads(line) for line in sartor("export", "default", "--pending").out.splitlines()]
    assert [line["EventId"] for line in lines if line.get("_pending")] == ["open"]
    assert lines[-1]["EventId"] == "open"


def test_the_log_goes_into_a_file(sartor: Sartor, taught: Path, tmp_path: Path) -> None:
    printed = sartor("export", "default").out
    result = sartor("export", "default", "--output", str(tmp_path / "log.dsjson"))
    assert (result.code, result.out) == (0, "")
    assert (tmp_path / "log.dsjson").read_text() == printed


def test_a_file_that_can_not_be_written_is_an_error(sartor: Sartor, taught: Path, tmp_path: Path) -> None:
    result = sartor("export", "default", "--output", str(tmp_path / "nowhere" / "log"))
    assert result.code == 1
    assert result.err.startswith("sartor: The log can't be written")


def test_a_closed_pipe_is_no_error(taught: Path) -> None:
    export = subprocess.Popen(
        [sys.executable, "-m", "sartor", "export", "default", "--data", str(taught)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert export.stdout is not None
    assert export.stderr is not None
    export.stdout.close()
    with export.stderr as stderr:
        assert stderr.read() == b""
    assert export.wait(30) == 0


def test_a_decision_is_replayed_bit_for_bit(sartor: Sartor, taught: Path) -> None:
    for event_id, source in (("event-3", "none"), ("event-30", "stored"), ("open", "stored")):
        result = sartor("replay", event_id, "--json")
        assert result.code == 0
        assert result.json["same"] is True
        assert result.json["modelFrom"] == source
    assert "the same, bit for bit" in sartor("replay", "event-30").out


def test_a_consistent_folder_is_healthy(sartor: Sartor, taught: Path) -> None:
    result = sartor("doctor", "--replay", "--json")
    assert result.code == 0
    assert result.json["healthy"] is True
    (loop,) = result.json["loops"]
    assert loop["problems"] == []
    assert loop["compared"] == 41
    assert "Healthy." in sartor("doctor").out


def test_a_missing_model_file_is_reported(sartor: Sartor, taught: Path, tmp_path: Path) -> None:
    shutil.copytree(taught, tmp_path / "broken")
    for model in (tmp_path / "broken" / "loops" / "default" / "models").iterdir():
        model.write_bytes(b"not a model")
    result = sartor("doctor", "--data", str(tmp_path / "broken"))
    assert result.code == 1
    assert "PROBLEM: Model" in result.out
    assert "Not healthy." in result.out


def test_the_version_is_printed(sartor: Sartor) -> None:
    assert sartor("version", "--json").json["version"] in sartor("version").out
