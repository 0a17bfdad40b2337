"""Evaluations on the wire, both generations of it (contract, sections 1.6 and 1.7)."""

import json
from collections.abc import Iterator
from math import sqrt
from typing import Any

import pytest
from msgspec.structs import replace

from sartor.api.http.durations import format_zoned_us
from sartor.api.routing.versions import PATHS, PREVIEW_1, V1_0, V2022_09, Version
from sartor.evaluation.spec import EVALUATION, EvaluationResult, EvaluationWindow, PolicyResult, encode_job
from sartor.records import JobState
from tests.wire.harness import Reply
from tests.wire.taught import Taught
from tests.wire.test_versions import EACH, at

OLD = pytest.mark.parametrize("version", PATHS, ids=lambda version: version.name)
SOME = pytest.mark.parametrize("version", [V1_0, PREVIEW_1, V2022_09], ids=lambda version: version.name)
POLICY = {"name": "mine", "arguments": "--cb_explore_adf --epsilon 0.1 --cb_type mtr -q ::"}
START, END = "2020-01-01T00:00:00Z", "2100-01-01T00:00:00Z"
FROM_US, TO_US = 1_577_836_800_000_000, 4_102_444_800_000_000


@pytest.fixture
def taught() -> Iterator[Taught]:
    made = Taught()
    yield made
    made.close()


def contract(**changes: object) -> dict[str, object]:
    return {"name": "spring", "startTime": START, "endTime": END, "policies": [], **changes}


def ask(service: Taught, version: Version, body: object, *, name: str = "one") -> Reply:
    if version.in_query:
        return service.call("PUT", at(version, f"/evaluations/{name}"), body)
    return service.call("POST", at(version, "/evaluations"), body)


def show(service: Taught, name: str, version: Version = V2022_09, **query: object) -> Reply:
    requested = {"startTime": START, "endTime": END, **query} if version.in_query else query
    path = at(version, f"/evaluations/{name}")
    return service.call("GET", path + "".join(f"&{key}={value}" for key, value in requested.items()))


def listed(service: Taught, query: str = "") -> dict[str, Any]:
    reply = service.call("GET", at(V2022_09, "/evaluations") + query)
    assert reply.status == 200, reply.body
    return reply.json()


def window(number: int, *, events: int = 4, numerator: float = 1.0, width_s: int = 300) -> EvaluationWindow:
    return EvaluationWindow(
        start_us=FROM_US + number * width_s * 1_000_000,
        events=events,
        numerator=numerator,
        sum_of_weights=2.0,
        non_zero=3,
        sum_of_squares=1.5,
        largest=1.0,
        expected_reward=numerator / 2,
        low=-0.25,
        high=0.75,
    )


def scored(name: str = "mine", **changes: object) -> PolicyResult:
    made = PolicyResult(
        name=name,
        arguments=POLICY["arguments"],
        source="Custom",
        total=window(0, events=8, numerator=1.5),
        windows={"PT5M": (window(0), window(1, numerator=0.5)), "PT1H": (window(0, events=8),)},
    )
    return replace(made, **changes)


def finish(service: Taught, *policies: PolicyResult, state: JobState = "succeeded") -> None:
    """What a worker does with the only job."""
    (job,) = service.logs.jobs.jobs(kind=EVALUATION)
    result = EvaluationResult(
        policies=policies, optimal_policy="mine", importance=(("user.age", "user.city"), ("hour",))
    )
    assert service.logs.jobs.update(
        replace(job, state=state, result=encode_job(result), description="" if state == "succeeded" else "Why.")
    )


@OLD
def test_an_evaluation_is_asked_for_with_a_name_of_the_service(taught: Taught, version: Version) -> None:
    reply = ask(taught, version, contract(policies=[POLICY], enableOfflineExperimentation=False))
    assert reply.status == 201
    returned = reply.json()
    assert reply.headers["location"] == f"{version.prefix}/evaluations/{returned['id']}"
    assert (returned["name"], returned["status"], returned["policyResults"]) == ("spring", "notSubmitted", [])
    assert (returned["startTime"], returned["featureImportance"]) == ("2020-01-01T00:00:00+00:00", [])
    previews = {"evaluationType", "creationTime"}
    assert (previews & returned.keys()) == (set() if version == V1_0 else previews)
    assert show(taught, str(returned["id"]), version).json() == returned


