"""Every operation of @azure-rest/ai-personalizer, the official JavaScript client of v1.1-preview.3."""

import base64
import io
import re
import zipfile
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from msgspec.structs import replace

from sartor.ports import Loop
from sartor.settings import DEFAULT_ARGUMENTS
from tests.acceptance.service import eventually
from tests.wire.clients import bodies, javascript, page
from tests.wire.clients.bodies import BEGIN, END, POLICY, evaluation
from tests.wire.clients.instance import Instance
from tests.wire.clients.javascript import Driver
from tests.wire.clients.record import Record

CLIENT = "@azure-rest/ai-personalizer"
SPAN = {"startTime": BEGIN.isoformat(), "endTime": END.isoformat()}
SIGNED: dict[str, Any] = {"options": {"queryParameters": {"signed": True}}}
ENDED = {"completed", "failed", "timeout"}


class Caller:
    """The client with the key of a loop."""

    def __init__(self, driver: Driver, endpoint: str, loop: Loop, record: Record | None) -> None:
        self._driver = driver
        self._with = {"endpoint": endpoint, "key": loop.key1}
        self._record = record

    def call(self, operation: str, *ids: str, **options: object) -> Any:
        """The body of the answer, which must be the one on the page."""
        reply = self.reply(operation, *ids, **options)
        if self._record is not None:
            row = self._record.note(operation, reply["status"])
            expected = row.status >= 400 or "`isUnexpected` is wrong" in row.result
            assert reply["unexpected"] is expected, f"isUnexpected says {reply['unexpected']} of {operation}"
        return reply["body"]

    def reply(self, operation: str, *ids: str, **options: object) -> dict[str, Any]:
        """Whatever the client says of a call."""
        method, _, path = operation.partition(" ")
        reply = self._driver.call(method=method, path=path, arguments=ids, **options, **self._with)
        assert "thrown" not in reply, reply
        return reply


@pytest.fixture(scope="module")
def driver() -> Iterator[Driver]:
    made = Driver("preview.cjs")
    yield made
    made.close()


@pytest.fixture
def on_loop(driver: Driver, instance: Instance, loop: Loop, record: Record) -> Caller:
    return Caller(driver, instance.endpoint, loop, record)


@pytest.fixture
def on_blank(driver: Driver, instance: Instance, blank: Loop, record: Record) -> Caller:
    return Caller(driver, instance.endpoint, blank, record)


@pytest.fixture
def on_slots(driver: Driver, instance: Instance, slots: Loop, record: Record) -> Caller:
    return Caller(driver, instance.endpoint, slots, record)


@pytest.fixture
def on_taught(driver: Driver, instance: Instance, taught: Loop, record: Record) -> Caller:
    return Caller(driver, instance.endpoint, taught, record)


@pytest.fixture
def on_spare(driver: Driver, instance: Instance, spare: Loop, record: Record) -> Caller:
    return Caller(driver, instance.endpoint, spare, record)


@pytest.fixture(scope="module", autouse=True)
def started(driver: Driver, instance: Instance, taught: Loop) -> str:
    """The id of an evaluation that is computed while other tests run."""
    client = Caller(driver, instance.endpoint, taught, None)
    made: str = client.call("POST /evaluations", options={"body": requested()})["id"]
    return made


@pytest.fixture(scope="module")
def finished(driver: Driver, instance: Instance, taught: Loop, started: str) -> str:
    """The id of the evaluation, which ended."""
    client = Caller(driver, instance.endpoint, taught, None)
    eventually(lambda: state(client, started) in ENDED, "the end of the evaluation", within_s=30)
    return started


def state(client: Caller, name: str) -> str:
    found: str = client.call("GET /evaluations/{evaluationId}", name)["status"]
    return found


def requested() -> dict[str, Any]:
    return evaluation(**SPAN, enableOfflineExperimentation=False)


def test_the_page_lists_what_the_client_has() -> None:
    javascript.node()  # installs it
    source = (javascript.MODULES / CLIENT / "dist" / "index.js").read_text(encoding="utf-8")
    has = set(re.findall(r'"((?:GET|POST|PUT|DELETE) /[^"]+)": \[', source))
    assert javascript.version(CLIENT) == page.client(CLIENT).version
    assert has == set(page.client(CLIENT).rows)
    assert {page.test_of(operation) for operation in has} <= set(globals())


