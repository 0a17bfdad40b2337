"""Learning metrics on the wire, from the unpublished draft (contract, end of section 1.1)."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from sartor.api.admin import metrics
from sartor.api.http.durations import format_zoned_us
from sartor.api.routing.versions import FROM_PREVIEW_3, PREVIEW_2, PREVIEW_3, Version
from tests.wire.harness import Reply
from tests.wire.taught import Taught
from tests.wire.test_versions import at

LATEST = pytest.mark.parametrize("version", FROM_PREVIEW_3, ids=lambda version: version.name)


@pytest.fixture(scope="module")
def taught() -> Iterator[Taught]:
    made = Taught()
    yield made
    made.close()


def ask(service: Taught, version: Version = PREVIEW_3, **query: object) -> Reply:
    path = at(version, "/metrics/learning")
    sign = "&" if "?" in path else "?"
    return service.call("GET", path + sign + "&".join(f"{name}={value}" for name, value in query.items()))


def returned(reply: Reply) -> list[list[dict[str, Any]]]:
    assert reply.status == 200, reply.body
    found: list[list[dict[str, Any]]] = json.loads(reply.body)
    return found


def expected(service: Taught) -> tuple[int, float, int, float]:
    """Events, rewards, matched events and their rewards, counted in the plainest way."""
    rewards = {
        one.outcome.decision_seq: one.outcome.reward
        for one in service.logs.outcomes.outcomes(after=0, limit=100)
    }
    decisions = service.logs.events.decisions(after=0, limit=100)
    matched = [logged.seq for logged in decisions if logged.decision.chosen == logged.decision.baseline]
    assert 0 < len(matched) < len(decisions)
    return len(rewards), sum(rewards.values()), len(matched), sum(rewards[seq] for seq in matched)


@LATEST
def test_the_last_day_is_shown_in_hours(taught: Taught, version: Version) -> None:
    (windows,) = returned(ask(taught, version))
    first = windows[0]
    assert {first["learningMode"]} == {"Online"}
    events, rewards, matched, imitated = expected(taught)
    assert sum(one["numberOfEvents"] for one in windows) == events == 20
    assert sum(one["sumOfRewards"] for one in windows) == rewards
    assert sum(one["numberOfMatchedEvents"] for one in windows) == matched
    assert sum(one["sumOfImitatedRewards"] for one in windows) == imitated
    last = windows[-1]
    assert last["cumulativeNumberOfEvents"] == events
    assert last["cumulativeSumOfRewards"] == rewards
    assert last["cumulativeNumberOfMatchedEvents"] == matched
    assert last["cumulativeSumOfImitatedRewards"] == imitated


def test_names_of_parameters_are_read_in_any_case(taught: Taught) -> None:
    heads = taught.logs.events.heads(after=0, limit=100)
    day = format_zoned_us(heads[0].at_us - 3_600_000_000).replace("+", "%2B")
    ((window,),) = returned(
        ask(taught, StartDate=day, EndDate="2100-01-01T00:00:00Z", AggregationInterval="P30000D")
    )
    assert window["startDate"] == day.replace("%2B", "+")
    assert window["endDate"] == "2100-01-01T00:00:00+00:00"
    assert window["numberOfEvents"] == 20


def test_a_time_without_decisions_has_no_windows(taught: Taught) -> None:
    assert returned(ask(taught, startDate="2020-01-01", endDate="2020-01-02")) == []


def test_so_many_recent_events_are_shown(taught: Taught) -> None:
    for query, count in (({"numberOfRecentEvents": 7}, 7), ({"aggregationEventCount": 10_000}, 20)):
        ((window,),) = returned(ask(taught, PREVIEW_3, **query))
        assert window["numberOfEvents"] == count


@pytest.mark.parametrize(
    "query",
    [
        {"aggregationInterval": "PT30M"},
        {"aggregationInterval": "PT90M"},
        {"aggregationInterval": "PT0S"},
        {"aggregationInterval": "an hour"},
        {"startDate": "x"},
        {"startDate": "2024-01-02", "endDate": "2024-01-01"},
        {"numberOfRecentEvents": 0},
        {"numberOfRecentEvents": -1},
        {"numberOfRecentEvents": "many"},
        {"aggregationEventCount": 9_999},
        {"aggregationEventCount": 15_000},
        {"numberOfRecentEvents": 10, "startDate": "2024-01-01"},
        {"aggregationEventCount": 10_000, "aggregationInterval": "PT1H"},
    ],
)
def test_windows_that_there_are_not_are_refused(taught: Taught, query: dict[str, object]) -> None:
    reply = ask(taught, PREVIEW_3, **query)
    assert (reply.status, reply.code) == (400, "InvalidRequest")


def test_too_many_events_at_once_are_refused(taught: Taught, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "MOST_EVENTS", 19)
    reply = ask(taught)
    assert (reply.status, reply.code) == (400, "LogsSizeExceedAllowedLimit")


def test_older_versions_have_no_metrics(taught: Taught) -> None:
    assert ask(taught, PREVIEW_2).status == 404
