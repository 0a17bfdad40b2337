"""The coverage figure was measured: its page adds up, names a commit of ours, and is what the README says."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.docs.coverage_page import PAGE, Counts, measured_commit, page, parts, total
from tests.docs.pages import ROOT

TEXT = PAGE.read_text()
_NUMBER = r"([\d,]+) \| "
ROW = re.compile(rf"^\| `?([\w()/]+)`? \| {_NUMBER * 4}([\d.]+) % \|$", re.MULTILINE)


def rows() -> dict[str, tuple[Counts, str]]:
    """The counts of each line of the page, and the figure behind them."""
    found = {}
    for name, *numbers, share in ROW.findall(TEXT):
        found[name] = (Counts(*(int(number.replace(",", "")) for number in numbers)), share)
    return found


def test_each_line_adds_up() -> None:
    assert len(rows()) > 10
    for counts, share in rows().values():
        assert share == f"{counts.share:.1f}"
        assert counts.run <= counts.statements
        assert counts.taken <= counts.branches


def test_the_last_line_is_the_sum_of_the_others() -> None:
    *rooms, last = rows().values()
    assert total({str(place): counts for place, (counts, _) in enumerate(rooms)}) == last[0]


def test_the_figure_is_that_of_the_last_line_wherever_it_is_said() -> None:
    share = f"{rows()['all'][1]} %"
    assert f"**{share}**" in TEXT
    readme = " ".join((ROOT / "README.md").read_text().split())
    measured = re.search(r"Measured on (\S+) for commit (`\w+`)", TEXT)
    assert measured
    said = f"[{share}](docs/coverage.md) of all statements and branches, measured on {measured[1]} for commit"
    assert f"{said} {measured[2]}" in readme


def test_the_commit_is_one_of_this_history() -> None:
    found = re.search(r"Measured on \d{4}-\d\d-\d\d for commit `([0-9a-f]{7,})`", TEXT)
    assert found
    assert git("cat-file", "-t", found[1]) == "commit" or git("rev-parse", "--is-shallow-repository") == "true"


def git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def file(*numbers: int) -> object:
    names = ("num_statements", "covered_lines", "num_branches", "covered_branches")
    return {"summary": dict(zip(names, numbers, strict=True))}


def test_a_page_is_made_of_a_report() -> None:
    report = {
        "files": {
            "src/sartor/errors.py": file(10, 10, 0, 0),
            "src/sartor/log/settle.py": file(1000, 900, 100, 90),
            "src/sartor/log/deep/deeper.py": file(100, 0, 100, 10),
        }
    }
    assert parts(report) == {"(ground)": Counts(10, 10, 0, 0), "log/": Counts(1100, 900, 200, 100)}
    made = page(report, commit="abcdef0", day="2026-03-01")
    assert "Measured on 2026-03-01 for commit `abcdef0`" in made
    assert "| `log/` | 1,100 | 900 | 200 | 100 | 76.9 % |" in made
    assert "| all | 1,110 | 910 | 200 | 100 | 77.1 % |" in made


def test_a_state_that_is_in_no_commit_gets_no_page(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    planted = tmp_path / "src" / "planted.py"
    planted.parent.mkdir()
    planted.touch()
    with pytest.raises(SystemExit, match="Commit, then measure"):
        measured_commit(tmp_path)
