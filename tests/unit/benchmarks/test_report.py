"""The table of a benchmark says honestly what was reached."""

import pytest

from benchmarks import report
from benchmarks.report import Row


@pytest.mark.parametrize(
    ("value", "at_least", "at_most", "met"),
    [
        pytest.param(0.5, 0.5, None, True, id="just enough"),
        pytest.param(0.49, 0.5, None, False, id="too little"),
        pytest.param(5.0, None, 5.0, True, id="just within"),
        pytest.param(5.1, None, 5.0, False, id="too much"),
        pytest.param(None, 0.5, None, False, id="not measured"),
        pytest.param(7.0, None, None, None, id="without a target"),
    ],
)
def test_a_row_knows_whether_it_met_its_target(
    value: float | None, at_least: float | None, at_most: float | None, met: bool | None
) -> None:
    row = Row(what="speed", value=value, text="", at_least=at_least, at_most=at_most)
    assert row.met is met


def test_the_page_holds_every_row_and_what_falls_short() -> None:
    rows = [
        Row(what="speed", value=0.4, text="0.40", at_least=0.5, goal="≥ 0.50", note="With a stopwatch."),
        Row(what="size", value=12.0, text="12 MiB"),
    ]
    page = report.format_page(rows, {"cores": "2"}, day="2026-03-01")
    assert "| speed | 0.40     | ≥ 0.50 | **falls short** |" in page
    assert "| size | 12 MiB |" in page
    assert "- **speed**: With a stopwatch." in page
    assert "Measured on 2026-03-01: cores 2." in page
