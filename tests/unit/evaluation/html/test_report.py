"""The page: one file that needs nothing, with every text escaped, and no number where there is none."""

import itertools
import re
from html.parser import HTMLParser

import msgspec
import pytest
from msgspec.structs import replace

from sartor.estimators.calibration import Propensities
from sartor.estimators.estimator_set import Agreement
from sartor.estimators.interval import Bounds, Interval
from sartor.estimators.leave_one_out import Effect
from sartor.estimators.results_table import Entry
from sartor.estimators.scorecard_view import Standing
from sartor.estimators.series import Moment
from sartor.evaluation.batch import scored
from sartor.evaluation.feature_importance import Importance
from sartor.evaluation.html.page import html
from sartor.evaluation.html.svg import Scale, apart, spanning
from sartor.evaluation.report import Calibration, Course, Report, calibration, report
from sartor.evaluation.result import entries_of
from sartor.evaluation.run import entrants_of, free
from sartor.evaluation.spec import EvaluationSpec, PolicySpec
from sartor.evaluation.time_range import span
from sartor.learn.vw import engine
from tests.unit.evaluation.played import LINEAR, SQUARE, played

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
def made() -> Report:
    loop, logs, _ = played(600)
    policies = (PolicySpec(name=HOSTILE, arguments=SQUARE), PolicySpec(name="linear", arguments=LINEAR))
    spec = EvaluationSpec(name="Two & two", start_us=0, end_us=2**53, policies=policies)
    where = span(logs, start_us=0, end_us=2**53)
    ballot = scored(logs, engine, where, (*free(loop), *entrants_of(spec, loop)))
    weighed = Importance(
        decisions=600,
        arguments=SQUARE,
        features=(Effect(namespace="Context", feature=HOSTILE, effect=0.1, low=0.05, high=0.15),),
        namespaces=(Effect(namespace="Context", feature="", effect=-0.1, low=-0.2, high=-0.05),),
    )
    entries = entries_of(ballot.scored, ballot.summary)
    return report(loop, spec, where, ballot.scored, ballot.summary, entries, weighed)


def test_the_page_needs_nothing_from_anywhere(made: Report) -> None:
    page = html(made)
    reader = read(page)
    assert "script" not in reader.seen
    assert {"link", "img", "iframe", "object", "embed"} & set(reader.seen) == set()
    assert [value for name, value in reader.attributes if name in ("src", "href", "srcset", "xlink:href")] == []
    assert re.findall(r"https?://|url\(|@import", page) == []
    assert "default-src 'none'" in page


def test_it_says_what_the_report_says(made: Report) -> None:
    words = "".join(read(html(made)).words)
    assert made.verdict in words
    assert "600 settled decisions" in words
    for one in made.table:
        assert one.name in words
        assert one.value is not None
        assert f"{one.value:.4f}" in words
    assert made.calibration.sentence in words
    assert "$" not in re.sub(r"\$\{?[a-z]", "$", words), "nothing was left to be filled in"


def test_texts_of_others_are_escaped(made: Report) -> None:
    page = html(replace(made, loop=HOSTILE, name=HOSTILE, verdict=HOSTILE))
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_it_survives_its_json(made: Report) -> None:
    again = msgspec.json.decode(msgspec.json.encode(made), type=Report)
    assert again == made
    assert html(again) == html(made)


def test_where_the_log_can_not_answer_there_is_no_number(made: Report) -> None:
    silent = Entry(
        name="silent",
        source="Custom",
        arguments="",
        slot="",
        events=600,
        answerable=False,
        reasons=("nothing matches",),
    )
    table = tuple(one for one in made.table if one.source == "Online")
    courses = tuple(one for one in made.courses if one.name == "Online")
    words = "".join(read(html(replace(made, table=(*table, silent), courses=courses))).words)
    assert "The log can’t answer this, because nothing matches." in words
    assert "The log can't answer about any policy" in words


def test_importance_that_can_not_be_told_says_why(made: Report) -> None:
    weighed = Importance(decisions=5, arguments="", reasons=("it holds 5 decisions",))
    words = "".join(read(html(replace(made, importance=weighed))).words)
    assert "The log can't answer this, because it holds 5 decisions." in words


def test_probabilities_that_were_not_used_are_an_alarm(made: Report) -> None:
    wrong = Propensities()
    wrong.add([0.1, 0.9] * 1_000, [2 * number for number in range(1_000)])
    found = calibration(wrong)
    assert not found.believable
    assert "Something is wrong with the logged probabilities" in found.sentence
    page = html(replace(made, calibration=found))
    assert 'class="alarm"' in page
    assert 'class="alarm"' not in html(made)


def test_estimators_that_disagree_are_named(made: Report) -> None:
    table = tuple(
        replace(one, agreement=Agreement(first="ips", second="snips", gap=3.0)) if one.name == "linear" else one
        for one in made.table
    )
    assert "disagree about “linear”" in "".join(read(html(replace(made, table=table))).words)


def test_one_moment_makes_no_course(made: Report) -> None:
    moment = Moment(start_us=1, events=5, value=0.5, gaussian=None, anytime=None)
    short = tuple(replace(one, expanding=(moment,), rolling=(moment,)) for one in made.courses)
    assert "In time" in html(made)
    assert "In time" not in html(replace(made, courses=short))


def test_an_empty_report_is_a_page() -> None:
    empty = Report(
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
        moment_us=1_000_000,
        verdict="Nothing.",
        optimal_policy=None,
        table=(),
        courses=(Course(name="Online", expanding=(), rolling=()),),
        calibration=Calibration(sentence="Fine.", believable=True, classes=()),
        importance=Importance(decisions=0, arguments=""),
        best_fixed=Standing(
            policy="Best fixed action", action="a", events=0, value=0.5, interval=Interval(0, 1)
        ),
    )
    assert "Nothing." in "".join(read(html(empty)).words)


def test_scales_have_round_ticks() -> None:
    assert Scale(0.0, 1.0, 0, 100).ticks(5) == pytest.approx([0.0, 0.2, 0.4, 0.6, 0.8, 1.0])
    assert Scale(-0.3, 0.4, 0, 100).ticks(4) == pytest.approx([-0.2, 0.0, 0.2, 0.4])
    assert Scale(5.0, 5.0, 0, 100).ticks() == [5.0]
    assert Scale(0.0, 2.0, 100, 0)(0.5) == 75.0
    assert Scale(0.0, 2.0, 100, 0)(9.0) == 0.0
    assert spanning([], start=0, end=1).low < spanning([], start=0, end=1).high


def test_labels_keep_apart_and_in_order() -> None:
    placed = apart([10.0, 11.0, 12.0, 80.0], 15.0, low=0.0, high=100.0)
    assert placed == sorted(placed)
    assert min(b - a for a, b in itertools.pairwise(placed)) >= 15.0 - 1e-9
    low = apart([99.0, 99.5], 15.0, low=0.0, high=100.0)
    assert low == [85.0, 100.0]
