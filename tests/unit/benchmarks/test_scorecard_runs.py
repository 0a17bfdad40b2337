"""The measurement of the scorecard: one short run, its table, and the part of the page that it replaces."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from benchmarks.scorecard import table
from benchmarks.scorecard.play import ScorecardRun, play
from sartor.settings import DEFAULT_ARGUMENTS


@pytest.fixture(scope="module")
def run() -> ScorecardRun:
    return play("tutorial", DEFAULT_ARGUMENTS, seed=1, decisions=300, control=0.1, floor=0.1)


def test_a_run_says_how_precise_it_is_and_what_it_cost(run: ScorecardRun) -> None:
    assert 0 < run.random < run.baseline < 0.5
    assert 0 < run.cost < 0.2
    assert 0 < run.share < 1
    assert run.left == ()


def test_runs_that_fall_short_are_named(run: ScorecardRun) -> None:
    precise = replace(run, world="precise", baseline=0.01, random=0.02)
    written = table.format_table([run, precise], command="measure")
    assert "Beyond 0.05: 1 of 2 runs, in `tutorial`." in written
    assert "0 of 10 intervals" in written
    assert "Every run tells" in table.format_table([precise], command="measure")


def test_only_the_measured_part_of_the_page_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "page.md"
    text = table.PAGE.read_text()
    page.write_text(text)
    monkeypatch.setattr(table, "PAGE", page)
    table.write_page("NEW")
    before, _, rest = text.partition("<!-- measured: begin -->")
    after = rest.partition("<!-- measured: end -->")[2]
    assert page.read_text() == (f"{before}<!-- measured: begin -->\n\nNEW\n\n<!-- measured: end -->{after}")
    assert before
    assert after