def test_post_rank(instance: Instance, loop: Loop, on_loop: Caller, fresh: str) -> None:
    answer = on_loop.call("POST /rank", options={"body": bodies.ranked(fresh)})
    assert answer["eventId"] == fresh
    assert answer["ranking"][0] == {"id": "pasta", "probability": 0}
    assert [one["probability"] for one in answer["ranking"][1:]] == [0.5, 0.5]
    logged = instance.decisions(loop, fresh)[-1].decision
    assert logged.actions[logged.chosen].id == answer["rewardActionId"]


def test_post_events_eventid_reward(instance: Instance, loop: Loop, on_loop: Caller, fresh: str) -> None:
    on_loop.call("POST /events/{eventId}/reward", fresh, options={"body": {"value": 0.25}})
    assert instance.observations(loop, fresh) == [(None, 0.25)]


def test_post_events_eventid_activate(instance: Instance, loop: Loop, on_loop: Caller, fresh: str) -> None:
    on_loop.call("POST /events/{eventId}/activate", fresh)
    assert instance.observations(loop, fresh) == [(None, None)]


def test_post_multislot_rank(instance: Instance, slots: Loop, on_slots: Caller, fresh: str) -> None:
    answer = on_slots.call("POST /multislot/rank", options={"body": bodies.two_slots(fresh)})
    assert [slot["id"] for slot in answer["slots"]] == ["top", "side"]
    logged = instance.decisions(slots, fresh)[-1].decision
    chosen = [logged.actions[slot.chosen].id for slot in logged.slots]
    assert [slot["rewardActionId"] for slot in answer["slots"]] == chosen
    assert len(set(chosen)) == 2


def test_post_multislot_events_eventid_reward(
    instance: Instance, slots: Loop, on_slots: Caller, fresh: str
) -> None:
    body = {"reward": bodies.REWARDS}
    on_slots.call("POST /multislot/events/{eventId}/reward", fresh, options={"body": body})
    assert instance.observations(slots, fresh) == [("top", 1.0), ("side", -0.5)]


def test_post_multislot_events_eventid_activate(
    instance: Instance, slots: Loop, on_slots: Caller, fresh: str
) -> None:
    on_slots.call("POST /multislot/events/{eventId}/activate", fresh)
    assert instance.observations(slots, fresh) == [(None, None)]


def test_get_configurations_service(on_loop: Caller) -> None:
    received = on_loop.call("GET /configurations/service")
    assert received["rewardWaitTime"] == "PT10M"
    assert received["learningMode"] == "Online"


def test_put_configurations_service(on_blank: Caller) -> None:
    received = on_blank.call("GET /configurations/service")
    wanted = {**received, "rewardWaitTime": "PT4H", "rewardAggregation": "sum", "explorationPercentage": 0.3}
    answer = on_blank.call("PUT /configurations/service", options={"body": wanted})
    assert answer == {**wanted, "lastConfigurationEditDate": answer["lastConfigurationEditDate"]}
    assert on_blank.call("GET /configurations/service") == answer


def test_get_configurations_policy(loop: Loop, on_loop: Caller) -> None:
    received = on_loop.call("GET /configurations/policy")
    assert received == {"name": loop.loop_id, "arguments": DEFAULT_ARGUMENTS}


def test_put_configurations_policy(on_blank: Caller) -> None:
    assert on_blank.call("PUT /configurations/policy", options={"body": POLICY}) == POLICY
    assert on_blank.call("GET /configurations/policy") == POLICY


def test_delete_configurations_policy(blank: Loop, on_blank: Caller) -> None:
    on_blank.call("PUT /configurations/policy", options={"body": POLICY})
    answer = on_blank.call("DELETE /configurations/policy")
    assert answer == {"name": blank.loop_id, "arguments": DEFAULT_ARGUMENTS}
    assert on_blank.call("GET /configurations/policy") == answer


def test_post_evaluations(on_taught: Caller) -> None:
    reply = on_taught.call("POST /evaluations", options={"body": requested()})
    assert reply["name"] == "tried"
    assert state(on_taught, reply["id"]) in ENDED | {"pending", "notSubmitted"}
    on_taught.call("DELETE /evaluations/{evaluationId}", reply["id"])


def test_the_answer_to_a_new_evaluation_says_where_it_is(on_taught: Caller) -> None:
    reply = on_taught.reply("POST /evaluations", options={"body": requested()})
    made = reply["body"]["id"]
    assert reply["headers"]["location"].endswith(f"/personalizer/v1.1-preview.3/evaluations/{made}")
    on_taught.call("DELETE /evaluations/{evaluationId}", made)


