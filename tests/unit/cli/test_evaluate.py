"""``sartor score``, ``evaluate`` and ``apply`` on a folder where no service runs."""

import json
from pathlib import Path

import pytest

from sartor.evaluation.spec import EvaluationSpec, encode_job
from sartor.management import loops
from sartor.records import Job
from sartor.stores.stores import open_stores
from sartor.testing.builders import make_loop
from sartor.testing.fakes import Clock
from tests.unit.cli.conftest import Sartor
from tests.unit.evaluation.small_logs import LINEAR, SQUARE, fill

PNG = b"\x89PNG\r\n"


@pytest.fixture
def played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose loop 'default' has 300 settled decisions."""
    folder, clock = tmp_path / "data", Clock()
    stores = open_stores(folder, clock_us=clock)
    stores.catalog.create(make_loop(arguments=SQUARE))
    loop = loops.find_loop(stores, "default")
    with loops.open_loop(stores, loop) as logs:
        fill(logs, loop, clock, turns=300)
    stores.close()
    monkeypatch.setenv("SARTOR_DATA", str(folder))
    return folder


@pytest.mark.usefixtures("played")
def test_score_shows_the_loop_and_the_reference_policies(sartor: Sartor, tmp_path: Path) -> None:
    plain = sartor("score", "default", "--plot", str(tmp_path / "score.png"))
    assert plain.code == 0
    for word in ("Online", "Baseline", "Random", "Best fixed action", "TOTAL", "300 settled decisions"):
        assert word in plain.out
    assert (tmp_path / "score.png").read_bytes().startswith(PNG)
    found = sartor("score", "default", "--json").json
    assert plain.out.startswith(found["lift"]["sentence"])
    assert "your default order" in found["lift"]["sentence"]
    assert found["exploration"]["sentence"] in plain.out
    assert found["events"] == 300
    assert set(found["windows"]) == {"PT5M", "PT1H", "PT6H", "P1D"}
    assert [one["policy"] for one in found["total"]][:3] == ["Online", "Baseline", "Random"]


def test_score_of_a_new_loop_says_so(sartor: Sartor, empty: Path, tmp_path: Path) -> None:
    assert sartor("loop", "create", "fresh").code == 0
    plain = sartor("score", "fresh", "--plot", str(tmp_path / "score.png"))
    assert (plain.code, "no settled decisions yet" in plain.out) == (0, True)
    assert (tmp_path / "score.png").read_bytes().startswith(PNG)


@pytest.mark.usefixtures("played")
def test_evaluate_computes_shows_lists_and_applies(sartor: Sartor, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    asked = sartor(
        "evaluate",
        "default",
        "--policy",
        f"line={LINEAR}",
        "--id",
        "one",
        "--name",
        "A try",
        "--report",
        str(page),
    )
    assert asked.code == 0, asked.err
    assert "line" in asked.out
    assert "300 settled decisions" in asked.out
    assert page.read_text().startswith("<!doctype html>")

    shown = sartor("evaluate", "default", "--show", "one", "--json").json
    assert (shown["id"], shown["status"], shown["report"]["name"]) == ("one", "succeeded", "A try")
    assert [one["name"] for one in shown["report"]["table"]] == ["Online", "Baseline", "Random", "line"]

    listed = sartor("evaluate", "default", "--list", "--json").json
    assert [(one["id"], one["name"], one["status"]) for one in listed] == [("one", "A try", "succeeded")]
    assert "A try" in sartor("evaluate", "default", "--list").out

    again = sartor("evaluate", "default", "--id", "one")
    assert again.code == 1

    applied = sartor("apply", "default", "one", "line", "--json")
    assert (applied.code, applied.json["policy"]) == (0, "line")
    assert "squarecb" not in sartor("loop", "policy", "default", "--json").out
    unknown = sartor("apply", "default", "one", "nobody")
    assert unknown.code == 1
    assert "nobody" in unknown.err


@pytest.mark.usefixtures("played")
def test_an_evaluation_can_be_left_to_the_service(sartor: Sartor) -> None:
    asked = sartor("evaluate", "default", "--no-wait", "--id", "later", "--json")
    assert asked.code == 0
    assert asked.json == {"id": "later", "status": "pending", "progress": 0.0}
    early = sartor("evaluate", "default", "--show", "later", "--no-wait", "--report", "x.html")
    assert (early.code, "is pending" in early.err) == (1, True)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        pytest.param(["--policy", "nameless"], "not NAME=ARGUMENTS", id="a policy without a name"),
        pytest.param(
            ["--policy", "x=--cb_explore_adf --nonsense 3"], "nonsense", id="settings that don't exist"
        ),
        pytest.param(["--from", "2030-01-01"], "no decision", id="a time without decisions"),
        pytest.param(
            ["--from", "2023-01-02", "--to", "2023-01-01"], "before the end", id="a time that runs back"
        ),
        pytest.param(["--show", "nobody"], "nobody", id="an evaluation that there is not"),
    ],
)
@pytest.mark.usefixtures("played")
def test_what_can_not_be_evaluated_is_refused(sartor: Sartor, words: list[str], complaint: str) -> None:
    found = sartor("evaluate", "default", *words)
    assert found.code in (1, 2)
    assert complaint in " ".join(found.err.split())


def test_an_evaluation_that_failed_says_why(sartor: Sartor, played: Path) -> None:
    stores = open_stores(played)
    with loops.open_loop(stores, loops.find_loop(stores, "default")) as logs:
        spec = encode_job(EvaluationSpec(name="e", start_us=0, end_us=1))
        logs.jobs.put(Job(job_id="evaluation/empty", kind="evaluation", spec=spec, created_at_us=1))
    stores.close()
    found = sartor("evaluate", "default", "--show", "empty")
    assert (found.code, found.out) == (1, "")
    assert "empty is failed: There is no decision in this range of time." in found.err


def test_json_is_what_programs_read(sartor: Sartor, played: Path) -> None:
    out = sartor("evaluate", "default", "--json", "--from", "2023-11-14", "--to", "2023-11-16T12:00:00").out
    assert json.loads(out)["report"]["decisions"] == 300


@pytest.mark.usefixtures("played")
def test_no_more_wait_than_may_and_the_list_says_how_many_come_before(sartor: Sartor) -> None:
    bounded = ("evaluate", "default", "--no-wait", "--waiting-jobs", "2")
    for name in ("one", "two"):
        assert sartor(*bounded, "--id", name).code == 0
    refused = sartor(*bounded, "--id", "three")
    assert refused.code == 1
    assert "2 evaluations and feature importances of this loop are waiting" in refused.err
    listed = sartor("evaluate", "default", "--list", "--json").json
    assert [(one["id"], one["status"], one["description"]) for one in listed] == [
        ("one", "pending", "0 of this loop before it"),
        ("two", "pending", "1 of this loop before it"),
    ]