def test_an_evaluation_is_asked_for_with_a_name_of_ones_own(taught: Taught) -> None:
    reply = ask(taught, V2022_09, contract(enablePolicyOptimization=False), name="a%2Fb%20c")
    assert (reply.status, reply.body) == (200, b"")
    returned = show(taught, "a%2Fb%20c").json()
    assert (returned["id"], returned["name"], returned["status"]) == ("a/b c", "spring", "NotSubmitted")
    assert "content" not in returned
    assert "optimalPolicy" not in returned
    again = ask(taught, V2022_09, contract(), name="a%2Fb%20c")
    assert (again.status, again.code) == (400, "EvaluationAlreadyExists")


def test_policies_may_be_left_out_of_the_new_contract_only(taught: Taught) -> None:
    body = contract()
    del body["policies"]
    assert ask(taught, V2022_09, body).status == 200
    assert ask(taught, PREVIEW_1, body).code == "InvalidEvaluationContract"


@SOME
@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "InvalidEvaluationContract"),
        (b"[]", "InvalidEvaluationContract"),
        (contract(name=None), "InvalidEvaluationContract"),
        (contract(name=""), "InvalidEvaluationContract"),
        (contract(name="x" * 257), "InvalidEvaluationContract"),
        (contract(startTime="yesterday"), "InvalidEvaluationContract"),
        (contract(startTime=END, endTime=START), "InvalidEvaluationContract"),
        (contract(startTime=START, endTime=START), "InvalidEvaluationContract"),
        (contract(policies=[POLICY, POLICY]), "DuplicateCustomPolicyNames"),
        (contract(policies=[{**POLICY, "name": "Online"}]), "DuplicateCustomPolicyNames"),
        (
            contract(policies=[{**POLICY, "name": f"p{number}"} for number in range(11)]),
            "MaximumEvaluationCustomPoliciesExceeded",
        ),
        (contract(policies=[{**POLICY, "arguments": "--cats 4"}]), "InvalidEvaluationContract"),
        (contract(policies=[{"name": "no arguments"}]), "InvalidEvaluationContract"),
        (contract(endTime="2020-02-01T00:00:00Z"), "NoLogsExistInDateRange"),
    ],
)
def test_what_can_not_be_evaluated_is_refused(
    taught: Taught, version: Version, body: object, code: str
) -> None:
    reply = ask(taught, version, body)
    assert (reply.status, reply.code) == (400, code)
    assert reply.headers["x-ms-error-code"] == code
    assert list(taught.logs.jobs.jobs()) == []


@SOME
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("--sartor --no_such_option", "--no_such_option"),
        ("--sartor --columns 1000", "--columns takes a whole number from 16 to 256"),
        ("--sartor --cb_explore_adf", "--cb_explore_adf"),
        ("--cb_explore_adf --sartor", "--sartor"),
    ],
)
def test_the_option_that_a_candidate_can_not_have_is_named(
    taught: Taught, version: Version, arguments: str, says: str
) -> None:
    reply = ask(taught, version, contract(policies=[{"name": "mine", "arguments": arguments}]))
    assert (reply.status, reply.code) == (400, "InvalidEvaluationContract")
    assert says in reply.message
    assert list(taught.logs.jobs.jobs()) == []


@EACH
def test_an_evaluation_that_is_not_there_is_not_found(taught: Taught, version: Version) -> None:
    for reply in (
        show(taught, "missing", version),
        taught.call("DELETE", at(version, "/evaluations/missing")),
    ):
        assert (reply.status, reply.code) == (404, "EvaluationNotFound")


@SOME
def test_an_evaluation_is_removed(taught: Taught, version: Version) -> None:
    ask(taught, version, contract())
    (job,) = taught.logs.jobs.jobs()
    name = job.job_id.partition("/")[2]
    reply = taught.call("DELETE", at(version, f"/evaluations/{name}"))
    assert (reply.status, reply.body) == (204, b"")
    assert show(taught, name, version).code == "EvaluationNotFound"


@pytest.mark.parametrize(
    ("state", "old", "new"),
    [
        ("pending", "notSubmitted", "NotSubmitted"),
        ("running", "pending", "Running"),
        ("succeeded", "completed", "Succeeded"),
        ("failed", "failed", "Failed"),
        ("canceled", "failed", "Canceled"),
    ],
)
def test_each_generation_has_its_words_for_how_far_it_is(
    taught: Taught, state: JobState, old: str, new: str
) -> None:
    ask(taught, V2022_09, contract())
    finish(taught, state=state)
    first, second = show(taught, "one", V1_0).json(), show(taught, "one").json()
    assert (first["status"], second["status"]) == (old, new)
    described = {} if state == "succeeded" else {"description": "Why."}
    assert {name: second[name] for name in ("description",) if name in second} == described


