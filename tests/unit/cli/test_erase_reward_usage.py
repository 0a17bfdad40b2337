"""``sartor erase``, ``reward`` and ``usage``: what they print, do and refuse."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Sartor
from tests.unit.instance import create_trained_folder


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose loop 'default' has learned 40 outcomes; may be changed."""
    folder = create_trained_folder(tmp_path / "data")
    monkeypatch.setenv("SARTOR_DATA", str(folder))
    return folder


def test_erase_writes_a_receipt_that_can_be_checked(sartor: Sartor, own: Path, tmp_path: Path) -> None:
    paper = tmp_path / "receipt.json"
    words = (
        "erase",
        "default",
        "--event-id",
        "event-3",
        "--event-id",
        "open",
        "--yes",
        "--receipt",
        str(paper),
    )
    said = sartor(*words).out
    assert said.startswith("1 decisions of the loop 'default' are erased (receipt ")
    assert "1 are not settled yet" in said
    found = sartor("erase", "default", "--check", str(paper))
    assert found.code == 1
    assert "Still open then" in found.out
    assert json.loads(paper.read_text())["decisions"] == [4]
    paper.write_text(paper.read_text().replace("[4]", "[5]").replace("    4", "    5"))
    forged = sartor("erase", "default", "--check", str(paper))
    assert (forged.code, "not written by this instance" in forged.err) == (1, True)


def test_erase_by_a_feature(sartor: Sartor, own: Path) -> None:
    receipt = sartor("erase", "default", "--where", "device=mobile", "--yes", "--json").json
    assert len(receipt["decisions"]) == 40
    assert sartor("export", "default").out.count("mobile") == 0


def test_erase_needs_confirmation_and_criteria(
    sartor: Sartor, own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert sartor("erase", "default", "--where", "device=mobile").code == 1
    assert sartor("erase", "default", "--yes").code == 1
    assert sartor("erase", "default", "--where", "device", "--yes").code == 1
    assert sartor("export", "default").out.count("mobile") == 40


def test_a_reward_is_replaced_or_retracted(sartor: Sartor, own: Path) -> None:
    assert "is 0.25; it was" in sartor("reward", "default", "event-3", "0.25", "--replace").out
    assert sartor("reward", "default", "event-3", "-0.5", "--replace", "--json").json["after"] == [-0.5]
    done = sartor("reward", "default", "event-3", "--retract", "--json").json
    assert (done["before"], done["after"]) == ([-0.5], [0.0])


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("event-3", "0.5"), 2),
        (("event-3",), 2),
        (("event-3", "--replace"), 2),
        (("event-3", "0.5", "--retract"), 2),
        (("open", "0.5", "--replace"), 1),
        (("no-such-event", "0.5", "--replace"), 1),
        (("event-3", "0.5", "--replace", "--slot", "top"), 1),
    ],
)
def test_a_reward_that_can_not_be_corrected(
    sartor: Sartor, taught: Path, words: tuple[str, ...], code: int
) -> None:
    assert sartor("reward", "default", *words).code == code


def test_usage_as_a_table_json_and_csv(sartor: Sartor, taught: Path) -> None:
    today = datetime.now(UTC).date().isoformat()
    used = sartor("usage", "--json").json
    assert sum(day["ranks"] for day in used) == 41
    assert sum(day["rewards"] for day in used) == 40
    assert {day["loop"] for day in used} == {"default"}
    assert "RANKS" in sartor("usage", "--loop", "default").out
    text = sartor("usage", "--csv", "--from", today, "--to", today).out
    assert text.startswith("loop,day,ranks,rewards\r\n")
    assert sartor("usage", "--from", "2026-02-30").code == 1
    assert sartor("usage", "--loop", "other").code == 1


@pytest.mark.parametrize("day", ["9999-12-31", "0000-01-01", "2026-W01-1", "2026-032", "20260101", "soon"])
def test_a_day_that_is_not_read_is_told_the_range(sartor: Sartor, own: Path, day: str) -> None:
    for words in (
        ("usage", "--from", day, "--to", day),
        ("export", "default", "--from", day),
        ("export", "default", "--to", day),
        ("evaluate", "default", "--from", day),
        ("evaluate", "default", "--to", day),
    ):
        result = sartor(*words)
        assert (result.code, result.out) == (1, "")
        assert "from 0001-01-01 to 9998-12-31" in result.err


@pytest.mark.parametrize("value", ["1.7e308", "-1e51", "nan", "inf", "1e400"])
def test_a_reward_out_of_range_corrects_nothing(sartor: Sartor, own: Path, value: str) -> None:
    result = sartor("reward", "default", "event-7", value, "--replace")
    assert (result.code, result.out) == (1, "")
    assert "between -1e+50 and 1e+50" in result.err