def test_get_evaluations_evaluationid(on_taught: Caller, finished: str) -> None:
    received = on_taught.call("GET /evaluations/{evaluationId}", finished)
    assert (received["id"], received["name"], received["status"]) == (finished, "tried", "completed")
    results = {result["name"]: result for result in received["policyResults"]}
    assert results["challenger"]["policySource"] == "Custom"
    assert results["challenger"]["summary"]
    total = results["challenger"]["totalSummary"]
    average = total["ipsEstimatorNumerator"] / total["ipsEstimatorDenominator"]
    assert total["averageReward"] == pytest.approx(average)


def test_get_evaluations(on_taught: Caller, finished: str) -> None:
    assert finished in [one["id"] for one in on_taught.call("GET /evaluations")]


def test_delete_evaluations_evaluationid(on_taught: Caller) -> None:
    made = on_taught.call("POST /evaluations", options={"body": requested()})["id"]
    assert on_taught.call("DELETE /evaluations/{evaluationId}", made) is None
    deleted = on_taught.reply("GET /evaluations/{evaluationId}", made)
    assert (deleted["status"], deleted["body"]["error"]["code"]) == (404, "EvaluationNotFound")


def test_post_configurations_applyfromevaluation(
    instance: Instance, taught: Loop, on_taught: Caller, finished: str
) -> None:
    before = instance.now(taught).generation
    reference = {"evaluationId": finished, "policyName": "challenger"}
    on_taught.call("POST /configurations/applyFromEvaluation", options={"body": reference})
    assert on_taught.call("GET /configurations/policy") == POLICY
    assert instance.now(taught).generation == before + 1


def test_get_logs_properties(on_taught: Caller) -> None:
    received = on_taught.call("GET /logs/properties")["dateRange"]
    assert datetime.fromisoformat(received["from"]) <= datetime.fromisoformat(received["to"]) < END


def test_delete_logs(on_spare: Caller) -> None:
    on_spare.call("DELETE /logs")
    assert on_spare.call("GET /logs/properties") == {}


def test_post_logs_interactions(on_loop: Caller) -> None:
    refusal = on_loop.call("POST /logs/interactions", upload=encoded(b"\0\1"))["error"]
    assert refusal["code"] == "InvalidRequest"
    assert "local inference" in refusal["message"]


def test_post_logs_observations(on_loop: Caller) -> None:
    refusal = on_loop.call("POST /logs/observations", upload=encoded(b"\0\1"))["error"]
    assert refusal["code"] == "InvalidRequest"
    assert "local inference" in refusal["message"]


def test_get_model(on_taught: Caller) -> None:
    bare = base64.b64decode(on_taught.call("GET /model", download=True))
    signed = base64.b64decode(on_taught.call("GET /model", **SIGNED, download=True))
    with zipfile.ZipFile(io.BytesIO(signed)) as archive:
        assert archive.read("model.vw") == bare


def test_put_model(instance: Instance, spare: Loop, on_spare: Caller) -> None:
    bare, signed = (
        on_spare.call("GET /model", download=True),
        on_spare.call("GET /model", **SIGNED, download=True),
    )
    before = instance.now(spare).generation
    on_spare.call("PUT /model", upload=signed)
    assert instance.now(spare).generation == before + 1
    assert on_spare.call("GET /model", download=True) == bare


def test_a_model_that_was_read_as_text_is_refused(on_taught: Caller) -> None:
    text = on_taught.call("GET /model", **SIGNED)
    headers = {"content-type": "application/octet-stream"}
    reply = on_taught.reply("PUT /model", options={"body": text, "headers": headers})
    assert (reply["status"], reply["body"]["error"]["code"]) == (400, "invalidModelImportFormat")


def test_delete_model(on_spare: Caller) -> None:
    on_spare.call("DELETE /model")
    assert on_spare.call("GET /model/properties")["creationTime"] == "0001-01-01T00:00:00+00:00"
    assert on_spare.reply("GET /model")["status"] == 404


def test_get_model_properties(on_taught: Caller) -> None:
    received = on_taught.call("GET /model/properties")
    assert datetime.fromisoformat(received["creationTime"]) > BEGIN
    assert received["creationTime"] <= received["lastModifiedTime"]


def test_errors_are_understood(on_loop: Caller) -> None:
    reply = on_loop.reply("POST /rank", options={"body": {"actions": []}})
    assert (reply["status"], reply["unexpected"]) == (400, True)
    assert reply["body"]["error"]["code"] == "InvalidRankRequest"


def test_a_wrong_key_is_understood(driver: Driver, instance: Instance, loop: Loop) -> None:
    unauthorised = Caller(driver, instance.endpoint, replace(loop, key1="wrong"), None)
    reply = unauthorised.reply("GET /configurations/policy")
    assert (reply["status"], reply["unexpected"], reply["body"]["error"]["code"]) == (401, True, "401")


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()