@OLD
def test_the_results_in_the_versions_with_paths(taught: Taught, version: Version) -> None:
    ask(taught, version, contract(policies=[POLICY]))
    (job,) = taught.logs.jobs.jobs()
    finish(taught, scored("Online", source="Online", windows={}), scored(), scored("slot", slot="top"))
    returned = show(taught, job.job_id.partition("/")[2], version).json()
    assert returned["featureImportance"] == [["user.age", "user.city"], ["hour"]]
    assert returned.get("optimalPolicy") == (None if version == V1_0 else "mine")
    assert isinstance(returned["policyResults"], list)
    online, mine = returned["policyResults"]
    assert "summary" not in online
    assert (mine["name"], mine["arguments"]) == ("mine", POLICY["arguments"])
    assert mine.get("policySource") == (None if version == V1_0 else "Custom")
    assert [part["aggregateTimeWindow"] for part in mine["summary"]] == ["PT5M", "PT5M", "PT1H"]
    first = mine["summary"][0]
    assert first.pop("averageReward", None) == (None if version == V1_0 else 0.25)
    half_width = 1.959964 * sqrt((1.5 - 1.0 / 4) / 3 / 4)
    assert first.pop("confidenceInterval") == pytest.approx(half_width, rel=1e-6)
    assert first == {
        "timeStamp": "2020-01-01T00:00:00+00:00",
        "ipsEstimatorNumerator": 1.0,
        "ipsEstimatorDenominator": 4.0,
        "snipsEstimatorDenominator": 2.0,
        "aggregateTimeWindow": "PT5M",
        "nonZeroProbability": 3.0,
        "sumOfSquares": 1.5,
    }
    assert mine["totalSummary"]["ipsEstimatorDenominator"] == 8.0


@OLD
def test_the_list_in_the_versions_with_paths(taught: Taught, version: Version) -> None:
    path = at(version, "/evaluations")
    assert taught.call("GET", path).body == b"[]"
    ask(taught, version, contract(name="first"))
    finish(taught, scored())
    ask(taught, version, contract(name="second"))
    returned = json.loads(taught.call("GET", path).body)
    assert [one["name"] for one in returned] == ["second", "first"]
    assert "summary" not in returned[1]["policyResults"][0]
    assert "totalSummary" in returned[1]["policyResults"][0]


def test_the_results_in_2022_expand_by_default(taught: Taught) -> None:
    ask(taught, V2022_09, contract(policies=[POLICY]))
    finish(taught, scored(), scored("Online", source="Online", slot="top"))
    returned = show(taught, "one").json()
    assert (returned["optimalPolicy"], returned["evaluationType"]) == ("mine", "Manual")
    content = returned["content"]
    assert isinstance(content, dict)
    assert (content["startTime"], content["endTime"], content["intervalInMinutes"]) == (
        "2020-01-01T00:00:00+00:00",
        "2100-01-01T00:00:00+00:00",
        5,
    )
    mine, online = content["value"]
    assert (mine["name"], mine["slotId"], mine["policySource"]) == ("mine", "", "Custom")
    assert (online["slotId"], online["arguments"]) == ("top", POLICY["arguments"])
    assert mine["summary"] == {"expectedReward": 0.75, "confidenceInterval": [-0.25, 0.75]}
    first, second = mine["timeseries"]["data"]
    assert first == {
        "timeStamp": "2020-01-01T00:00:00+00:00",
        "expectedReward": 0.5,
        "confidenceInterval": [-0.25, 0.75],
    }
    assert (second["timeStamp"], second["expectedReward"]) == ("2020-01-01T00:05:00+00:00", 1.5 / 4)


def test_windows_roll_where_that_is_asked_for(taught: Taught) -> None:
    ask(taught, V2022_09, contract())
    finish(taught, scored())
    for query in ({}, {"window": "Rolling"}):
        content = show(taught, "one", V2022_09, intervalInMinutes=60, **query).json()["content"]
        assert isinstance(content, dict)
        assert content["intervalInMinutes"] == 60
        assert [point["expectedReward"] for point in content["value"][0]["timeseries"]["data"]] == [0.5]


def test_a_part_of_the_time_has_a_score_of_its_own(taught: Taught) -> None:
    ask(taught, V2022_09, contract())
    finish(taught, scored())
    returned = show(taught, "one", startTime="2020-01-01T00:05:00Z").json()["content"]
    assert isinstance(returned, dict)
    assert returned["value"][0]["summary"]["expectedReward"] == 0.25
    empty = show(taught, "one", startTime="2021-01-01T00:00:00Z").json()["content"]
    assert isinstance(empty, dict)
    assert "summary" not in empty["value"][0]
    assert empty["value"][0]["timeseries"] == {"data": []}


