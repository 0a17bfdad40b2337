"""What a key leaves in the audit log: nothing for what changes nothing, and so many changes an hour."""

import random
from collections import Counter
from typing import Any

import pytest
from msgspec.structs import replace

from sartor.access.change_limiter import CHANGES, CORRECTIONS, PER_HOUR, ChangeLimiter
from sartor.access.served_loops import ServedLoop
from sartor.errors import TooManyRequests
from sartor.management.audit_log import verify_audit
from sartor.records import Cursor, Settlement
from sartor.testing.builders import make_decision, make_loop, make_model, make_outcome
from tests.wire.harness import OWNER_KEY, PREFIX, Reply, Service, person
from tests.wire.test_unseen_loops import MINE, TENANT, TwoLoops

V1 = "/sartor/v1"
LAST = "/personalizer/v1.1-preview.3"
CONFIGURATION = f"{PREFIX}/configurations/service"
POLICY = f"{PREFIX}/configurations/policy"


def lines(service: Service) -> int:
    return len(service.stores.audit.entries(limit=100_000))


def settle(service: Service, *event_ids: str) -> None:
    logs = service.stores.open(service.loop)
    logs.events.append([make_decision(one) for one in event_ids])
    outcomes = tuple(make_outcome(place, one) for place, one in enumerate(event_ids, 1))
    logs.outcomes.record(Settlement(outcomes=outcomes, unmatched=(), cursor=Cursor(len(outcomes), 0)))


def configuration(service: Service) -> dict[str, Any]:
    return service.call("GET", CONFIGURATION).json()


def test_what_changes_nothing_leaves_no_line(service: Service) -> None:
    assert service.call("DELETE", POLICY).status == 200, "which gives them their default name"
    whole, policy = configuration(service), service.call("GET", POLICY).json()
    version, before = service.stores.catalog.version(), lines(service)
    for _ in range(CHANGES + 50):
        assert service.call("PUT", CONFIGURATION, whole).status == 200
        assert service.call("PUT", POLICY, policy).status == 200
        assert service.call("PATCH", f"{V1}/loops/default", {"tags": {}}, key=OWNER_KEY).status == 200
    assert service.call("DELETE", POLICY).status == 200
    assert (lines(service), service.stores.catalog.version()) == (before, version), "nor does anybody follow it"


def test_what_is_refused_leaves_no_line(service: Service) -> None:
    for _ in range(CHANGES + 1):
        assert service.call("PUT", CONFIGURATION, {"defaultReward": "x"}).status == 400
        assert service.call("PUT", POLICY, b"{").status == 400
        assert service.call("DELETE", f"{PREFIX}/evaluations/none").status == 404
        assert service.call("PUT", f"{V1}/loops/default/events/none/reward", {"value": 1}).status == 404
    assert lines(service) == 0
    assert service.call("PUT", CONFIGURATION, flipped(service, 1)).status == 200, "nor was it counted"


def flipped(service: Service, number: int) -> dict[str, Any]:
    return configuration(service) | {"explorationPercentage": (number % 50) / 100 + 0.1}


def test_a_correction_to_what_it_is_already_is_none(service: Service) -> None:
    settle(service, "e")
    path = f"{V1}/loops/default/events/e/reward"
    revision = service.call("PUT", path, {"value": 0.5}).json()["revision"]
    assert isinstance(revision, int)
    for _ in range(10):
        again = service.call("PUT", path, {"value": 0.5}).json()
        assert (again["before"], again["after"], again["revision"]) == ([0.5], [0.5], revision)
    assert lines(service) == 1
    assert service.call("PUT", path, {"value": 0.25}).json()["revision"] == revision + 1
    assert lines(service) == 2


def test_a_model_that_is_described_as_it_is(service: Service) -> None:
    service.stores.open(service.loop).models.publish(make_model("m"), b"", live=True)
    for _ in range(5):
        reply = service.call("PUT", f"{LAST}/staged-model/m", {"modelId": "m", "userDescription": "good"})
        assert reply.status == 200
    assert lines(service) == 1
    reply = service.call("PUT", f"{LAST}/staged-model/m", {"modelId": "m", "userDescription": "better"})
    assert (reply.status, lines(service)) == (200, 2)


