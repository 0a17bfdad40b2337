"""The page: one file that needs nothing, with every text escaped, and no number where there is none."""

import itertools
import re
from html.parser import HTMLParser

import msgspec
import pytest
from msgspec.structs import replace

from sartor.estimators.calibration import PropensityCalibration
from sartor.estimators.estimator_set import Disagreement
from sartor.estimators.interval import Bounds, Interval
from sartor.estimators.leave_one_out import Effect
from sartor.estimators.results_table import ResultRow
from sartor.estimators.scorecard_view import PolicyEstimate
from sartor.estimators.shapley import FeatureShares
from sartor.estimators.time_series import SeriesPoint
from sartor.evaluation.batch import score_candidates
from sartor.evaluation.feature_importance import ImportanceMeasurement
from sartor.evaluation.html.charts import draw_time_chart
from sartor.evaluation.html.page import render_report
from sartor.evaluation.html.svg import Scale, scale_over, spread_apart
from sartor.evaluation.report import (
    CalibrationSummary,
    EstimateSeries,
    EvaluationReport,
    build_report,
    list_leads,
    summarise_calibration,
)
from sartor.evaluation.result import make_result_rows
from sartor.evaluation.run import list_candidates, reference_candidates
from sartor.evaluation.spec import EvaluationSpec, PolicySpec
from sartor.evaluation.time_range import find_outcome_range
from sartor.learn.vw import create_engine
from tests.unit.evaluation.small_logs import LINEAR, SQUARE, make_small_log

HOSTILE = "<script>alert(\"x\")</script> & 'quoted'"