@pytest.mark.parametrize(
    "query",
    [
        {"startTime": ""},
        {"endTime": "tomorrow"},
        {"startTime": END, "endTime": START},
        {"intervalInMinutes": 7},
        {"intervalInMinutes": "x"},
        {"window": "Rolling"},
        {"intervalInMinutes": 60, "window": "Expanding"},
        {"window": "Other"},
    ],
)
def test_windows_that_there_are_not_are_refused(taught: Taught, query: dict[str, object]) -> None:
    ask(taught, V2022_09, contract())
    reply = show(taught, "one", V2022_09, **query)
    assert (reply.status, reply.code) == (400, "InvalidRequest")


def test_what_an_older_version_made_is_not_shown_by_the_newest(taught: Taught) -> None:
    name = str(ask(taught, V1_0, contract()).json()["id"])
    reply = show(taught, name)
    assert (reply.status, reply.code) == (405, "IncompatibleEvaluationVersion")
    assert [one["id"] for one in listed(taught)["value"]] == [name]
    assert show(taught, name, PREVIEW_1).status == 200


def test_the_list_in_2022_has_pages(taught: Taught) -> None:
    for number in range(5):
        ask(taught, V2022_09, contract(), name=f"e{number}")
    found, query, pages = [], "&maxpagesize=2", 0
    while True:
        page = listed(taught, query)
        found += [one["id"] for one in page["value"]]
        pages += 1
        if "nextLink" not in page:
            break
        host, _, query = page["nextLink"].partition("?")
        assert host == "http://localhost/personalizer/evaluations"
        assert "api-version=2022-09-01-preview" in query
        query = f"&{query}"
    assert (found, pages) == (["e4", "e3", "e2", "e1", "e0"], 3)


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("", ["e2", "e1", "e0"]),
        ("&skip=1", ["e1", "e0"]),
        ("&top=1", ["e2"]),
        ("&top=2&skip=1&maxpagesize=2", ["e1", "e0"]),
        ("&skip=9", []),
        ("&top=0", []),
        ("&filter=evaluationType%20eq%20%27Manual%27", ["e2", "e1", "e0"]),
        ("&filter=evaluationType%20eq%20%27Auto%27", []),
    ],
)
def test_a_part_of_the_list_is_asked_for(taught: Taught, query: str, ids: list[str]) -> None:
    for number in range(3):
        ask(taught, V2022_09, contract(), name=f"e{number}")
    page = listed(taught, query)
    assert [one["id"] for one in page["value"]] == ids
    assert "nextLink" not in page


def test_top_counts_over_all_pages(taught: Taught) -> None:
    for number in range(5):
        ask(taught, V2022_09, contract(), name=f"e{number}")
    first = listed(taught, "&top=3&maxpagesize=2")
    second = listed(taught, "&" + first["nextLink"].partition("?")[2])
    assert [one["id"] for one in second["value"]] == ["e2"]
    assert "nextLink" not in second


def test_the_next_page_is_where_the_proxy_says(taught: Taught) -> None:
    for number in range(2):
        ask(taught, V2022_09, contract(), name=f"e{number}")
    reply = taught.call(
        "GET",
        at(V2022_09, "/evaluations") + "&maxpagesize=1",
        headers={"host": "ranks.example", "x-forwarded-proto": "https"},
    )
    assert str(reply.json()["nextLink"]).startswith("https://ranks.example/personalizer/evaluations?")


@pytest.mark.parametrize(
    "query", ["&top=-1", "&skip=x", "&maxpagesize=0", "&top=1.5", "&filter=name%20eq%20%27a%27", "&filter="]
)
def test_a_part_that_makes_no_sense_is_refused(taught: Taught, query: str) -> None:
    reply = taught.call("GET", at(V2022_09, "/evaluations") + query)
    assert (reply.status, reply.code) == (400, "InvalidRequest")


def test_times_are_read_in_any_zone(taught: Taught) -> None:
    ask(taught, V2022_09, contract(startTime="2020-01-01T02:00:00+02:00", endTime="2100-01-01T00:00:00"))
    assert show(taught, "one").json()["startTime"] == format_zoned_us(FROM_US)
    assert show(taught, "one").json()["endTime"] == format_zoned_us(TO_US)