def test_changes_are_bounded(service: Service) -> None:
    """All of them are in the log; what is beyond the bound changes nothing, and says when to come again."""
    whole = configuration(service)
    replies = [
        service.call("PUT", CONFIGURATION, whole | {"explorationPercentage": (number % 50) / 100 + 0.1})
        for number in range(1, CHANGES + 200)
    ]
    assert Counter(reply.status for reply in replies) == {200: CHANGES, 429: 199}
    assert lines(service) == CHANGES
    refused = replies[-1]
    assert is_gateway(refused)
    assert refused.headers["retry-after"] == str(3_600 // PER_HOUR)
    assert f"{CHANGES} times at once and {PER_HOUR} times an hour" in refused.message
    assert refused.message.endswith(f"Please retry after {3_600 // PER_HOUR} seconds.")
    before = configuration(service)
    assert service.call("PUT", CONFIGURATION, whole | {"explorationPercentage": 0.99}).status == 429
    assert configuration(service) == before
    service.clock_s += 3_600 // PER_HOUR
    assert service.call("PUT", CONFIGURATION, whole | {"explorationPercentage": 0.99}).status == 200
    assert service.call("PUT", CONFIGURATION, whole | {"explorationPercentage": 0.98}).status == 429


def is_gateway(reply: Reply) -> bool:
    return (reply.status, reply.code, reply.headers["x-ms-error-code"]) == (429, "429", "429")


def exhaust(service: Service) -> None:
    whole, number = configuration(service), 0
    while service.call("PUT", CONFIGURATION, flipped(service, number)).status == 200:
        number += 1
        assert number <= CHANGES + 1
    assert whole


def test_the_bound_hurts_nobody_else(service: Service) -> None:
    """Reads, decisions, corrections, the owner, and other loops."""
    other = make_loop("other")
    service.stores.catalog.create(other)
    service.loop_table.replace([ServedLoop(one, service.writer, service.live) for one in (service.loop, other)])
    settle(service, "e")
    exhaust(service)
    assert service.call("GET", CONFIGURATION).status == 200
    assert service.rank(person()).status == 201
    assert service.reward("e", {"value": 1}).status == 204
    assert service.call("PUT", f"{V1}/loops/default/events/e/reward", {"value": 0.5}).status == 200
    assert service.call("GET", f"{V1}/loops/default/activities").status == 200
    changed = service.call("PATCH", f"{V1}/loops/default", {"tags": {"a": "b"}}, key=OWNER_KEY)
    assert changed.status == 200
    whole = service.call("GET", CONFIGURATION, key=other.key1).json()
    reply = service.call("PUT", CONFIGURATION, whole | {"explorationPercentage": 0.7}, key=other.key1)
    assert reply.status == 200


def test_one_loop_has_one_bound_whatever_changes_it(service: Service) -> None:
    exhaust(service)
    for method, path, body in (
        ("PUT", POLICY, {"name": "p", "arguments": "--cb_explore_adf"}),
        ("DELETE", f"{PREFIX}/model", b""),
        ("DELETE", f"{PREFIX}/logs", b""),
        ("POST", f"{PREFIX}/evaluations", {}),
        ("PUT", f"{LAST}/model", b"x"),
    ):
        assert is_gateway(service.call(method, path, body)), path
    for key in (service.loop.key1, service.loop.key2):
        assert is_gateway(service.call("PUT", CONFIGURATION, {}, key=key))


def test_a_contributor_with_a_token_has_the_same_bound() -> None:
    """An owner has none. What a key changes does not use up what takes a role, such as replacing it."""
    service = TwoLoops()
    as_tenant = {"authorization": f"Bearer {TENANT.decode()}"}
    flips = [
        service.call("PATCH", f"{V1}/loops/{MINE}", {"tags": {"n": str(number)}}, key=None, headers=as_tenant)
        for number in range(CHANGES + 10)
    ]
    assert Counter(reply.status for reply in flips) == {200: CHANGES, 429: 10}
    assert lines(service) == CHANGES
    regenerate = f"{V1}/loops/{MINE}/keys/1/regenerate"
    assert is_gateway(service.call("POST", regenerate, key=None, headers=as_tenant))
    whole = configuration(service)
    assert service.call("PUT", CONFIGURATION, whole | {"explorationPercentage": 0.5}).status == 200
    assert service.call("PATCH", f"{V1}/loops/{MINE}", {"tags": {}}, key=OWNER_KEY).status == 200
    service.clock_s += 3_600
    for number in range(CHANGES + 10):
        service.call("PUT", CONFIGURATION, whole | {"explorationPercentage": (number % 50) / 100 + 0.1})
    assert is_gateway(service.call("PUT", CONFIGURATION, whole | {"explorationPercentage": 0.9}))
    assert service.call("POST", regenerate, key=None, headers=as_tenant).status == 200
    service.close()


def test_corrections_are_bounded(service: Service) -> None:
    settle(service, "e")
    path = f"{V1}/loops/default/events/e/reward"
    statuses = Counter(
        service.call("PUT", path, {"value": number / 10_000}).status for number in range(CORRECTIONS + 50)
    )
    assert statuses == {200: CORRECTIONS, 429: 50}
    reply = service.call("PUT", path, {"value": 0.9})
    assert is_gateway(reply)
    assert f"{CORRECTIONS} times at once" in reply.message
    assert service.call("PUT", path, {"value": 0.9}, key=OWNER_KEY).status == 200
    assert lines(service) == CORRECTIONS + 1


def test_a_line_has_an_end(service: Service) -> None:
    """However many decisions share the event id whose reward is corrected."""
    logs = service.stores.open(service.loop)
    logs.events.append([make_decision("e")] * 2_000)
    outcomes = tuple(make_outcome(place, "e") for place in range(1, 2_001))
    logs.outcomes.record(Settlement(outcomes=outcomes, unmatched=(), cursor=Cursor(2_000, 0)))
    reply = service.call("PUT", f"{V1}/loops/default/events/e/reward", {"value": 0.5})
    assert len(reply.json()["after"]) == 2_000  # type: ignore[arg-type]
    (line,) = service.stores.audit.entries(limit=10)
    assert len(line.entry.after) + len(line.entry.before) < 5_000
    assert b'"decisions":2000' in line.entry.after


def test_a_flood_of_calls_leaves_a_bounded_and_whole_log(service: Service) -> None:
    """24,000 calls by a key: the log holds each change that was made, in one chain, and no more."""
    settle(service, *(f"e{number}" for number in range(50)))
    whole, draw, made = configuration(service), random.Random(3), 0
    for _ in range(24_000):
        match draw.randrange(6):
            case 0:
                reply = service.call("PUT", CONFIGURATION, whole)
            case 1:
                body = whole | {"explorationPercentage": draw.randrange(1, 100) / 100}
                reply = service.call("PUT", CONFIGURATION, body)
            case 2:
                reply = service.call("GET", CONFIGURATION)
            case 3:
                value = draw.randrange(1_000) / 1_000
                path = f"{V1}/loops/default/events/e{draw.randrange(60)}/reward"
                reply = service.call("PUT", path, {"value": value})
            case 4:
                reply = service.call("PUT", CONFIGURATION, {"rewardWaitTime": "nonsense"})
            case _:
                reply = service.rank(person())
        made += reply.status < 300
        assert reply.status in (200, 201, 400, 404, 429)
        service.clock_s += 0.05  # twenty a second: twenty minutes in all
    assert made > 8_000
    most = CHANGES + CORRECTIONS + 2 * PER_HOUR * 24_000 * 0.05 / 3_600
    assert CHANGES + CORRECTIONS < lines(service) <= most + 2
    assert verify_audit(service.stores.audit).whole
    assert verify_audit(service.stores.audit).lines == lines(service)


class Time:
    now_s = 50.0

    def __call__(self) -> float:
        return self.now_s


def test_the_limiter_forgets_loops_that_rest() -> None:
    time = Time()
    limiter = ChangeLimiter(clock_s=time)
    for number in range(10_000):
        limiter.count(f"loop-{number}", "change")
        time.now_s += 1
    assert len(limiter._full_s) <= 4_096


def test_who_waits_as_told_may_change_again() -> None:
    time = Time()
    limiter = ChangeLimiter(clock_s=time)
    for _ in range(CHANGES):
        limiter.check("a", "change")
        limiter.count("a", "change")
    for _ in range(20):
        with pytest.raises(TooManyRequests) as refusal:
            limiter.check("a", "change")
        time.now_s += refusal.value.retry_after_s
        limiter.check("a", "change")
        limiter.count("a", "change")
    limiter.check("b", "change")
    time.now_s += 3_600 * CHANGES / PER_HOUR
    for _ in range(CHANGES):
        limiter.check("a", "change")
        limiter.count("a", "change")


def test_an_unchanged_loop_that_is_locked_is_still_locked(service: Service) -> None:
    locked = replace(service.loop, terms=replace(service.loop.terms, lock="change"))
    service.stores.catalog.update(locked)
    service.follow()
    assert service.call("PUT", CONFIGURATION, configuration(service)).status == 409
