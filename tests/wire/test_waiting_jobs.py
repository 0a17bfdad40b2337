"""A loop has room for so many jobs that wait; more are answered 429, until one is finished or deleted."""

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from sartor.api.routing.versions import V1_0, V2022_09
from sartor.settings import WAITING_JOBS
from tests.wire.harness import Reply
from tests.wire.taught import Taught
from tests.wire.test_versions import at

TIMES = {"startTime": "2020-01-01T00:00:00Z", "endTime": "2100-01-01T00:00:00Z"}
CONTRACT = {"name": "spring", **TIMES, "policies": [], "enableOfflineExperimentation": False}
KINDS = pytest.mark.parametrize("kind", ["importance", "evaluation", "named evaluation"])


@pytest.fixture
def taught() -> Iterator[Taught]:
    made = Taught()
    yield made
    made.close()


def ask(service: Taught, kind: str, number: int) -> Reply:
    if kind == "importance":
        return service.call("PUT", at(V2022_09, f"/featureImportances/{number}"), {"name": "spring", **TIMES})
    if kind == "evaluation":
        return service.call("POST", at(V1_0, "/evaluations"), CONTRACT)
    return service.call(
        "PUT", at(V2022_09, f"/evaluations/{number}"), {**CONTRACT, "enablePolicyOptimization": False}
    )


@KINDS
def test_four_hundred_requests_make_as_many_jobs_as_may_wait(taught: Taught, kind: str) -> None:
    replies = [ask(taught, kind, number) for number in range(400)]
    refused = [reply for reply in replies if reply.status == 429]
    assert len(refused) == 400 - WAITING_JOBS
    assert {reply.status for reply in replies[:WAITING_JOBS]} <= {200, 201}
    assert all(int(reply.headers["retry-after"]) > 0 for reply in refused)
    assert f"{WAITING_JOBS} evaluations and feature importances of this loop are waiting" in refused[0].message
    assert taught.logs.jobs.count_waiting() == len(taught.logs.jobs.jobs()) == WAITING_JOBS


@KINDS
def test_there_is_room_again_when_one_is_finished_or_deleted(taught: Taught, kind: str) -> None:
    for number in range(WAITING_JOBS):
        ask(taught, "importance", number)
    assert ask(taught, kind, 100).status == 429
    first = taught.logs.jobs.claim(now_us=1, lease_us=1)
    assert first is not None
    assert ask(taught, kind, 101).status < 300
    assert ask(taught, kind, 102).status == 429
    taught.logs.jobs.update(replace(first, state="succeeded"))
    assert ask(taught, kind, 103).status == 429, "a job that is finished did not wait any more"
    assert taught.call("DELETE", at(V2022_09, "/featureImportances/1")).status < 300
    assert ask(taught, kind, 104).status < 300


def test_an_id_that_is_taken_is_said_also_where_no_more_may_wait(taught: Taught) -> None:
    for number in range(WAITING_JOBS):
        ask(taught, "importance", number)
    again = ask(taught, "importance", 0)
    assert (again.status, again.code) == (400, "FeatureImportanceAlreadyExists")
