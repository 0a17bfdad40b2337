"""One range of rewards, at every door: what is outside is refused with the range, what is inside is kept."""

from collections.abc import Iterator

import pytest

from sartor.api.routing.versions import ALL_VERSIONS, PREVIEWS
from tests.wire.harness import OWNER_KEY, Reply, Service
from tests.wire.taught import Taught
from tests.wire.test_multislot import SEVERAL

OUTSIDE = [
    "1.7e308",
    "-1.7e308",
    "1.0000001e50",
    "-1e51",
    "1e400",
    "-1e400",
    "9" * 400,
    "-" + "9" * 400,
    "1" + "0" * 51,
]
NO_NUMBER = ["NaN", "Infinity", "-Infinity", '"1"', "true", "[1]"]
INSIDE = ["1e50", "-1e50", "-0.0", "0", "1e-320", "5e-324", "1e-400", "1" + "0" * 50]


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    made = Service()
    yield made
    made.close()


def put_reward(service: Service, version: str, value: str, *, slots: bool = False) -> Reply:
    root = f"/personalizer/{version}" if version.startswith("v") else "/personalizer"
    query = "" if version.startswith("v") else f"?api-version={version}"
    event = "/multislot/events/e/reward" if slots else "/events/e/reward"
    body = f'{{"reward":[{{"slotId":"s","value":{value}}}]}}' if slots else f'{{"value":{value}}}'
    return service.call("POST", root + event + query, body.encode())


@pytest.mark.parametrize("version", [version.name for version in ALL_VERSIONS])
def test_every_version_refuses_what_is_outside(service: Service, version: str) -> None:
    before = len(service.observations())
    for value in [*OUTSIDE, *NO_NUMBER]:
        reply = put_reward(service, version, value)
        assert (reply.status, reply.code) == (400, "InvalidRewardRequest"), value[:20]
    for value in OUTSIDE:
        assert "between -1e+50 and 1e+50" in put_reward(service, version, value).message
    assert len(service.observations()) == before
    for value in INSIDE:
        assert put_reward(service, version, value).status == 204, value[:20]
        assert service.observations()[-1].observation.reward == float(value)


@pytest.mark.parametrize("version", [version.name for version in PREVIEWS])
def test_so_does_each_slot(version: str) -> None:
    service = Service(arguments=SEVERAL)
    for value in [*OUTSIDE, *NO_NUMBER]:
        reply = put_reward(service, version, value, slots=True)
        assert (reply.status, reply.code) == (400, "InvalidRewardRequest"), value[:20]
        assert reply.message.startswith("reward[0].value") or value in NO_NUMBER
    assert not service.observations()
    for value in INSIDE:
        assert put_reward(service, version, value, slots=True).status == 204, value[:20]
    service.close()


def test_a_correction_is_refused_and_changes_nothing() -> None:
    service = Taught(learned=5)
    path = "/sartor/v1/loops/default/events/event-1/reward"
    revision = service.logs.outcomes.counts().revision
    for value in [*OUTSIDE, *NO_NUMBER]:
        reply = service.call("PUT", path, f'{{"value":{value}}}'.encode(), key=OWNER_KEY)
        assert (reply.status, reply.code) == (400, "InvalidRequest"), value[:20]
    assert service.logs.outcomes.counts().revision == revision
    assert service.call("PUT", path, b'{"value":1e50}', key=OWNER_KEY).status == 200
    service.close()


@pytest.mark.parametrize("value", [*OUTSIDE, *NO_NUMBER, "1.5", "-1.5"])
def test_a_default_reward_has_its_own_narrower_range(service: Service, value: str) -> None:
    body = (
        b'{"rewardWaitTime":"PT10M","defaultReward":%b,"rewardAggregation":"sum","explorationPercentage":0.2,'
        b'"modelExportFrequency":"PT5M","logRetentionDays":90}' % value.encode()
    )
    reply = service.call("PUT", "/personalizer/v1.0/configurations/service", body)
    assert (reply.status, reply.code) == (400, "InvalidServiceConfiguration")
