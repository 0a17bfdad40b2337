"""Feature importances on the wire (contract, section 1.7)."""

from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from sartor.api.routing.versions import PREVIEW_3, V2022_09
from sartor.evaluation.spec import FEATURE_IMPORTANCE, ImportanceResult, ImportanceScore, encode_job
from tests.wire.harness import Reply
from tests.wire.taught import Taught
from tests.wire.test_versions import at

CONTRACT = {"name": "spring", "startTime": "2020-01-01T00:00:00Z", "endTime": "2100-01-01T00:00:00Z"}


@pytest.fixture
def taught() -> Iterator[Taught]:
    made = Taught()
    yield made
    made.close()


def call(service: Taught, method: str, name: str = "", body: object = b"", *, query: str = "") -> Reply:
    path = "/featureImportances" + (f"/{name}" if name else "")
    return service.call(method, at(V2022_09, path) + query, body)


def score(namespace: str, feature: str, value: float) -> ImportanceScore:
    return ImportanceScore(namespace=namespace, feature=feature, score=value, low=0.0, high=1.0)


def test_a_feature_importance_is_asked_for_under_a_name(taught: Taught) -> None:
    reply = call(taught, "PUT", "one", CONTRACT)
    assert (reply.status, reply.body) == (200, b"")
    returned = call(taught, "GET", "one").json()
    assert str(returned.pop("creationTime")).startswith("20")
    assert returned == {
        "id": "one",
        "name": "spring",
        "startTime": "2020-01-01T00:00:00+00:00",
        "endTime": "2100-01-01T00:00:00+00:00",
        "status": "NotSubmitted",
    }
    again = call(taught, "PUT", "one", CONTRACT)
    assert (again.status, again.code) == (400, "FeatureImportanceAlreadyExists")


def test_scores_are_shown_from_high_to_low(taught: Taught) -> None:
    call(taught, "PUT", "one", CONTRACT)
    (job,) = taught.logs.jobs.jobs(kind=FEATURE_IMPORTANCE)
    scores = (score("user", "age", 0.25), score("user", "city", 1.0), score("FromUrl", "hour", 0.5))
    result = encode_job(ImportanceResult(scores=scores))
    assert taught.logs.jobs.update(replace(job, state="succeeded", result=result))
    returned = call(taught, "GET", "one").json()
    assert returned["status"] == "Succeeded"
    assert returned["featureScores"] == [
        {"namespace": "user", "featureName": "city", "score": 1.0},
        {"namespace": "FromUrl", "featureName": "hour", "score": 0.5},
        {"namespace": "user", "featureName": "age", "score": 0.25},
    ]


def test_one_that_failed_says_why(taught: Taught) -> None:
    call(taught, "PUT", "one", CONTRACT)
    (job,) = taught.logs.jobs.jobs()
    assert taught.logs.jobs.update(replace(job, state="failed", description="It is so."))
    returned = call(taught, "GET", "one").json()
    assert (returned["status"], returned["description"]) == ("Failed", "It is so.")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"name": None}, "InvalidContract"),
        ({"name": ""}, "InvalidContract"),
        ({"name": "x" * 257}, "InvalidContract"),
        ({"startTime": "x"}, "InvalidContract"),
        ({"startTime": CONTRACT["endTime"]}, "InvalidContract"),
        ({"endTime": "2020-02-01T00:00:00Z"}, "NoLogsExistInDateRange"),
    ],
)
def test_what_can_not_be_weighed_is_refused(taught: Taught, changes: dict[str, object], code: str) -> None:
    reply = call(taught, "PUT", "one", {**CONTRACT, **changes})
    assert (reply.status, reply.code) == (400, code)
    assert list(taught.logs.jobs.jobs()) == []


@pytest.mark.parametrize("name", ["name", "startTime", "endTime"])
def test_all_members_are_required(taught: Taught, name: str) -> None:
    body = {key: value for key, value in CONTRACT.items() if key != name}
    reply = call(taught, "PUT", "one", body)
    assert (reply.status, reply.code) == (400, "InvalidContract")
    assert name in reply.message


def test_the_list_has_pages_the_newest_first(taught: Taught) -> None:
    for number in range(3):
        call(taught, "PUT", f"f{number}", CONTRACT)
    taught.call("PUT", at(V2022_09, "/evaluations/no-importance"), {**CONTRACT, "policies": []})
    first: dict[str, Any] = call(taught, "GET", query="&maxpagesize=2").json()
    assert [one["id"] for one in first["value"]] == ["f2", "f1"]
    second = call(taught, "GET", query="&" + first["nextLink"].partition("?")[2]).json()
    assert isinstance(second["value"], list)
    assert ([one["id"] for one in second["value"]], "nextLink" in second) == (["f0"], False)
    assert call(taught, "GET", query="&skip=x").code == "InvalidRequest"


def test_one_is_removed(taught: Taught) -> None:
    call(taught, "PUT", "one", CONTRACT)
    assert call(taught, "DELETE", "one").status == 204
    for method in ("GET", "DELETE"):
        reply = call(taught, method, "one")
        assert (reply.status, reply.code) == (404, "FeatureImportanceNotFound")


def test_older_versions_have_none(taught: Taught) -> None:
    assert taught.call("GET", at(PREVIEW_3, "/featureImportances")).status == 404