class Reader(HTMLParser):
    """Checks that tags are closed in order, and collects what is there."""

    VOID = frozenset({"meta", "br", "line", "circle", "rect", "path"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.words: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.attributes += attrs
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    assert [tag for tag in reader.open if tag != "p"] == []
    return reader


@pytest.fixture(scope="module")
def made() -> EvaluationReport:
    loop, logs, _ = make_small_log(600)
    policies = (PolicySpec(name=HOSTILE, arguments=SQUARE), PolicySpec(name="linear", arguments=LINEAR))
    spec = EvaluationSpec(name="Two & two", start_us=0, end_us=2**53, policies=policies)
    where = find_outcome_range(logs, start_us=0, end_us=2**53)
    batch_result = score_candidates(
        logs, create_engine, where, (*reference_candidates(loop), *list_candidates(spec, loop))
    )
    measured = ImportanceMeasurement(
        decisions=600,
        arguments=SQUARE,
        features=(Effect(namespace="Context", feature=HOSTILE, effect=0.1, low=0.05, high=0.15),),
        namespaces=(Effect(namespace="Context", feature="", effect=-0.1, low=-0.2, high=-0.05),),
    )
    entries = make_result_rows(batch_result.scores, batch_result.summary)
    return build_report(loop, spec, where, batch_result.scores, batch_result.summary, entries, measured)


def test_the_page_needs_nothing_from_anywhere(made: EvaluationReport) -> None:
    page = render_report(made)
    reader = read(page)
    assert "script" not in reader.seen
    assert {"link", "img", "iframe", "object", "embed"} & set(reader.seen) == set()
    assert [value for name, value in reader.attributes if name in ("src", "href", "srcset", "xlink:href")] == []
    assert re.findall(r"https?://|url\(|@import", page) == []
    assert "default-src 'none'" in page


def test_it_says_what_the_report_says(made: EvaluationReport) -> None:
    words = "".join(read(render_report(made)).words)
    assert made.verdict in words
    leads = list_leads(made)
    assert "your default order" in leads[0]
    assert "".join(leads) in words.replace("\n", "")
    assert "600 settled decisions" in words
    for one in made.table:
        assert one.name in words
        assert one.value is not None
        assert f"{one.value:.4f}" in words
    assert made.calibration.sentence in words
    assert "$" not in re.sub(r"\$\{?[a-z]", "$", words), "nothing was left to be filled in"


def test_texts_of_others_are_escaped(made: EvaluationReport) -> None:
    page = render_report(replace(made, loop=HOSTILE, name=HOSTILE, verdict=HOSTILE))
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_it_survives_its_json(made: EvaluationReport) -> None:
    again = msgspec.json.decode(msgspec.json.encode(made), type=EvaluationReport)
    assert again == made
    assert render_report(again) == render_report(made)


def test_stored_reports_keep_their_names(made: EvaluationReport) -> None:
    stored = msgspec.to_builtins(made)
    assert {"momentUs", "courses", "bestFixed"} <= stored.keys()
    assert "classes" in stored["calibration"]
    assert "left" in stored["importance"]
    assert {"health", "agreement", "gainInterval"} <= stored["table"][-1].keys()


def test_where_the_log_can_not_answer_there_is_no_number(made: EvaluationReport) -> None:
    silent = ResultRow(
        name="silent",
        source="Custom",
        arguments="",
        slot="",
        events=600,
        answerable=False,
        reasons=("nothing matches",),
    )
    table = tuple(one for one in made.table if one.source == "Online")
    series = tuple(one for one in made.series if one.name == "Online")
    words = "".join(read(render_report(replace(made, table=(*table, silent), series=series))).words)
    assert "The log can’t answer this, because nothing matches." in words
    assert "The log can't answer about any policy" in words


def test_importance_that_can_not_be_measured_says_why(made: EvaluationReport) -> None:
    measured = ImportanceMeasurement(decisions=5, arguments="", reasons=("it holds 5 decisions",))
    words = "".join(read(render_report(replace(made, importance=measured))).words)
    assert "The log can't answer this, because it holds 5 decisions." in words


def test_shares_are_shown_before_what_leaving_out_costs(made: EvaluationReport) -> None:
    shares = FeatureShares(
        value=0.1234,
        low=0.1,
        high=0.15,
        orders=6,
        variants=60,
        shares=(
            Effect(namespace="Action", feature="id", effect=0.1, low=0.08, high=0.12),
            Effect(namespace="Context", feature="", effect=0.02, low=0.0, high=0.04),
            Effect(namespace="", feature="", effect=0.0034, low=-0.01, high=0.02),
        ),
    )
    words = "".join(
        read(render_report(replace(made, importance=replace(made.importance, shares=shares)))).words
    )
    assert "All features together are worth +0.1234 reward per decision (+0.1000 to +0.1500)" in words
    assert "Drawn from 6 orders" in words
    for name in ("Action.id", "Context (all)", "all others"):
        assert words.index(name) < words.index("Left out:")


def test_reports_of_older_versions_have_no_shares(made: EvaluationReport) -> None:
    assert made.importance.shares is None
    words = "".join(read(render_report(made)).words)
    assert "All features together" not in words
    assert "Left out:" in words


def test_probabilities_that_were_not_used_are_a_warning(made: EvaluationReport) -> None:
    wrong = PropensityCalibration()
    wrong.add([0.1, 0.9] * 1_000, [2 * number for number in range(1_000)])
    found = summarise_calibration(wrong)
    assert not found.believable
    assert "Something is wrong with the logged probabilities" in found.sentence
    page = render_report(replace(made, calibration=found))
    assert 'class="warning"' in page
    assert 'class="warning"' not in render_report(made)


def test_estimators_that_disagree_are_named(made: EvaluationReport) -> None:
    table = tuple(
        replace(one, disagreement=Disagreement(first="ips", second="snips", gap=3.0))
        if one.name == "linear"
        else one
        for one in made.table
    )
    assert "disagree about “linear”" in "".join(read(render_report(replace(made, table=table))).words)


def test_one_point_makes_no_chart(made: EvaluationReport) -> None:
    point = SeriesPoint(start_us=1, events=5, value=0.5, gaussian=None, anytime=None)
    short = tuple(replace(one, expanding=(point,), rolling=(point,)) for one in made.series)
    assert "Over time" in render_report(made)
    assert "Over time" not in render_report(replace(made, series=short))


def test_lines_have_gaps_beyond_the_scale() -> None:
    values = [0.5, 9.0, 9.0, *(0.5 + 0.001 * number for number in range(21))]
    points = [
        SeriesPoint(start_us=at_us, events=1, value=value, gaussian=None, anytime=None)
        for at_us, value in enumerate(values)
    ]
    chart = draw_time_chart({"p": points}, {"p": "#000000"}, banded=(), label="values")
    lines = [line.split("L") for line in re.findall(r'<path d="M([^"]*)" class="series"', chart)]
    assert [len(line) for line in lines] == [1, 21]
    heights = [float(point.split(",")[1]) for line in lines for point in line]
    assert min(heights) > 12, "nothing is drawn along the upper edge"


def test_learning_settings_break_between_options(made: EvaluationReport) -> None:
    assert "<span>--cb_type mtr</span> <span>-q ::</span>" in render_report(made)


def test_an_empty_report_is_a_page() -> None:
    empty = EvaluationReport(
        loop="loop",
        name="name",
        start_us=0,
        end_us=1,
        first_us=0,
        last_us=0,
        decisions=0,
        first_outcome=1,
        last_outcome=0,
        revision=0,
        rewards=Bounds(),
        bin_us=1_000_000,
        verdict="Nothing.",
        optimal_policy=None,
        table=(),
        series=(EstimateSeries(name="Online", expanding=(), rolling=()),),
        calibration=CalibrationSummary(sentence="Fine.", believable=True, bins=()),
        importance=ImportanceMeasurement(decisions=0, arguments=""),
        best_fixed=PolicyEstimate(
            policy="Best fixed action", action="a", events=0, value=0.5, interval=Interval(0, 1)
        ),
    )
    assert "Nothing." in "".join(read(render_report(empty)).words)


def test_scales_have_round_ticks() -> None:
    assert Scale(0.0, 1.0, 0, 100).ticks(5) == pytest.approx([0.0, 0.2, 0.4, 0.6, 0.8, 1.0])
    assert Scale(-0.3, 0.4, 0, 100).ticks(4) == pytest.approx([-0.2, 0.0, 0.2, 0.4])
    assert Scale(5.0, 5.0, 0, 100).ticks() == [5.0]
    assert Scale(0.0, 2.0, 100, 0)(0.5) == 75.0
    assert Scale(0.0, 2.0, 100, 0)(9.0) == 0.0
    assert scale_over([], start=0, end=1).low < scale_over([], start=0, end=1).high


def test_labels_keep_apart_and_in_order() -> None:
    placed = spread_apart([10.0, 11.0, 12.0, 80.0], 15.0, low=0.0, high=100.0)
    assert placed == sorted(placed)
    assert min(b - a for a, b in itertools.pairwise(placed)) >= 15.0 - 1e-9
    low = spread_apart([99.0, 99.5], 15.0, low=0.0, high=100.0)
    assert low == [85.0, 100.0]
